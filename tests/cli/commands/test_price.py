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


def test_own_data_and_what_cannot_be_priced_is_named(tmp_path, monkeypatch, capsys):
    net = "import torch\nfrom temperance import Task\n\n\ndef task(info):\n    return Task(torch.nn.Sequential(" \
        "torch.nn.Embedding(info.largest + 1, 4), torch.nn.Flatten(), torch.nn.Linear(8, info.outputs)), " \
        'inputs="tokens")\n'  # fmt: skip
    (tmp_path / "own_words.py").write_text(net)
    lines = ["a,b,answer", *(f"{i % 7},{i % 5},{'yes' if i % 3 else 'no'}" for i in range(60))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    monkeypatch.chdir(tmp_path)
    words = ["price", "--task", "own_words:task", "--data", "t.csv", "--target", "answer", "--steps", "3"]
    assert run([*words, "EMA,LabelSmoothing", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["label_smoothing", "ema", "recipe"]
    assert run([*words, "CutMix"]) == 2
    assert "found no image among the inputs" in capsys.readouterr().err


def test_a_net_that_cannot_take_a_step_is_told(tmp_path, monkeypatch, capsys):
    (tmp_path / "own_wrong.py").write_text(
        "import torch\nfrom temperance import Task\n\n\ndef task(info):\n    return Task(torch.nn.Linear(3, 2))\n"
    )
    monkeypatch.chdir(tmp_path)
    assert run(["price", "EMA", "--task", "own_wrong:task", *FAST]) == 2
    assert "it was called with a tensor (16, 4)" in capsys.readouterr().err.lower()
