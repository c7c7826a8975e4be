"""One core, 256 MB, no torch."""

import sys

import pytest

from temperance.deployment.export import edge
from temperance.records.errors import BundleError


@pytest.mark.skipif(sys.platform != "linux", reason="the cap on memory is Linux's")
def test_a_net_runs_there_without_torch(net):
    found = edge.measure(net.bundle.folder, seconds=0.2)
    assert not found["torch"]
    assert found["rows"] >= 100
    assert 0 < found["p50_ms"] <= found["p99_ms"]
    assert found["resident_mb"] < 100
    assert found["peak_mb"] >= found["resident_mb"] * 0.99


@pytest.mark.skipif(sys.platform != "linux", reason="the cap on memory is Linux's")
def test_what_does_not_fit_is_said(net, monkeypatch, tmp_path):
    with pytest.raises(BundleError, match="does not run on one core"):
        edge.measure(tmp_path)
