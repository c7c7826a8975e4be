import math

import pytest
import torch

from temperance.evaluation.adversarial import losses

Z = torch.tensor([[3.0, 1.0, 0.5, -1.0], [0.0, 2.0, 5.0, 1.0]])
Y = torch.tensor([0, 1])


def test_by_hand():
    assert losses.margin(Z, Y).tolist() == [-2.0, 3.0]
    assert losses.difference_ratio(Z, Y).tolist() == pytest.approx([-2 / 2.5, 3 / 4])
    target = torch.tensor([2, 3])
    assert losses.targeted_margin(Z, Y, target).tolist() == [-2.5, -1.0]
    assert losses.targeted_ratio(Z, Y, target).tolist() == pytest.approx([-2.5 / 3.25, -1 / 4.5])
    pair = torch.stack([Y, target], dim=1)
    assert losses.by_pair(losses.targeted_margin)(Z, pair).tolist() == [-2.5, -1.0]
    assert losses.cross_entropy(Z[:1], Y[:1]).item() == pytest.approx(
        math.log(sum(math.exp(z) for z in (3, 1, 0.5, -1))) - 3
    )


def test_two_classes_have_a_margin_and_no_error():
    z, y = torch.tensor([[1.0, 4.0]]), torch.tensor([1])
    assert losses.difference_ratio(z, y).item() == -3
    assert losses.targeted_ratio(z, y, torch.tensor([0])).item() == -3
    assert losses.targeted_ratio(Z[:, :3], Y, torch.tensor([1, 2])).tolist() == pytest.approx([-2 / 2.5, 3 / 5])


def test_ratios_do_not_know_the_scale_and_the_scaled_entropy_keeps_a_slope():
    for one in (losses.difference_ratio(Z, Y), losses.difference_ratio(1000 * Z + 7, Y)):
        torch.testing.assert_close(one, losses.difference_ratio(Z, Y), atol=1e-5, rtol=1e-4)
    loud = (1000 * Z).requires_grad_()
    plain = torch.autograd.grad(losses.cross_entropy(loud, torch.tensor([0, 2])).sum(), loud)[0]
    scaled = torch.autograd.grad(losses.ScaledEntropy(loud.detach())(loud, torch.tensor([0, 2])).sum(), loud)[0]
    assert (plain == 0).all()
    assert (scaled.abs().amax(dim=1) > 0).all()
    assert losses.ScaledEntropy(Z).scale == 1.0
