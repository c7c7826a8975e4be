"""One core, 256 MB, no torch."""

import sys

import pytest

from temperance.deployment.export import edge
from temperance.records.errors import BundleError


@pytest.mark.skipif(sys.platform != "linux", reason="the cap on memory is Linux's")
def test_a_net_runs_there_without_torch(net):
    found = edge.measure(net.bundle.folder, seconds=0.2)
    for one in found.values():
        assert not one["torch"]
        assert one["rows"] >= 100
        assert 0 < one["p50_ms"] <= one["p99_ms"]
        assert one["peak_mb"] >= one["resident_mb"] * 0.99
    assert found["numpy"]["resident_mb"] < 60 < found["onnxruntime"]["resident_mb"] < 100


@pytest.mark.skipif(sys.platform != "linux", reason="the cap on memory is Linux's")
def test_what_does_not_fit_is_said(trees, tmp_path):
    with pytest.raises(BundleError, match=r"has no manifest.json"):
        edge.measure(tmp_path)
    found = edge.measure(trees.bundle.folder, seconds=0.1)
    assert "TreeEnsemble" in found["numpy"]["refused"]
    assert found["onnxruntime"]["rows"] >= 100


def test_what_a_process_holds_is_told():
    held = edge.resident()
    assert set(held) == set(edge.HELD)
    if sys.platform == "linux":
        assert 1 < held["own_mb"] < held["resident_mb"] <= held["peak_mb"] * 1.01
