import numpy as np
import pytest
import torch

from temperance import CPR
from temperance.records.errors import SettingError
from temperance.testing.driven import advance, begin, drive, moving, waves

# First row of each weight after 300 steps of the authors' AdamCPR (automl/CPR, commit 82843ea, foreach path, l2,
# lr 0.01) on `waves` under `moving`; obtained on torch 2.13. Only this path and these three rules are usable.
AUTHORS = {
    ("uniform", 1.5, None): ([0.086980901, -0.020744392, -0.100784748], [0.099673967, -0.015118355, -0.112573884]),
    ("dependent", 0.8, None): ([0.088345652, 0.069522204, -0.007131865], [0.175927404, 0.032743929, -0.143606848]),
    ("warm_start", 1.0, 50): ([0.088409699, 0.113041799, 0.040683484], [0.215613597, 0.057909425, -0.15645632]),
}


def adam(p):
    return torch.optim.Adam(p, lr=0.01)


@pytest.mark.parametrize(("rule", "bound", "start"), list(AUTHORS))
def test_equals_the_authors_code(rule, bound, start):
    session = begin(CPR(bound, rule=rule, start=start), waves(), adam)
    for got, expected in zip(drive(session, moving, 300), AUTHORS[rule, bound, start], strict=True):
        assert torch.allclose(got.flatten()[:3], torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-6)


SIZE = {
    "l2": lambda w: (w**2).sum(),
    "l1": lambda w: np.abs(w).sum(),
    "std": lambda w: w.std(ddof=1),
    "huber": lambda w: np.where(np.abs(w) < 1, w**2 / 2, np.abs(w) - 0.5).sum(),
}
SLOPE = {
    "l2": lambda w: 2 * w,
    "l1": np.sign,
    "std": lambda w: (w - w.mean()) / ((w.size - 1) * w.std(ddof=1)),
    "huber": lambda w: np.where(np.abs(w) < 1, w, np.sign(w)),
}


@pytest.mark.parametrize("measure", list(SIZE))
def test_equals_the_published_formula(measure):
    """NumPy float64, plain SGD, κ from the start: W ← W − μ∇R(W), μ ← max(0, μ + β(R − cκ))."""
    session = begin(CPR(0.7, rule="dependent", measure=measure), waves(), lambda p: torch.optim.SGD(p, lr=0.01))
    got = drive(session, moving, 40)
    for i, w in enumerate(t.numpy().copy() for t in waves()):
        kappa, push = SIZE[measure](w), 0.0
        for t in range(40):
            w -= 0.01 * moving(t, [torch.from_numpy(w)])[0].numpy()
            push = max(0.0, push + (SIZE[measure](w) - 0.7 * kappa) / (1 if measure == "std" else w.size))
            w -= push * SLOPE[measure](w)
        assert np.allclose(got[i].numpy(), w, atol=1e-12)


@pytest.mark.parametrize("measure", ["l1", "l2", "std", "huber"])
def test_the_slope_is_the_gradient_of_the_size(measure):
    from temperance.regularizers.weights.cpr import MEASURES

    size, slope = MEASURES[measure]
    for w in waves():
        leaf = (2 * w).requires_grad_()
        (expected,) = torch.autograd.grad(size(leaf), leaf)
        assert torch.allclose(slope(leaf.detach()), expected, atol=1e-12)


def test_by_hand():
    """One weight of 2, bound 3: R = 4, μ = 1, W ← 2·(1 − 2·1) would pass zero, so it stops there."""
    session = begin(CPR(3.0, rule="uniform"), [torch.full((1, 1), 2.0)], lambda p: torch.optim.SGD(p, lr=1.0))
    assert float(advance(session, [torch.zeros(1, 1)])[0]) == 0.0
    session = begin(CPR(3.9, rule="uniform"), [torch.full((1, 1), 2.0)], lambda p: torch.optim.SGD(p, lr=1.0))
    assert float(advance(session, [torch.zeros(1, 1)])[0]) == pytest.approx(2 * (1 - 0.2), rel=1e-6)


def test_without_a_bound_it_is_adam():
    with_it = drive(begin(CPR(float("inf"), rule="dependent"), waves(), adam), moving, 50)
    model = begin(CPR(float("inf")), waves(), adam).model
    optimizer = adam(model.parameters())
    for t in range(50):
        for p, g in zip(model.parameters(), moving(t, model.weights()), strict=True):
            p.grad = g
        optimizer.step()
    for a, b in zip(with_it, model.weights(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("measure", ["l1", "l2", "std", "huber"])
def test_the_bound_holds_after_400_steps(measure):
    from temperance.regularizers.weights.cpr import MEASURES

    generator = torch.Generator().manual_seed(0)
    start = [0.1 * torch.randn(20, 20, generator=generator, dtype=torch.float64)]
    far = 2 * torch.randn(20, 20, generator=generator, dtype=torch.float64)
    session = begin(CPR(0.8, rule="dependent", measure=measure), start, lambda p: torch.optim.Adam(p, lr=1e-3))
    kappa = 0.8 * float(MEASURES[measure][0](start[0]))
    sizes = []
    for t in range(600):
        (w,) = advance(session, [session.model.weights()[0] - far])
        assert float(session._memory["cpr"]["push"].min()) >= 0
        if t >= 400:
            sizes.append(float(MEASURES[measure][0](w)))
    assert sum(sizes) / len(sizes) <= 1.05 * kappa


def test_warm_start_waits():
    session = begin(CPR(rule="warm_start", start=3), waves(), adam)
    drive(session, moving, 2)
    assert bool(torch.isinf(session._memory["cpr"]["kappa"]).all())
    weights = drive(session, moving, 1)
    expected = torch.stack([torch.sum(w * w) for w in weights])
    assert torch.allclose(session._memory["cpr"]["kappa"], expected)


def test_the_inflection_point_is_where_growth_slows_down():
    """‖W‖² = 1/(1 + e^(−(t − 300)/40)) bends at t = 300; smoothing may find it some looks later, never before."""
    session = begin(CPR(rule="inflection_point", start=10), [torch.ones(1, 1)], lambda p: torch.optim.SGD(p, lr=1.0))

    def size(t):
        return (1 / (1 + torch.exp(torch.tensor(-(t - 300) / 40.0, dtype=torch.float64)))) ** 0.5

    found = None
    for t in range(1, 700):
        (w,) = session.model.weights()
        advance(session, [w - size(t)])
        if found is None and bool(torch.isfinite(session._memory["cpr"]["kappa"]).all()):
            found = t
    assert found is not None
    assert 300 <= found <= 450
    assert float(session._memory["cpr"]["kappa"]) == pytest.approx(float(size(found)) ** 2, rel=1e-5)


@pytest.mark.parametrize("wrong", [{"rule": "x"}, {"measure": "x"}, {"start": 0}, {"pace": 0.0}])
def test_unknown_settings_are_refused(wrong):
    with pytest.raises(SettingError, match="CPR got"):
        CPR(**wrong)
