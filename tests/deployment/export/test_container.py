"""A folder from which a container is built without a network."""

import importlib.metadata as metadata

import pytest

from temperance.deployment.bundle import load
from temperance.deployment.export.container import ROOTS, closure, write_container
from temperance.records.errors import BundleError, MissingExtra


def test_the_folder_holds_all_but_the_wheels(net, tmp_path):
    out = write_container(net.bundle, tmp_path / "c")
    assert load(out / "bundle").version == net.bundle.version
    lines = (out / "requirements.txt").read_text().split()
    assert lines[0].startswith("temperance==")
    names = {line.split("==")[0] for line in lines}
    assert set(ROOTS) <= names
    assert not names & {"torch", "scikit-learn", "polars", "onnx", "optuna"}
    text = (out / "Containerfile").read_text()
    assert "--no-index" in text
    assert "USER 10001" in text
    assert "serve" in text
    assert "{" not in text.replace('{"', "")
    with pytest.raises(BundleError, match="exists"):
        write_container(net.bundle, out)


def test_versions_are_those_that_are_installed_with_all_they_need():
    found = dict(line.split("==") for line in closure(["uvicorn"]))
    assert found["uvicorn"] == metadata.version("uvicorn")
    assert {"click", "h11"} <= set(found)
    with pytest.raises(MissingExtra, match="no-such-package"):
        closure(["no-such-package"])
