import pytest
import torch

from temperance import CorrectedDecay, WeightDecay
from temperance.records.errors import SettingError
from temperance.testing.driven import advance, begin, drive, moving, waves


def adam(p):
    return torch.optim.Adam(p, lr=1e-2)


def test_at_a_constant_rate_it_is_decoupled_decay():
    ends = [drive(begin(one, waves(), adam), moving, 30) for one in (CorrectedDecay(0.5), WeightDecay(0.5))]
    for a, b in zip(*ends, strict=True):
        assert torch.allclose(a, b, atol=1e-14)


@pytest.mark.parametrize("layers", ["hidden", "all"])
def test_the_law_is_exact_along_a_schedule(layers):
    """With no gradient: hidden w ← Π(1 − λη_t²/η_max)·w, output w ← Π(1 − λη_t)·w."""
    session = begin(CorrectedDecay(0.5, layers=layers), waves(), lambda p: torch.optim.SGD(p, lr=0.1))
    expected = waves()
    for t in range(10):
        eta = 0.1 * (1 - t / 10)
        session.optimizer.param_groups[0]["lr"] = eta
        advance(session, [torch.zeros_like(w) for w in expected])
        corrected = 1 - 0.5 * eta * eta / 0.1
        expected = [w * corrected if i == 0 or layers == "all" else w * (1 - 0.5 * eta) for i, w in enumerate(expected)]
    for a, b in zip(session.model.weights(), expected, strict=True):
        assert torch.allclose(a, b, atol=1e-14)


def test_parameter_groups_have_peaks_of_their_own():
    session = begin(
        CorrectedDecay(0.5, layers="all"),
        waves(),
        lambda ps: torch.optim.SGD([{"params": [p], "lr": lr} for p, lr in zip(ps, (0.1, 0.2), strict=True)]),
    )
    after = advance(session, [torch.zeros_like(w) for w in waves()])
    for a, w, lr in zip(after, waves(), (0.1, 0.2), strict=True):
        assert torch.allclose(a, w * (1 - 0.5 * lr), atol=1e-14)


def test_a_rate_of_zero_takes_nothing():
    session = begin(CorrectedDecay(0.5), waves(), lambda p: torch.optim.SGD(p, lr=0.0))
    for a, w in zip(drive(session, moving, 2), waves(), strict=True):
        assert torch.equal(a, w)


def test_other_layers_are_refused():
    with pytest.raises(SettingError, match="layers"):
        CorrectedDecay(layers="first")
