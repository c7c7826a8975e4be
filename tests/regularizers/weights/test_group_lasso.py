import numpy as np
import pytest
import torch

from temperance import GroupLasso, Recipe
from temperance.records.errors import SettingError
from temperance.regularizers.weights.group_lasso import kept
from temperance.testing.driven import advance, begin, drive, moving, waves


@pytest.mark.parametrize("groups", ["inputs", "outputs"])
def test_equals_the_proximal_step(groups):
    session = begin(GroupLasso(0.05, groups=groups), waves(), lambda p: torch.optim.SGD(p, lr=0.1))
    got = drive(session, moving, 20)
    axis = 0 if groups == "inputs" else 1  # NumPy: the axis that a group runs along
    for i, w in enumerate(t.numpy().copy() for t in waves()):
        for t in range(20):
            w = w - 0.1 * moving(t, [torch.from_numpy(w)])[0].numpy()
            norm = np.linalg.norm(w, axis=axis, keepdims=True)
            w = w * np.maximum(0, 1 - 0.1 * 0.05 * np.sqrt(w.shape[axis]) / norm)
        assert np.allclose(got[i].numpy(), w, atol=1e-12)


def test_it_minimizes_the_penalty():
    """The proximal point beats its neighbours in ½‖x − w‖² + cut·√p·Σ‖x_G‖."""
    w = waves()[0]
    best = w * kept(w, 0.2, 1)

    def value(x):
        return 0.5 * ((x - w) ** 2).sum() + 0.2 * 4**0.5 * x.norm(dim=0).sum()

    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        near = best + 1e-3 * torch.randn(4, 3, generator=generator, dtype=torch.float64)
        assert value(best) <= value(near)


def test_by_hand_and_exact_zeros():
    """Columns (3, 4) and (0.1, 0.1); cut 1·√2: the first keeps 1 − √2/5, the second vanishes."""
    session = begin(GroupLasso(1.0), [torch.tensor([[3.0, 0.1], [4.0, 0.1]])], lambda p: torch.optim.SGD(p, lr=1.0))
    (after,) = advance(session, [torch.zeros(2, 2)])
    left = 1 - 2**0.5 / 5
    assert after.flatten().tolist() == pytest.approx([3 * left, 0, 4 * left, 0], rel=1e-6)
    assert torch.equal(after[:, 1], torch.zeros(2))


def test_convolutions_are_grouped_by_channel():
    w = torch.ones(4, 3, 2, 2)
    w[:, 1] *= 0.01
    shrunk = w * kept(w, 0.1, 1)
    assert torch.equal(shrunk[:, 1], torch.zeros(4, 2, 2))
    assert bool((shrunk[:, 0] > 0).all())


def test_useless_inputs_drop_out():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(256, 6, generator=generator)
    y = x[:, :2] @ torch.tensor([[1.0], [-2.0]])
    model = torch.nn.Linear(6, 1)
    session = Recipe(GroupLasso(0.2)).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.05), loss=torch.nn.functional.mse_loss
    )
    for _ in range(300):
        session.step((x, y))
    assert torch.equal(model.weight[0, 2:], torch.zeros(4))
    assert bool((model.weight[0, :2].abs() > 0.5).all())


def test_other_groups_are_refused():
    with pytest.raises(SettingError, match="groups"):
        GroupLasso(groups="rows")
