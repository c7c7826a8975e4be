"""A model keeps how its columns are written: files, requests and new data are read so, or the misfit is said."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from temperance.data import read
from temperance.data.choices import choose
from temperance.deployment import load
from temperance.deployment.bundle import Bundle
from temperance.deployment.serve.intake import Intake
from temperance.lifecycle.renewal import renew
from temperance.records.errors import DataError, RequestError

RNG = np.random.default_rng(5)
X = RNG.uniform(1, 900, 300).round(1)
Y = (3 * X + RNG.normal(0, 5, 300)).round(2)


def written(path: Path, *, comma: bool) -> Path:
    """Write x and y, with decimal commas or points."""

    def cell(value: float) -> str:
        return f"{value:.2f}".replace(".", ",") if comma else f"{value:.2f}"

    rows = [f"{cell(a)};{i % 5};{cell(b)}" for i, (a, b) in enumerate(zip(X, Y, strict=True))]
    path.write_text("\n".join(["x;b;y", *rows]) + "\n")
    return path


@pytest.fixture(scope="module")
def commas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("data") / "commas.csv", comma=True)


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("data") / "points.csv", comma=False)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, commas: Path, made: SimpleNamespace) -> Bundle:
    return load(made.make_bundle(tmp_path_factory.mktemp("model"), commas, [(1.0, made.LINEAR)]))


def test_the_style_is_in_the_bundle(bundle: Bundle, commas: Path) -> None:
    assert bundle.schema.target.format == ","
    assert {c.name: c.format for c in bundle.schema.numeric}["x"] == ","
    rows = read(commas, schema=bundle.schema).table.rows
    np.testing.assert_allclose(bundle.predict(rows).ravel(), Y, rtol=0.2, atol=60)


def test_a_file_in_another_style_is_missing_with_a_sentence_or_read_as_the_user_says(
    bundle: Bundle, points: Path, commas: Path
) -> None:
    reading = read(points, schema=bundle.schema)
    assert np.isnan(reading.table.rows.numeric[:, 0]).all()
    assert any("like 1234,5" in note and "read as missing" in note for note in reading.notes)
    chosen = read(points, schema=bundle.schema, choices=choose(["x=number,decimal=."]))
    np.testing.assert_array_equal(chosen.table.rows.numeric, read(commas, schema=bundle.schema).table.rows.numeric)


def test_rows_with_answers_in_another_style_are_refused(bundle: Bundle, points: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="like 1234,5"):
        read(points, target="y", schema=bundle.schema)
    with pytest.raises(DataError, match="--column"):
        renew(points, bundle.schema, target="y", group=None, time=None, workdir=tmp_path)
    wrong_x = written(tmp_path / "mixed.csv", comma=True)
    lines = wrong_x.read_text().splitlines()
    wrong_x.write_text("\n".join([lines[0], *(line.replace(",", ".", 1) for line in lines[1:])]) + "\n")
    with pytest.raises(DataError, match=r"--column 'x=number,decimal=\.'"):
        renew(wrong_x, bundle.schema, target="y", group=None, time=None, workdir=tmp_path)
    choices = choose(["x=number,decimal=.", "y=number,decimal=."])
    renewal = renew(points, bundle.schema, target="y", group=None, time=None, workdir=tmp_path, choices=choices)
    np.testing.assert_allclose(renewal.reading.table.target, Y)
    assert renewal.reading.table.schema.target.format == ""


def test_a_request_is_read_in_the_style_of_the_bundle_or_gets_a_422(bundle: Bundle) -> None:
    intake = Intake(bundle.schema)
    assert intake.rows([{"x": "40,5", "b": 1}]).numeric.tolist() == intake.rows([{"x": 40.5, "b": 1}]).numeric.tolist()
    for cell in ("40.5", "1.234", "40,5 kg"):
        with pytest.raises(RequestError, match="like 1234,5") as caught:
            intake.rows([{"x": cell, "b": 1}])
        assert caught.value.status == 422
