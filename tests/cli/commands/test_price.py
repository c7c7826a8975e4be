"""Prices from the command line: by name, by file, and with clear errors."""

import json

import pytest

from temperance.cli.application import run

FAST = ["--steps", "3", "--rows", "16", "--features", "4"]


def test_names_give_each_and_the_whole(capsys):
    assert run(["price", "EMA,Dropout", *FAST, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == ["dropout", "ema", "recipe"]
    assert all(row["ratio"] > 0 for row in rows)


def test_a_recipe_file_is_priced(tmp_path, capsys):
    path = tmp_path / "recipe.toml"
    path.write_text('[[regularizers]]\nname = "SAM"\nrho = 0.1\n')
    assert run(["price", str(path), *FAST]) == 0
    assert "sam" in capsys.readouterr().out


@pytest.mark.parametrize(("recipe", "words"), [("Dropuot", "Did you mean 'Dropout'"), ("none.toml", "no file")])
def test_mistakes_are_named(recipe, words, capsys):
    assert run(["price", recipe, *FAST]) == 2
    assert words in capsys.readouterr().err
