"""CutMix: exact shares of pixels, identity at its ends, refusals."""

import numpy as np
import pytest
import torch

from temperance import MixUp, Recipe
from temperance.core.batch import Batch, measure
from temperance.records.errors import RecipeError, SettingError
from temperance.regularizers.mixing.cutmix import CutMix, cut, cut_out

IMAGES = torch.arange(6, dtype=torch.float32)[:, None, None, None].expand(6, 2, 9, 7).contiguous()
TARGETS = torch.arange(6)


def test_the_share_is_the_exact_fraction_of_pixels() -> None:
    seen = set()
    for key in range(40):
        mixed = cut(Batch(IMAGES, TARGETS), 1.0, 1.0, key)
        partner = mixed.targets.second
        for i in range(6):
            if int(partner[i]) == i:
                continue
            foreign = mixed.inputs[i] == partner[i]
            assert float(foreign.double().mean()) == pytest.approx(1 - float(mixed.targets.share), abs=1e-7)
            assert bool((foreign | (mixed.inputs[i] == i)).all())
        seen.add(round(float(mixed.targets.share), 3))
    assert len(seen) > 10


def test_the_box_by_hand() -> None:
    # share 0.75: sides half of (8, 4); centre row 4, column 0: rows 2 to 5, columns −1 to 0, cut to 0
    inside = cut_out((8, 4), torch.tensor(0.75), torch.tensor([0.5, 0.0])).numpy()
    expected = np.zeros((8, 4), dtype=bool)
    expected[2:6, 0:1] = True
    np.testing.assert_array_equal(inside, expected)


@pytest.mark.parametrize(("p", "alpha"), [(0.0, 1.0), (1.0, 0.0)])
def test_no_probability_or_alpha_zero_is_the_identity(p: float, alpha: float) -> None:
    mixed = cut(Batch(IMAGES, TARGETS), p, alpha, 3)
    assert torch.equal(mixed.inputs, IMAGES)
    assert mixed.targets is TARGETS if p == 0 else float(mixed.targets.share) == 1.0


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0])
def test_the_box_is_the_same_where_nothing_may_follow_a_value(p: float) -> None:
    logits, loss = torch.randn(6, 6), torch.nn.functional.cross_entropy
    for key in range(30):
        known, unknown = (cut(Batch(IMAGES, TARGETS), one, 1.0, key) for one in (p, torch.tensor(p)))
        assert torch.equal(known.inputs, unknown.inputs)
        assert torch.equal(measure(loss, logits, known), measure(loss, logits, unknown))


def test_a_share_of_one_has_the_plain_loss_and_the_key_decides() -> None:
    logits = torch.randn(6, 6)
    loss = torch.nn.functional.cross_entropy
    mixed = cut(Batch(IMAGES, TARGETS), 0.0, 1.0, 3)
    assert torch.equal(measure(loss, logits, mixed), loss(logits, TARGETS))
    one, same, other = (cut(Batch(IMAGES, TARGETS), 1.0, 1.0, key).inputs for key in (5, 5, 6))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_tables_pixel_targets_and_two_mixers_are_refused() -> None:
    with pytest.raises(RecipeError, match="CutMix found no image"):
        cut(Batch(torch.randn(6, 3), TARGETS), 1.0, 1.0, 0)
    with pytest.raises(RecipeError, match="targets of shape"):
        cut(Batch(IMAGES, torch.zeros(6, 9, 7)), 1.0, 1.0, 0)
    with pytest.raises(RecipeError, match="sizes"):
        cut(Batch((IMAGES, IMAGES[..., :5]), TARGETS), 1.0, 1.0, 0)
    with pytest.raises(RecipeError, match="CutMix and MixUp"):
        Recipe(CutMix(), MixUp())
    with pytest.raises(SettingError, match="alpha"):
        CutMix(alpha=-1)
