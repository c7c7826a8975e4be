import functools
import warnings
from types import SimpleNamespace

import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from temperance.core.leaves import Leaves
from temperance.core.optimizers import SGD, AdamW, largest_rate, require_functional, step_as_it_is, step_at
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


@pytest.mark.parametrize("ours", [a for a, _ in PAIRS], ids=repr)
def test_a_list_of_rates_is_one_for_each_leaf(ours):
    params = Leaves(("a", "b"), [torch.ones(2), torch.ones(2)])
    grads = params.map(lambda w: 0.5 * w)
    both, _ = ours.step(params, grads, ours.begin(params), [0.1, 0.2])
    for name, rate in (("a", 0.1), ("b", 0.2)):
        alone, _ = ours.step(params, grads, ours.begin(params), rate)
        assert torch.equal(both[name], alone[name])


def test_a_step_at_other_rates_is_that_of_divided_groups_and_leaves_them_whole():
    weights = [torch.ones(2, requires_grad=True) for _ in range(3)]
    optimizer = torch.optim.SGD([{"params": weights[:2]}, {"params": weights[2:], "lr": 1.0}], lr=0.1)
    for w in weights:
        w.grad = torch.ones(2)
    groups = list(optimizer.param_groups)
    step_at(optimizer, weights[:2], [0.1, 0.05])  # the third is no leaf: its group's rate
    assert [float(w[0].detach()) for w in weights] == pytest.approx([0.9, 0.95, 0.0])
    assert all(a is b for a, b in zip(optimizer.param_groups, groups, strict=True))
    assert [group["lr"] for group in groups] == [0.1, 1.0]


def _steps(optimizer, weight):
    weight.grad = torch.ones_like(weight)
    step_as_it_is(optimizer)


def test_a_step_without_torchs_label_moves_the_weights_as_one_with_it():
    for kind in (torch.optim.SGD, torch.optim.AdamW, torch.optim.Adagrad):
        one, two = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
        ours, plain = kind([one], lr=0.1), kind([two], lr=0.1)
        for _ in range(3):
            one.grad, two.grad = torch.ones(3), torch.ones(3)
            step_as_it_is(ours)
            plain.step()
        assert torch.equal(one, two)
        assert not torch.equal(one, torch.ones(3))


def test_hooks_schedulers_and_the_profiler_are_not_passed_over():
    weight = torch.ones(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.1)
    seen = []
    handles = [
        optimizer.register_step_pre_hook(lambda *_: seen.append("before")),
        optimizer.register_step_post_hook(lambda *_: seen.append("after")),
        register_optimizer_step_pre_hook(lambda *_: seen.append("all before")),
        register_optimizer_step_post_hook(lambda *_: seen.append("all after")),
    ]
    for handle in handles:
        _steps(optimizer, weight)
        handle.remove()
    assert sorted(seen) == ["after"] * 2 + ["all after"] * 4 + ["all before"] * 3 + ["before"]
    seen.clear()
    _steps(optimizer, weight)
    assert seen == []
    with torch.profiler.profile() as profiler:
        _steps(optimizer, weight)
    assert any("Optimizer.step#SGD" in row.key for row in profiler.key_averages())
    torch.optim.lr_scheduler.StepLR(optimizer, 1)
    before = optimizer.step

    def counted(*given):
        seen.append("step")
        return before(*given)

    optimizer.step = counted
    _steps(optimizer, weight)
    assert seen == ["step"]


def test_a_step_counts_for_torchs_schedulers():
    weight = torch.ones(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    _steps(optimizer, weight)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")  # torch warns where it saw no step before the scheduler's
        scheduler.step()
    assert told == []


def test_what_only_acts_like_an_optimizer_is_asked_to_step():
    asked = []
    step_as_it_is(SimpleNamespace(step=lambda: asked.append(1)))
    assert asked == [1]


def test_a_step_of_the_users_own_is_called_also_where_it_was_wrapped_as_torchs(monkeypatch):
    torch.optim.SGD([torch.ones(1, requires_grad=True)])  # the first one hooks the class
    asked = []

    class Counting(torch.optim.SGD):
        @functools.wraps(torch.optim.SGD.step)
        def step(self, closure=None):
            asked.append("subclass")
            return super().step(closure)

    before = torch.optim.SGD.step

    @functools.wraps(before)
    def logged(self, *given):
        asked.append("patched")
        return before(self, *given)

    weight = torch.ones(1, requires_grad=True)
    step_as_it_is(Counting([weight], lr=0.1))
    monkeypatch.setattr(torch.optim.SGD, "step", logged)
    step_as_it_is(torch.optim.SGD([weight], lr=0.1))
    assert asked == ["subclass", "patched"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_hooks_that_move_the_rate_do_so_beside_rates_by_leaf(when):
    def halved(optimizer, *_):
        optimizer.param_groups[0]["lr"] *= 0.5

    def register(optimizer):
        name = "register_step_pre_hook" if when == "before" else "register_step_post_hook"
        getattr(optimizer, name)(halved)

    weights = [torch.ones(2, requires_grad=True) for _ in range(2)]
    optimizer = torch.optim.SGD(weights, lr=0.1)
    register(optimizer)
    twins = [torch.ones(2, requires_grad=True) for _ in range(2)]
    by_hand = torch.optim.SGD([{"params": [twins[0]], "lr": 0.05}, {"params": [twins[1]], "lr": 0.1}])
    rate = 0.1
    for _ in range(3):
        for w in (*weights, *twins):
            w.grad = torch.ones(2)
        step_at(optimizer, weights, [0.5 * rate, rate])
        scale = 0.5 if when == "before" else 1.0
        for group, share in zip(by_hand.param_groups, (0.5, 1.0), strict=True):
            group["lr"] = share * rate * scale
        by_hand.step()
        rate *= 0.5
        assert optimizer.param_groups[0]["lr"] == rate
    assert len(optimizer.param_groups) == 1
    assert all(torch.allclose(w, twin) for w, twin in zip(weights, twins, strict=True))
    assert len(optimizer._optimizer_step_pre_hooks) + len(optimizer._optimizer_step_post_hooks) == 1
