import pytest
import torch

from temperance.core.batch import call
from temperance.testing.problems import CLASSES, PROBLEMS, ROWS


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=list(PROBLEMS))
def test_models_and_batches_are_the_same_each_time(problem):
    before = torch.get_rng_state()
    one, two = problem.model(torch.float64), problem.model(torch.float64)
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(a, b)
    batch = problem.batch(3, torch.float64)
    assert torch.equal(batch.targets, problem.batch(3).targets)
    out = call(one, batch.inputs)
    assert out.shape == (ROWS, 1 if getattr(problem, "numeric", False) else CLASSES)
    assert problem.loss(out, batch.targets).shape == (ROWS,)
    assert torch.equal(before, torch.get_rng_state())
    assert any(getattr(m, "residual_branch", False) for m in one.modules())
