import pytest


@pytest.fixture
def models(temperance, classes, values, tmp_path):
    folder = tmp_path / "models"
    assert temperance("registry", "add", folder, classes.folder, "--alias", "champion").status == 0
    done = temperance("registry", "add", folder, values.folder, "--alias", "champion", "--note", "for numbers")
    assert done.status == 0, done.err
    assert done.out.startswith("Version 2 of model")
    return folder


def test_versions_names_and_moves_are_listed(temperance, models) -> None:
    done = temperance("registry", "list", models)
    assert "champion" in done.out
    assert "for numbers" in done.out
    assert "champion: 1 → 2" in done.out
    assert [v["number"] for v in temperance("registry", "list", models, "--json").json["versions"]] == [1, 2]


def test_rollback_and_path(temperance, models) -> None:
    assert temperance("registry", "rollback", models).status == 0
    done = temperance("registry", "path", models)
    assert done.out.strip() == str(models / "versions" / "1" / "bundle")
    assert temperance("registry", "alias", models, 2, "--alias", "trial").status == 0
    assert temperance("registry", "path", models, "--alias", "trial").out.strip().endswith("2/bundle")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("burn", "DIR"), "One of add"),
        (("add", "DIR"), "A bundle is missing"),
        (("alias", "DIR", "one", "--alias", "x"), "whole number"),
        (("alias", "DIR", 1), "--alias"),
        (("path", "DIR", "--alias", "none"), "No alias"),
        (("alias", "DIR", 7, "--alias", "x"), "No version 7"),
    ],
)
def test_mistakes_are_said_in_words(temperance, models, arguments, word) -> None:
    done = temperance("registry", *(models if a == "DIR" else a for a in arguments))
    assert done.status == 2
    assert word in done.err
    assert "Traceback" not in done.err
