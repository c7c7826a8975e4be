import pytest

from temperance import EMA, L1, SAM, Dropout, GradientClipping, LabelSmoothing, Recipe
from temperance.testing.effects import EFFECTS
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import trained

MLP = PROBLEMS["mlp"]


@pytest.mark.parametrize(
    ("quantity", "weak", "strong", "up"),
    [
        ("weight_size", L1(1e-8), L1(0.5), False),
        ("loss_noise", Dropout(0.01), Dropout(0.8), True),
        ("step_length", GradientClipping(10.0), GradientClipping(0.01), False),
        ("departure", SAM(0.01), SAM(1.0), True),
        ("lag", EMA(0.1), EMA(0.99), True),
        ("confidence", LabelSmoothing(0.01), LabelSmoothing(0.5), False),
        ("final_weights", L1(1e-8), L1(0.5), False),
    ],
)
def test_quantities(quantity, weak, strong, up):
    assert (EFFECTS[quantity](strong, MLP) > EFFECTS[quantity](weak, MLP)) == up


def test_quantities_of_nothing_are_nothing():
    assert EFFECTS["departure"](SAM(0.0), MLP) == 0
    assert EFFECTS["lag"](EMA(0.0), MLP) == 0
    assert trained(Recipe(), MLP).steps == 6
