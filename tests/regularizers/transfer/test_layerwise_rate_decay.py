"""Layer-wise rates: what parameter groups written by hand do, with any optimizer, scheduler and decay."""

import pytest
import torch
from torch import nn

from temperance import EMA, LayerwiseRateDecay, Recipe, WeightDecay
from temperance.records.errors import RecipeError
from temperance.testing.problems import PROBLEMS

DECAY, STEPS = 0.7, 12
PROBLEM = PROBLEMS["transformer"]
DEPTHS = {"entry": 3, "blocks.0": 2, "blocks.1": 1, "head": 0}
OPTIMIZERS = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "coupled decay": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=3e-3, weight_decay=0.1),
    "one tensor at a time": lambda p: torch.optim.AdamW(p, lr=3e-3, weight_decay=0.1, foreach=False),
    "rate in a tensor": lambda p: torch.optim.AdamW(p, lr=torch.tensor(3e-3, dtype=torch.float64), weight_decay=0.1),
    "RMSprop": lambda p: torch.optim.RMSprop(p, lr=3e-3, momentum=0.5, eps=1e-4),
}


def depth(name: str) -> int:
    return next(d for part, d in DEPTHS.items() if name.startswith(f"{part}."))


def by_hand(make) -> dict[str, torch.Tensor]:
    """Train with a group for each layer and a schedule for each rate."""
    model = PROBLEM.model(torch.float64).train()
    optimizer = make([{"params": [p for n, p in model.named_parameters() if depth(n) == d]} for d in DEPTHS.values()])
    for group, d in zip(optimizer.param_groups, DEPTHS.values(), strict=True):
        group["lr"] = group["lr"] * DECAY**d
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, warm_and_down)
    for number in range(STEPS):
        batch = PROBLEM.batch(number, torch.float64)
        optimizer.zero_grad()
        PROBLEM.loss(model(batch.inputs), batch.targets).mean().backward()
        optimizer.step()
        scheduler.step()
    return {n: p.detach() for n, p in model.named_parameters()}


def ours(recipe: Recipe, make, groups=None) -> tuple[dict[str, torch.Tensor], torch.optim.Optimizer]:
    model = PROBLEM.model(torch.float64).train()
    optimizer = make(model.parameters() if groups is None else groups(model))
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, warm_and_down)
    session = recipe.attach(model, optimizer, loss=PROBLEM.loss, scheduler=scheduler)
    for number in range(STEPS):
        session.step(PROBLEM.batch(number, torch.float64))
        scheduler.step()
    return {n: p.detach() for n, p in model.named_parameters()}, optimizer


def warm_and_down(step: int) -> float:
    return min(1.0, (step + 1) / 4) * (1 - step / (2 * STEPS))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_equals_groups_by_hand_under_a_schedule(name) -> None:
    got, optimizer = ours(Recipe(LayerwiseRateDecay(DECAY)), OPTIMIZERS[name])
    assert_close(got, by_hand(OPTIMIZERS[name]))
    assert len(optimizer.param_groups) == 1  # the user's own


def test_decay_of_the_recipe_goes_with_the_rates() -> None:
    recipe = Recipe(LayerwiseRateDecay(DECAY), WeightDecay(0.1, policy="all"))
    got, _ = ours(recipe, lambda p: torch.optim.AdamW(p, lr=3e-3, weight_decay=0.0))
    assert_close(got, by_hand(OPTIMIZERS["AdamW"]))


def test_groups_of_the_user_keep_their_ratio_and_what_the_step_writes_in_them() -> None:
    class Counting(torch.optim.SGD):
        def step(self, closure=None):
            for group in self.param_groups:
                group["count"] = group.get("count", 0) + 1
            return super().step(closure)

    def counting(groups):
        return Counting(groups, lr=0.05)

    def split(model):
        return [{"params": list(model.head.parameters()), "lr": 0.5}, {"params": list(model.blocks.parameters())}]

    got, optimizer = ours(Recipe(LayerwiseRateDecay(DECAY)), counting, split)
    assert [group["count"] for group in optimizer.param_groups] == [STEPS, STEPS]
    start = dict(PROBLEM.model(torch.float64).named_parameters())
    assert torch.equal(got["entry.weight"], start["entry.weight"])  # the optimizer does not hold it
    assert not torch.equal(got["head.weight"], start["head.weight"])


def test_the_step_of_each_layer_by_hand() -> None:
    """SGD: Δw = −η·γ^d·g. Three layers, every gradient 1: 0.1·0.25, 0.1·0.5, 0.1."""
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    for layer in model:
        nn.init.ones_(layer.weight)
    session = Recipe(LayerwiseRateDecay(0.5)).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.1), loss=lambda out, y: out.squeeze(1)
    )
    session.step((torch.ones(1, 1), torch.zeros(1)))
    assert [layer.weight.item() for layer in model] == pytest.approx([0.975, 0.95, 0.9])


def test_a_moved_strength_acts_at_once_and_averages_see_the_steps() -> None:
    session = Recipe(LayerwiseRateDecay(0.3), EMA(0.5)).attach(
        (model := PROBLEM.model()), torch.optim.SGD(model.parameters(), lr=0.1), loss=PROBLEM.loss
    )
    session.set_strength("layerwise_rate_decay.decay", 1.0)
    session.step(PROBLEM.batch(0))
    plain = Recipe(EMA(0.5)).attach(
        (other := PROBLEM.model()), torch.optim.SGD(other.parameters(), lr=0.1), loss=PROBLEM.loss
    )
    plain.step(PROBLEM.batch(0))
    for name, w in session.served.items():
        assert torch.equal(w, plain.served[name])


def test_a_fault_in_the_step_leaves_the_groups() -> None:
    model = PROBLEM.model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = Recipe(LayerwiseRateDecay()).attach(model, optimizer, loss=PROBLEM.loss)
    groups = list(optimizer.param_groups)

    def broken(closure=None):
        raise RuntimeError("no")

    optimizer.step = broken
    with pytest.raises(RuntimeError, match="no"):
        session.step(PROBLEM.batch(0))
    assert optimizer.param_groups == groups


def test_a_head_that_joins_later_is_the_top() -> None:
    model = PROBLEM.model()
    model.head.requires_grad_(False)
    optimizer = torch.optim.SGD([*model.entry.parameters(), *model.blocks.parameters()], lr=0.1)
    session = Recipe(LayerwiseRateDecay(0.5)).attach(model, optimizer, loss=PROBLEM.loss)
    session.step(PROBLEM.batch(0))
    model.head.requires_grad_(True)
    optimizer.add_param_group({"params": list(model.head.parameters()), "lr": 0.2})
    before = model.head.bias.detach().clone()
    with pytest.warns(UserWarning, match="more parameters are trained"):
        session.step(PROBLEM.batch(1))
    assert torch.allclose(model.head.bias, before - 0.2 * model.head.bias.grad, atol=1e-7)


def test_where_no_order_is_seen_it_says_so_and_takes_one() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x):
            return self.b(self.a(x))

    def attach(one):
        return Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=nn.MSELoss())

    model = Two()
    with pytest.raises(RecipeError, match=r"LayerwiseRateDecay\(order="):
        attach(LayerwiseRateDecay())
    with pytest.raises(RecipeError, match="1 layer"):
        attach(LayerwiseRateDecay(order=("*",)))
    assert attach(LayerwiseRateDecay(order=("a*", "b*")))._memory["layerwise_rate_decay"].plan["a.weight"] == 1


def assert_close(one, other) -> None:
    for name in other:
        torch.testing.assert_close(one[name], other[name], rtol=1e-12, atol=1e-12, msg=name)
