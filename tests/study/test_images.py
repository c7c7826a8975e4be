"""Nets for images: what is tried first, and that every recipe can be built."""

import pytest

from temperance.records.schema import Column, Schema, Target
from temperance.study.images import default_net, image_specs
from temperance.study.recipes import text

SETTINGS = {"epochs": 10.0, "batch_size": 64, "lr": 0.005}


def specs(task="multiclass", shape=(28, 28, 1), *, few=False):
    return image_specs(settings=SETTINGS, steps=100, task=task, shape=shape, seed=3, few=few)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_recipe_can_be_built_and_has_its_own_name(task):
    found = specs(task)
    assert len({spec.name for spec in found}) == len(found)
    assert all(text(spec.recipe).startswith("Recipe(") for spec in found)
    assert {spec.model for spec in found} == {"ConvNet"}
    assert {spec.seed for spec in found} == {3}


def test_few_images_start_with_what_does_not_count():
    few = [spec.name for spec in specs(few=True)]
    assert few[4:6] == [spec.name for spec in specs()[:2]]
    assert sorted(few) == sorted(spec.name for spec in specs())
    assert all(spec.architecture["even"] for spec in specs(few=True)[:4])
    assert [("RandomColor" in text(spec.recipe)) for spec in specs(few=True)[:4]] == [True, True, False, False]


def test_shifts_with_and_without_mirrors_and_the_plain_net_come_first():
    first, second, lit, _, _, _, third = specs()[:7]
    assert [one.architecture.get("both_sides", False) for one in (first, second, lit)] == [True, False, False]
    assert lit.name == "evenly lit and shifted images"
    assert "RandomFlip" in text(first.recipe)
    assert "RandomCrop" in text(first.recipe)
    assert "RandomFlip" not in text(second.recipe)
    assert "RandomCrop" in text(second.recipe)
    assert third.kind == "plain"
    assert third.recipe == {"regularizers": []}


@pytest.mark.parametrize("side", [8, 16, 28, 64])
def test_shifts_move_images_by_a_pixel_at_least(side):
    crop = next(t for t in specs(shape=(side, side, 1))[1].recipe["regularizers"] if t["name"] == "RandomCrop")
    assert 1 <= round(crop["margin"] * side) <= 3


def test_the_net_follows_the_kind_of_data():
    target = Target("y", "binary", ("a", "b"))
    assert default_net(Schema((), target, kind="images", image_shape=(8, 8, 1))) == "ConvNet"
    assert default_net(Schema((Column("x", "numeric"),), target)) == "Tabular"
