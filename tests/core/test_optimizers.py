import pytest
import torch

from temperance.core.leaves import Leaves
from temperance.core.optimizers import SGD, AdamW, largest_rate, require_functional
from temperance.records.errors import SettingError
from temperance.testing.problems import PROBLEMS

PAIRS = [
    (AdamW(lr=3e-3), lambda p: torch.optim.AdamW(p, lr=3e-3, weight_decay=0)),
    (SGD(lr=0.1), lambda p: torch.optim.SGD(p, lr=0.1)),
    (SGD(lr=0.1, momentum=0.9), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
    (SGD(lr=0.1, momentum=0.9, nesterov=True), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True)),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=[repr(a) for a, _ in PAIRS])
def test_equals_torchs_over_30_steps(ours, theirs):
    problem = PROBLEMS["mlp"]
    model = problem.model(torch.float64)
    reference = theirs(model.parameters())
    params = Leaves.of({n: p.detach().clone() for n, p in model.named_parameters()})
    state = ours.begin(params)
    for number in range(30):
        batch = problem.batch(number, torch.float64)
        reference.zero_grad()
        problem.loss(model(batch.inputs), batch.targets).mean().backward()
        grads = Leaves.of({n: p.grad.clone() for n, p in model.named_parameters()})
        params, state = ours.step(params, grads, state, ours.lr)
        reference.step()
    for name, p in model.named_parameters():
        torch.testing.assert_close(params[name], p.detach(), rtol=1e-12, atol=1e-14)


def test_torchs_optimizers_are_refused():
    with pytest.raises(SettingError, match=r"torch.optim goes with Recipe.attach"):
        require_functional(torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1))


def test_the_largest_rate_is_that_of_the_schedules_top():
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.4)
    torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.4, total_steps=10)
    assert optimizer.param_groups[0]["lr"] < largest_rate(optimizer) == 0.4
