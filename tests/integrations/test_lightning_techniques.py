"""Every technique in Lightning: the plain loop's weights, or refused by name; never something else without a word."""

import logging

import pytest

pytest.importorskip("lightning")

import torch
from tests.integrations.lightning_nets import Net, apart, fit, plain

import temperance.regularizers  # noqa: F401  (registers the techniques)
from temperance import Recipe
from temperance.core.regularizer import techniques
from temperance.integrations.lightning_limits import refuse_without_loss
from temperance.records.errors import RecipeError

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("ignore")
NAMES = [name for name in techniques if techniques[name].__module__.startswith("temperance.")]


def attempt(run):
    try:
        return run()
    except RecipeError as fault:
        return fault


@pytest.fixture(autouse=True)
def _quiet():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("manual", [False, True], ids=["automatic", "manual"])
def test_with_a_loss_it_acts_as_in_the_plain_loop(name, manual):
    recipe = Recipe(techniques[name]())
    alone = attempt(lambda: plain(recipe, epochs=1)[0])
    inside = attempt(lambda: fit(recipe, Net(manual=manual), max_epochs=1, valid=False)[0])
    if isinstance(alone, RecipeError):
        assert str(inside) == str(alone)
    else:
        assert apart(alone, inside) < 1e-12


@pytest.mark.parametrize("name", NAMES)
def test_without_a_loss_it_acts_alike_or_is_refused_by_name(name):
    recipe = Recipe(techniques[name]())
    alone = attempt(lambda: plain(recipe, epochs=1)[0])
    inside = attempt(lambda: fit(recipe, loss=None, max_epochs=1, valid=False)[0])
    if isinstance(alone, RecipeError):
        assert isinstance(inside, RecipeError)
    elif isinstance(inside, RecipeError):
        assert next(iter(recipe.by_address)) in str(inside)
    else:
        refuse_without_loss(recipe, Net())
        assert apart(alone, inside) < 1e-12
