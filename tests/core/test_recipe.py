import math

import pytest
import torch
from torch import nn

from temperance import (
    EMA,
    L2,
    SAM,
    SWA,
    Dropout,
    GapFeedback,
    GradientClipping,
    LabelSmoothing,
    MixUp,
    Recipe,
    WeightDecay,
)  # fmt: skip
from temperance.control.early_stopping import EarlyStopping
from temperance.core.recipe import require_recipe
from temperance.core.regularizer import Regularizer
from temperance.records.errors import RecipeError, SettingError

ALL = (EMA(0.9), Dropout(0.2), WeightDecay(1e-3), MixUp(0.3), SAM(), GradientClipping(math.inf))


def test_the_order_typed_does_not_matter():
    one, two = Recipe(*ALL), Recipe(*reversed(ALL))
    assert one == two
    assert hash(one) == hash(two)
    assert repr(one) == repr(two)
    assert [type(r).__name__ for r in one.regularizers] == [
        "Dropout", "MixUp", "SAM", "GradientClipping", "WeightDecay", "EMA",
    ]  # fmt: skip


@pytest.mark.parametrize("controller", [None, GapFeedback(0.02), [GapFeedback(), EarlyStopping(3)]])
def test_it_is_a_value(controller):
    recipe = Recipe(*ALL, controller=controller)
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    import temperance
    from temperance import control

    names = {n: getattr(temperance, n) for n in temperance.__all__} | {n: getattr(control, n) for n in control.__all__}
    assert eval(repr(recipe), {**names, "inf": math.inf}) == recipe
    assert recipe.is_adaptive == (controller is not None)


def test_recipes_that_differ_are_not_equal():
    assert Recipe(Dropout(0.1)) != Recipe(Dropout(0.2))
    assert Recipe(Dropout(0.1)) != Recipe(Dropout(0.1), controller=GapFeedback())
    assert Recipe() != 3
    assert len(Recipe()) == 0


def test_two_of_a_class_keep_their_order_and_get_addresses():
    recipe = Recipe(Dropout(0.1, at="a"), Dropout(0.5, at="b"))
    assert list(recipe.by_address) == ["dropout", "dropout_2"]
    assert recipe.by_address["dropout_2"].p == 0.5
    assert list(recipe.specs) == ["dropout.p", "dropout_2.p"]


def test_what_excludes_each_other_is_refused_with_a_remedy():
    with pytest.raises(RecipeError, match=r"EMA and SWA cannot stand in one recipe.*which weights.*Keep one"):
        Recipe(EMA(), SWA())
    with pytest.raises(RecipeError, match="SAM stands twice"):
        Recipe(SAM(), SAM(0.1))


def test_doubtful_pairs_are_named():
    recipe = Recipe(L2(), WeightDecay(), LabelSmoothing(), MixUp())
    assert len(recipe.warnings) == 2
    assert all(f"Note: {warning}" in recipe.explain() for warning in recipe.warnings)
    assert Recipe(Dropout()).warnings == ()


def test_explanation_and_sources():
    recipe = Recipe(Dropout(0.2), controller=GapFeedback())
    assert recipe.explain().startswith("1. Dropout: switch off random units")
    assert "GapFeedback" in recipe.explain()
    assert Recipe().explain() == "No regularization: the plain model."
    assert [c.key for c in Recipe(Dropout(), SAM()).citations()] == ["foret2021", "srivastava2014"]


def test_wrong_ingredients_are_refused():
    with pytest.raises(SettingError, match="ingredients are regularizers"):
        Recipe(GapFeedback())
    with pytest.raises(SettingError, match="not valid TOML"):
        Recipe.from_toml("regularizers = [")
    with pytest.raises(SettingError, match="Did you mean 'Dropout'"):
        Recipe.from_dict({"regularizers": [{"name": "Dropuot"}]})
    with pytest.raises(SettingError, match="it knows"):
        Regularizer.from_dict({"name": "Dropout", "q": 0.1})


def test_recipes_add_up():
    one, two = Recipe(Dropout(0.1), controller=GapFeedback()), Recipe(EMA(0.9), controller=EarlyStopping(3))
    assert one + EMA(0.9) == Recipe(Dropout(0.1), EMA(0.9), controller=GapFeedback())
    assert one + two == Recipe(Dropout(0.1), EMA(0.9), controller=[GapFeedback(), EarlyStopping(3)])
    assert one + Recipe(L2()) == Recipe(Dropout(0.1), L2(), controller=GapFeedback())
    assert one + Recipe(controller=GapFeedback()) == one
    assert one + EarlyStopping(3) == Recipe(Dropout(0.1), controller=[GapFeedback(), EarlyStopping(3)])
    with pytest.raises(RecipeError, match="cannot stand in one recipe"):
        two + SWA()
    with pytest.raises(TypeError):
        one + 3


def test_an_ingredient_stands_for_the_one_of_its_class():
    recipe = Recipe(Dropout(0.1), EMA(0.9), controller=GapFeedback())
    assert recipe.replace(Dropout(0.3)) == Recipe(Dropout(0.3), EMA(0.9), controller=GapFeedback())
    assert recipe.replace(controller=None) == Recipe(Dropout(0.1), EMA(0.9))
    with pytest.raises(SettingError, match="0 ingredients of the recipe are WeightDecay"):
        recipe.replace(WeightDecay(0.1))
    with pytest.raises(SettingError, match="2 ingredients"):
        Recipe(Dropout(0.1, at="a"), Dropout(0.2, at="b")).replace(Dropout(0.3))


def test_a_technique_in_place_of_a_recipe_is_named():
    require_recipe(Recipe(), "RecipeTrainer")
    with pytest.raises(SettingError, match=r"RecipeTrainer got recipe=Dropout\(\).*Put techniques into Recipe"):
        require_recipe(Dropout(0.1), "RecipeTrainer")


@pytest.mark.parametrize("controller", [GapFeedback, 3])
def test_what_is_no_controller_is_refused_in_words(controller):
    with pytest.raises(SettingError, match=r"a controller, or a list of them.*controller=GapFeedback\(\)"):
        Recipe(L2(0.1), controller=controller)


@pytest.mark.parametrize("named", [{"epochs": "1"}, {"steps": [3]}, {"seed": "x"}, {"steps_per_epoch": True}])
def test_counts_that_are_no_numbers_are_refused_in_words(named):
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(SettingError, match=r"attach got .*a number"):
        Recipe(L2(0.1)).attach(model, optimizer, loss=nn.CrossEntropyLoss(), **named)
