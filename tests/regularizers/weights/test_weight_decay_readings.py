"""Readings of weight decay: timescale, angle and norm at equilibrium, against random gradients."""

import pytest
import torch

from temperance import Recipe, WeightDecay
from temperance.core.kit.equilibrium import equilibrium_norm, settling_steps
from temperance.testing.driven import advance, begin


def test_timescale_round_trips():
    decay = WeightDecay(0.05)
    assert decay.timescale_epochs(lr=1e-2, steps_per_epoch=100) == pytest.approx(20.0)
    assert WeightDecay(timescale=20.0).timescale_epochs(lr=1e-2, steps_per_epoch=100) == 20.0
    same = WeightDecay(timescale=20.0).equilibrium_angle(lr=1e-2, steps_per_epoch=100)
    assert same == pytest.approx(decay.equilibrium_angle(lr=1e-2))


def test_a_timescale_at_attach_gives_the_rate():
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-2)
    session = Recipe(WeightDecay(timescale=20.0)).attach(
        model, optimizer, loss=torch.nn.functional.mse_loss, steps_per_epoch=100
    )
    assert session.strengths["weight_decay.rate"] == pytest.approx(0.05)


@pytest.mark.parametrize(("lr", "rate", "momentum"), [(2e-3, 2.0, 0.9), (3e-3, 1.0, 0.8)])
def test_random_gradients_turn_weights_by_the_predicted_angle(lr, rate, momentum):
    """Ten e-foldings, then 400 steps: the mean angle within 1 %, the norm within 3 %."""
    size = 4000
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(1, size, generator=generator)
    start *= 2.0 * equilibrium_norm(lr, rate, size) / start.norm()
    session = begin(WeightDecay(rate), [start], lambda p: torch.optim.Adam(p, lr=lr, betas=(momentum, 0.999)))
    angles, norms, before = [], [], start
    steps = int(settling_steps(lr, rate, 10)) + 400
    for t in range(steps):
        (after,) = advance(session, [torch.randn(1, size, generator=generator)])
        if t >= steps - 400:
            cosine = torch.nn.functional.cosine_similarity(before.double(), after.double())
            angles.append(torch.arccos(cosine))
            norms.append(after.norm())
        before = after.clone()
    predicted = WeightDecay(rate).equilibrium_angle(lr=lr, momentum=momentum)
    assert float(torch.stack(angles).mean()) == pytest.approx(predicted, rel=0.01)
    assert float(torch.stack(norms).mean()) == pytest.approx(equilibrium_norm(lr, rate, size), rel=0.03)
