import pytest
import torch

from temperance import SelectiveProjectionDecay
from temperance.testing.driven import advance, begin, drive, moving, waves

# First row of each weight after 20 and 60 steps of the authors' AdamSPD (GT-RIPL/Selective-Projection-Decay, commit
# b377695, lr 1e-2, weight_decay 0.7, `pre` = start) on `waves` under `moving`; obtained on torch 2.13.
AUTHORS = {
    20: [[0.189387814, 1.022041121, 0.925740578], [1.005288364, 0.708971616, -0.286149839]],
    60: [[0.081259676, 0.646452211, 0.64292941], [0.767925157, 0.399371062, -0.370117275]],
}


@pytest.mark.parametrize("steps", list(AUTHORS))
def test_equals_the_authors_code(steps):
    session = begin(SelectiveProjectionDecay(0.7), waves(), lambda p: torch.optim.Adam(p, lr=1e-2))
    for got, expected in zip(drive(session, moving, steps), AUTHORS[steps], strict=True):
        assert torch.allclose(got.flatten()[:3], torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-6)


def moved(gradient, rate=1.0):
    session = begin(
        SelectiveProjectionDecay(rate), [torch.ones(1, 1)], lambda p: torch.optim.SGD(p, lr=1.0, momentum=0.9)
    )
    advance(session, [torch.full((1, 1), -2.0)])  # w = 3, momentum −2
    return float(advance(session, [torch.full((1, 1), gradient)])[0])


def test_by_hand():
    """w₀ = 1, w = 3; g = 0.2 wants back, momentum goes on to 3 + 1.6 = 4.6: r = (3.6 − 2)/3.6, back to 3."""
    assert moved(0.2) == pytest.approx(3.0, rel=1e-6)
    assert moved(0.2, rate=0.5) == pytest.approx(3.8, rel=1e-6)


def test_it_acts_only_where_the_gradient_wants_back():
    assert moved(-0.2) == pytest.approx(3.0 + 2.0, rel=1e-6)
    assert moved(4.0) == pytest.approx(3.0 - 2.2, rel=1e-6)  # already on its way back: r = 0


def test_the_first_step_is_plain():
    session = begin(SelectiveProjectionDecay(1.0), waves(), lambda p: torch.optim.SGD(p, lr=0.1))
    for a, w, g in zip(advance(session, moving(0, waves())), waves(), moving(0, waves()), strict=True):
        assert torch.allclose(a, w - 0.1 * g, atol=1e-15)
