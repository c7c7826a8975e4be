import numpy as np
import pytest
import torch

from temperance import FixedNorm, MaxNorm, Recipe
from temperance.records.errors import RecipeError
from temperance.regularizers.weights.max_norm import factor
from temperance.testing.driven import advance, begin, drive, moving, waves


def test_equals_the_published_projection():
    session = begin(MaxNorm(0.8), waves(), lambda p: torch.optim.SGD(p, lr=0.1))
    got = drive(session, moving, 20)
    for i, w in enumerate(t.numpy().copy() for t in waves()):
        for t in range(20):
            w = w - 0.1 * moving(t, [torch.from_numpy(w)])[0].numpy()
            w = w * np.minimum(1, 0.8 / np.linalg.norm(w, axis=1, keepdims=True))
        assert np.allclose(got[i].numpy(), w, atol=1e-12)


def test_by_hand():
    session = begin(MaxNorm(2.5), [torch.tensor([[3.0, 4.0], [0.3, 0.4]])], lambda p: torch.optim.SGD(p, lr=1.0))
    (after,) = advance(session, [torch.zeros(2, 2)])
    assert after.flatten().tolist() == pytest.approx([1.5, 2.0, 0.3, 0.4])


def test_filters_have_one_norm_each_and_zero_stays_zero():
    w = torch.ones(2, 3, 2, 2)
    w[1] = 0
    limited = w * factor(w, torch.tensor(1.0))
    assert float(limited[0].norm()) == pytest.approx(1.0)
    assert torch.equal(limited[1], torch.zeros(3, 2, 2))


def test_two_rules_for_one_norm_are_refused():
    with pytest.raises(RecipeError, match="MaxNorm"):
        Recipe(MaxNorm(), FixedNorm())
