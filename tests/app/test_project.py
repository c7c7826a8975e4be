from __future__ import annotations

from pathlib import Path

import pytest

from temperance.app.project import Project, home, load, now, source_path
from temperance.records.errors import SettingError

UPLOAD = {"kind": "upload", "name": "a b.csv"}


def test_it_is_kept_and_read_again(tmp_path: Path) -> None:
    made = Project("A", UPLOAD, target="y", columns={"x": "drop"}, options={"budget": "1m"}, asked=now())
    made.save(tmp_path)
    assert load(tmp_path) == made


@pytest.mark.parametrize("text", ["", "{", "[]", '{"title": 1}', '{"title": "x", "source": 3}'])
def test_a_damaged_one_is_none(tmp_path: Path, text: str) -> None:
    home(tmp_path).mkdir()
    (home(tmp_path) / "project.json").write_text(text)
    assert load(tmp_path) is None


def test_decisions_become_options_that_cannot_be_mistaken(tmp_path: Path) -> None:
    made = Project("A", UPLOAD, target="--out", columns={"--x": "number,decimal=,"}, sep=";", na_values="-9,?")
    assert made.arguments(tmp_path, tmp_path) == [
        "--column=--x=number,decimal=,",
        "--target=--out",
        "--na-values=-9,?",
        "--sep=;",
    ]
    more = made.changed(columns={}, test={"kind": "bundled", "name": "iris"})
    assert more.arguments(tmp_path, tmp_path)[0] == "--test=sklearn:iris"
    assert made.choices.of("--x").decimal == ","
    assert made.changed(weight="w").arguments(tmp_path, tmp_path)[-1] == "--weight=w"
    framed = made.changed(series="s", lags="1,24", horizon="1", by="shop")
    assert framed.arguments(tmp_path, tmp_path)[-4:] == ["--id=s", "--lags=1,24", "--horizon=1", "--by=shop"]
    assert (framed.choices.id, framed.choices.lags, framed.choices.horizon, framed.choices.by) == (
        "s",
        (1, 24),
        1,
        "shop",
    )


def test_a_decision_that_cannot_be_understood_is_refused() -> None:
    with pytest.raises(SettingError):
        _ = Project("A", UPLOAD, columns={"x": "nonsense"}).choices
    with pytest.raises(SettingError, match="steps ahead"):
        _ = Project("A", UPLOAD, lags="1", horizon="0").choices
    with pytest.raises(SettingError, match="--lags"):
        _ = Project("A", UPLOAD, lags="a week").choices


def test_the_key_changes_with_what_decides_the_reading_alone() -> None:
    made = Project("A", UPLOAD)
    assert made.key == made.changed(options={"budget": "1m"}, asked=3.0).key
    assert made.key != made.changed(target="y").key
    assert made.key != made.changed(weight="w").key
    assert len({made.changed(**{name: "1"}).key for name in ("series", "lags", "horizon", "by")}) == 4


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (UPLOAD, "study/app/data/a b.csv"),
        ({"kind": "file", "name": "-x.csv"}, "./-x.csv"),
        ({"kind": "file", "name": "../../etc/passwd"}, "passwd"),
        ({"kind": "bundled", "name": "iris"}, "sklearn:iris"),
    ],
)
def test_where_its_data_lie(tmp_path: Path, source: dict[str, str], told: str) -> None:
    assert source_path(source, tmp_path / "study", tmp_path) == told
