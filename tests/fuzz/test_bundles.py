"""Damaged bundles whose manifest fits: the package's own error, never a raw one, and no code that runs."""

from __future__ import annotations

import io
import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from tests.deployment.conftest import Fitted, schema_of
from tests.fuzz.mutation import damaged, repacked, traps

from temperance.deployment import load
from temperance.deployment.bundle import read_arrays
from temperance.deployment.manifest import MANIFEST, write_manifest
from temperance.monitoring import reference
from temperance.records.errors import TemperanceError


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from temperance.deployment.basic import basic_part
    from temperance.deployment.write import Extras, write_bundle

    model = Fitted("linear", schema_of())
    folder = tmp_path_factory.mktemp("fuzz") / "bundle"
    stats = reference.build(model.rows, model.predict(model.rows), model.schema)
    part = basic_part(model.fitted, model.schema)
    write_bundle(
        folder, part=part, schema=model.schema, predictor=model, rows=model.rows,
        extras=Extras(reference=stats, recipe={"trace": [{"step": 1}]}),
    )  # fmt: skip
    return folder


def archive() -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, a=np.arange(200.0), words=np.array(["red", "green"]), flags=np.ones((3, 4), dtype=bool))
    return out.getvalue()


def of_arrays(count: int, folder: Path, seed: int) -> Counter[str]:
    generator, data, seen = np.random.default_rng(seed), archive(), Counter[str]()
    path = folder / "arrays.npz"
    for i in range(count):
        path.write_bytes(damaged(data, generator) if i % 2 else repacked(data, generator))
        for read in (read_arrays, reference.load):
            try:
                read(path)
                seen["read"] += 1
            except TemperanceError:
                seen["refused"] += 1
    return seen


def of_bundles(count: int, original: Path, folder: Path, seed: int) -> Counter[str]:
    """Damage one file of a bundle, write the manifest anew, load, and use what loads."""
    generator, seen = np.random.default_rng(seed), Counter[str]()
    names = sorted(p.name for p in original.iterdir() if p.is_file())
    shutil.copytree(original, folder)
    for _ in range(count):
        name = names[int(generator.integers(len(names)))]
        data = (original / name).read_bytes()
        anew = name.endswith(".npz") and generator.random() < 0.5
        (folder / name).write_bytes(repacked(data, generator) if anew else damaged(data, generator))
        if name != MANIFEST:
            write_manifest(folder)
        try:
            found = load(folder)
            _ = found.reference, found.recipe, found.decision
            seen["read"] += 1
        except TemperanceError:
            seen["refused"] += 1
        (folder / name).write_bytes(data)
        shutil.copy(original / MANIFEST, folder / MANIFEST)
    return seen


def test_damaged_arrays_are_refused_in_the_packages_own_words(tmp_path: Path) -> None:
    seen = of_arrays(1_000, tmp_path, 0)
    assert seen["refused"] > 1_000
    assert seen.total() == 2_000


def test_damaged_bundles_with_a_manifest_that_fits(bundle: Path, tmp_path: Path) -> None:
    seen = of_bundles(300, bundle, tmp_path / "b", 0)
    assert seen["refused"] > 150
    assert seen.total() == 300
    load(bundle)  # the original still loads


@pytest.mark.slow
def test_a_hundred_thousand_damaged_archives(bundle: Path, tmp_path: Path) -> None:
    assert of_arrays(45_000, tmp_path, 1).total() == 90_000
    assert of_bundles(10_000, bundle, tmp_path / "b", 1).total() == 10_000


def test_objects_in_a_bundle_run_nothing(bundle: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    folder = tmp_path / "b"
    for name, content in traps(marker):
        for place in ("parity.npz", "reference.npz", "recipe.json", "model.onnx"):
            shutil.copytree(bundle, folder)
            (folder / place).write_bytes(content)
            write_manifest(folder)
            with pytest.raises(TemperanceError):
                _ = load(folder).reference, load(folder).recipe
            shutil.rmtree(folder)
        assert not marker.exists(), name


def test_the_manifest_that_is_written_anew_fits(bundle: Path) -> None:
    assert json.loads((bundle / MANIFEST).read_text(encoding="utf-8"))["files"]
