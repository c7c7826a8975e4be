import torch

from temperance import WeightDecay
from temperance.testing.driven import Driven, advance, begin, drive, moving, waves


def test_the_gradient_is_what_the_test_says():
    session = begin(WeightDecay(0.0), waves(), lambda p: torch.optim.SGD(p, lr=1.0))
    gradients = moving(3, waves())
    for after, before, g in zip(advance(session, gradients), waves(), gradients, strict=True):
        assert torch.allclose(after, before - g, atol=1e-14)


def test_drive_repeats_advance():
    def sgd(p):
        return torch.optim.SGD(p, lr=0.1)

    one, two = (begin(WeightDecay(0.0), waves(), sgd) for _ in range(2))
    for t in range(3):
        advance(one, moving(t, one.model.weights()))
    for a, b in zip(one.model.weights(), drive(two, moving, 3), strict=True):
        assert torch.equal(a, b)
    assert [w.shape for w in Driven(*waves()).weights()] == [(4, 3), (2, 4)]
