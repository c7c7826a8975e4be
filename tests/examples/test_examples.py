"""The examples run and do what they say."""

import runpy
from pathlib import Path

import pytest
import torch

from temperance.core.regularizer import techniques

FOLDER = Path(__file__).parents[2] / "examples"
torch.set_num_threads(1)


def load(name):
    return runpy.run_path(str(FOLDER / f"{name}.py"))["main"]


def test_own_loop():
    assert load("own_loop")(epochs=10) > 0.85


def test_adaptive(capsys):
    assert load("adaptive")(epochs=12) > 0
    assert "because" in capsys.readouterr().out


def test_population():
    losses = load("population")(steps=60)
    assert len(losses) == 8
    assert min(losses) < 0.3


def test_own_regularizer():
    try:
        assert "population" in load("own_regularizer")()
    finally:
        techniques._own.pop("LogitPenalty", None)
    assert "LogitPenalty" not in techniques


def test_huggingface():
    pytest.importorskip("transformers")
    found = load("huggingface")(epochs=3, count=600)
    assert found["recipe"] > 0.7


@pytest.mark.parametrize(("name", "least"), [("text_from_scratch", 0.7), ("time_series", 0.8)])
@pytest.mark.slow
def test_nets_of_ones_own_without_a_budget(name, least):
    assert load(name)(budget=None, count=500) > least


@pytest.mark.slow
def test_vision_transformer_without_a_budget():
    assert load("vision_transformer")(budget=None) > 0.7


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("text_from_scratch", 0.7), ("time_series", 0.8)])
def test_nets_of_ones_own_in_a_study(name, least, monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    assert load(name)(budget="5trials", count=500) > least


@pytest.mark.slow
def test_vision_transformer_in_a_study():
    assert load("vision_transformer")(budget="4trials") > 0.7


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "package"), [("in_skorch", "skorch"), ("in_accelerate", "accelerate"), ("in_fabric", "lightning")]
)
def test_frameworks(name, package, capsys):
    pytest.importorskip(package)
    assert load(name)(epochs=4) > 0.8
    assert "held-out rows" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore")
def test_logged_loop(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    rows = load("logged_loop")(epochs=2)
    assert [row["at"] for row in rows] == [19, 38]
    assert {"strength/dropout.p", "signal/gap", "loss"} <= set(rows[-1])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_every_example_says_how_to_run_it(path):
    assert f"python examples/{path.name}" in path.read_text()


def test_gan_digits():
    got = load("gan_digits")(steps=150)
    assert got["averaged"] < 0.6 * got["before"]
    assert got["averaged"] < got["last"]


@pytest.mark.filterwarnings("ignore")
def test_in_lightning(capsys):
    pytest.importorskip("lightning")
    assert load("in_lightning")(epochs=5) > 0.85
    scored, saved = capsys.readouterr().out.splitlines()[0].split(",")
    assert scored.split()[-1] == saved.split()[-1]
