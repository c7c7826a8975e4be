"""Our AdamW: the same steps as torch's, and nothing of its compiler loaded."""

from __future__ import annotations

import copy
import subprocess
import sys

import torch
from torch import nn

from temperance.training.adamw import AdamW


def nets() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    one = nn.Sequential(nn.Linear(5, 7), nn.SiLU(), nn.Linear(7, 3))
    return one, copy.deepcopy(one)


def groups(net: nn.Module) -> list[dict[str, object]]:
    first, _, last = net
    return [{"params": list(first.parameters()), "weight_decay": 0.1}, {"params": list(last.parameters()), "lr": 0.02}]


def test_steps_are_those_of_torch() -> None:
    ours, theirs = nets()
    pair = [
        (ours, AdamW(groups(ours), lr=0.05, betas=(0.9, 0.95))),
        (theirs, torch.optim.AdamW(groups(theirs), lr=0.05, betas=(0.9, 0.95), weight_decay=0.0)),
    ]
    for step in range(20):
        rows = torch.randn(16, 5, generator=torch.Generator().manual_seed(step))
        for net, optimizer in pair:
            optimizer.param_groups[0]["lr"] = 0.05 / (1 + step)
            optimizer.zero_grad()
            net(rows).square().mean().backward()
            optimizer.step()
    start, _ = nets()
    for one, other, before in zip(ours.parameters(), theirs.parameters(), start.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)
        assert (one - before).abs().max() > 1e-3


def test_states_go_from_one_to_the_other() -> None:
    ours, theirs = nets()
    first, second = AdamW(ours.parameters(), lr=0.05), torch.optim.AdamW(theirs.parameters(), lr=0.05, weight_decay=0.0)
    for net, optimizer in ((ours, first), (theirs, second)):
        net(torch.ones(4, 5)).square().mean().backward()
        optimizer.step()
    again = AdamW(ours.parameters(), lr=0.05)
    again.load_state_dict(second.state_dict())
    assert {name for state in again.state.values() for name in state} == {"step", "exp_avg", "exp_avg_sq"}
    for mine, yours in zip(first.state.values(), again.state.values(), strict=True):
        torch.testing.assert_close(mine["exp_avg_sq"], yours["exp_avg_sq"])


def test_what_has_no_gradient_stands_still() -> None:
    ours, before = nets()
    optimizer = AdamW(ours.parameters(), lr=0.05, weight_decay=0.5)
    ours[0].weight.grad = torch.ones_like(ours[0].weight)
    optimizer.step()
    assert torch.equal(ours[2].weight, before[2].weight)
    assert not torch.equal(ours[0].weight, before[0].weight)


def test_a_gradient_with_other_strides_is_read_as_it_lies() -> None:
    weight = nn.Parameter(torch.arange(6.0).reshape(2, 3))
    twin = nn.Parameter(weight.detach().clone())
    weight.grad = torch.arange(1.0, 7.0).reshape(3, 2).t()
    twin.grad = weight.grad.contiguous()
    for one in (weight, twin):
        AdamW([one], lr=0.1).step()
    assert torch.equal(weight, twin)


def test_training_steps_load_no_compiler() -> None:
    code = (
        "import sys, torch; from temperance.training.adamw import AdamW\n"
        "net = torch.nn.Linear(3, 2); optimizer = AdamW(net.parameters())\n"
        "net(torch.ones(4, 3)).sum().backward(); optimizer.step(); optimizer.zero_grad(); optimizer.state_dict()\n"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
