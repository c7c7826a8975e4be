import pytest
import torch

from temperance import AWD
from temperance.records.errors import SettingError
from temperance.testing.driven import advance, begin, drive, moving, waves


def sgd(p):
    return torch.optim.SGD(p, lr=0.05)


def reference(scale=1.0, rate=0.3, steps=30):
    """Algorithm 1 under SGD: λ̄ = 0.1λ̄ + 0.9λ‖g‖/‖w‖, w ← w − η(g + λ̄w)."""
    weights, bar, bars = waves(), 0.0, []
    for t in range(steps):
        gradients = [scale * g for g in moving(t, weights)]
        norm = [torch.cat([x.flatten() for x in xs]).norm() for xs in (gradients, weights)]
        bar = 0.1 * bar + 0.9 * rate * float(norm[0] / norm[1])
        weights = [w - 0.05 * (g + bar * w) for w, g in zip(weights, gradients, strict=True)]
        bars.append(bar)
    return weights, bars


def test_equals_the_published_algorithm_under_sgd():
    session, (expected, bars) = begin(AWD(0.3), waves(), sgd), reference()
    trace = []
    for t in range(30):
        weights = advance(session, moving(t, session.model.weights()))
        trace.append(0.3 * float(session._memory["awd"]["ratio"]))
    assert trace == pytest.approx(bars, rel=1e-10)
    for a, b in zip(weights, expected, strict=True):
        assert torch.allclose(a, b, atol=1e-12)


def test_by_hand():
    """w = 2, g = 4, λ = 0.5: r = 0.9·2 = 1.8, w ← (1 − 0.01·0.9)·2 − 0.01·4."""
    session = begin(AWD(0.5), [torch.full((1, 1), 2.0)], lambda p: torch.optim.SGD(p, lr=0.01))
    assert float(advance(session, [torch.full((1, 1), 4.0)])[0]) == pytest.approx(1.982 - 0.04, rel=1e-6)


def test_a_loss_c_times_as_large_decays_c_times_as_fast():
    one, two = (begin(AWD(0.3), waves(), sgd) for _ in range(2))
    advance(one, moving(0, waves()))
    advance(two, [3.0 * g for g in moving(0, waves())])
    assert float(two._memory["awd"]["ratio"]) == pytest.approx(3 * float(one._memory["awd"]["ratio"]))


def test_one_step_takes_a_tenth_at_most():
    session = begin(AWD(1.0), [torch.full((1, 1), 1e-3)], lambda p: torch.optim.Adam(p, lr=1e-9))
    (after,) = advance(session, [torch.full((1, 1), 1e9)])
    assert float(after) == pytest.approx(0.9e-3, rel=1e-4)


def test_weights_end_smaller():
    plain, decayed = (begin(AWD(rate), waves(), sgd) for rate in (0.0, 0.5))
    sizes = [sum(float(w.norm()) for w in drive(one, moving, 200)) for one in (plain, decayed)]
    assert sizes[1] < sizes[0]


def test_wrong_smoothing_is_refused():
    with pytest.raises(SettingError, match="smoothing"):
        AWD(smoothing=1.0)
