"""Recipes by name: each attaches and trains on a net of its kind."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from temperance import Batch, Dropout, Recipe, WeightDecay
from temperance.core import presets
from temperance.records.errors import SettingError
from temperance.testing.problems import PROBLEMS

ASKS = {"finetune": {"new": "4.*"}}


def made(name: str, **changed) -> Recipe:
    return Recipe.preset(name, **{**ASKS.get(name, {}), **changed})


def test_the_names() -> None:
    assert Recipe.presets() == presets.names()
    assert {"finetune", "small-data", "noisy-labels", "gan", "lm"} <= set(Recipe.presets())


@pytest.mark.parametrize("name", presets.names())
def test_each_is_a_recipe_like_any_other_and_explains_itself(name: str) -> None:
    recipe = made(name)
    assert recipe == Recipe.from_toml(recipe.to_toml()) == Recipe.from_dict(recipe.to_dict())
    assert recipe.citations()
    one = presets.preset(name)
    assert one.words.endswith(".")
    assert one.why.endswith(".")
    assert all(f"${asked}" in str(one.row) for asked in one.asks)


def test_a_setting_goes_where_it_is_asked_for_and_none_leaves_it_out() -> None:
    assert any(getattr(one, "new", None) == "head*" for one in made("finetune", new="head*").regularizers)
    assert all(getattr(one, "new", None) is None for one in made("finetune", new=None).regularizers)


def test_it_is_changed_as_any_recipe() -> None:
    recipe = made("lm").replace(WeightDecay(0.3))
    assert WeightDecay(0.3) in recipe.regularizers
    assert len(made("gan") + Dropout(0.1)) == len(made("gan")) + 1


def test_what_is_missing_or_unknown_is_named() -> None:
    with pytest.raises(SettingError, match=r"without new.*shell pattern.*new=…"):
        Recipe.preset("finetune")
    with pytest.raises(SettingError, match=r"got rate=0.3.*asks for nothing"):
        Recipe.preset("lm", rate=0.3)
    with pytest.raises(SettingError, match="Did you mean 'finetune'"):
        Recipe.preset("fine-tune")


def falls(session, batch: Batch, steps: int = 30) -> bool:
    losses = [float(session.step(batch).loss.detach()) for _ in range(steps)]
    return losses[-1] < losses[0]


@pytest.mark.parametrize("name", ["small-data", "noisy-labels"])
@pytest.mark.parametrize("kind", ["mlp", "embeddings", "transformer", "rnn"])
def test_on_nets_for_tables_and_sequences(name: str, kind: str) -> None:
    problem = PROBLEMS[kind]
    model = problem.model().train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0)
    session = made(name).attach(model, optimizer, loss=problem.loss, epochs=10, steps_per_epoch=3)
    assert falls(session, problem.batch(0))


def test_small_data_on_numbers() -> None:
    problem = PROBLEMS["regression"]
    model = problem.model().train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0)
    session = made("small-data").attach(model, optimizer, loss=problem.loss, epochs=10, steps_per_epoch=3)
    assert falls(session, problem.batch(0))


@pytest.mark.parametrize("pictures", [True, False])
def test_finetune_on_a_net_with_a_new_head(pictures: bool) -> None:
    torch.manual_seed(0)
    body = [nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten()] if pictures else [
        nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU()
    ]  # fmt: skip
    model = nn.Sequential(*body, nn.Linear(64 if pictures else 8, 3)).train()
    x = torch.randn(12, 1, 6, 6) if pictures else torch.randn(12, 8)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0)
    session = made("finetune").attach(model, optimizer, loss=F.cross_entropy, epochs=10, steps_per_epoch=3)
    assert falls(session, Batch(x, torch.randint(0, 3, (12,))))


def test_gan_on_a_discriminator() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1)).train()
    session = made("gan").attach(
        model, torch.optim.Adam(model.parameters(), lr=1e-2), steps=30,
        loss=lambda out, real: F.binary_cross_entropy_with_logits(out.squeeze(1), real, reduction="none"),
    )  # fmt: skip
    points = torch.cat([torch.randn(8, 2) + 3, torch.randn(8, 2)])
    assert falls(session, Batch(points, torch.cat([torch.ones(8), torch.zeros(8)])))
