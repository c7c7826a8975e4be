import pytest

from temperance.cli.commands import retrain as room

VALUE = {
    "decision": "keep", "sentence": "Keep the model that is in use.", "why": "On 9 rows nothing changes.",
    "folder": "out", "bundle": "old/bundle", "changes": [{"column": "colour", "what": "1 new category: 'blue'"}],
}  # fmt: skip


@pytest.fixture
def asked(monkeypatch):
    import temperance.lifecycle as home

    seen = {}

    def retrain(bundle, data, **options):
        seen.update(bundle=bundle, data=data, **options)
        options["progress"]({"part": "read", "message": "Reading", "left_seconds": 3.0, "elapsed": 1.0})
        return VALUE

    monkeypatch.setattr(home, "retrain", retrain, raising=False)
    return seen


def test_options_reach_the_station(temperance, asked, tmp_path) -> None:
    done = temperance(
        "retrain",
        tmp_path,
        "new.csv",
        "--target",
        "y",
        "--budget",
        "90s",
        "--out",
        tmp_path / "o",
        "--seed",
        "3",
        "--json",
    )
    assert done.status == 0, done.err
    assert done.json == VALUE
    assert (asked["bundle"], asked["data"], asked["target"], asked["budget"]) == (tmp_path, "new.csv", "y", "90s")
    assert (asked["out"], asked["seed"], asked["task"]) == (tmp_path / "o", 3, "")
    assert asked["started"] > 0


def test_the_decision_in_words(temperance, asked, tmp_path) -> None:
    done = temperance("retrain", tmp_path, "new.csv", "--out", tmp_path / "o")
    assert done.out.startswith("Keep the model that is in use.\n")
    assert "colour: 1 new category" in done.out
    assert "Reading" in done.err


def test_a_study_is_not_written_over(temperance, asked, tmp_path) -> None:
    (tmp_path / "study.json").write_text("{}")
    done = temperance("retrain", tmp_path, "new.csv", "--out", tmp_path)
    assert done.status == 2
    assert not asked


def test_text_names_the_model_to_serve() -> None:
    assert "old/bundle" in room.text(VALUE)


def test_a_missing_bundle_is_refused(temperance, tmp_path) -> None:
    assert temperance("retrain", tmp_path / "none", "new.csv").status == 2
