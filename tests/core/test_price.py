"""Prices are ratios to the plain step, measured pair by pair."""

import torch
from torch import nn
from torch.nn import functional

from temperance import EMA, SAM, Dropout, Recipe, price_recipe


def setup():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 3))
    return model, (torch.randn(32, 16), torch.randint(0, 3, (32,)))


def test_each_technique_and_the_whole_are_priced():
    model, batch = setup()
    before = [p.clone() for p in model.parameters()]
    found = price_recipe(Recipe(SAM(), EMA(), Dropout(0.1)), model, batch, loss=functional.cross_entropy, steps=12)
    by_name = {p.name: p for p in found}
    assert list(by_name) == ["dropout", "sam", "ema", "recipe"]
    assert by_name["sam"].backwards == 2
    assert by_name["sam"].ratio > by_name["ema"].ratio
    assert by_name["ema"].memory_bytes == sum(p.numel() * 4 for p in model.parameters())
    assert by_name["recipe"].ratio_low <= by_name["recipe"].ratio <= by_name["recipe"].ratio_high
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_one_technique_is_priced_once_and_the_row_is_plain():
    model, batch = setup()
    found = price_recipe(Recipe(EMA()), model, batch, loss=functional.cross_entropy, steps=5)
    assert [p.name for p in found] == ["ema"]
    assert found[0].to_dict()["steps"] == 5
    assert 0.3 < found[0].inference_ratio < 3
