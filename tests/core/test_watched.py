"""Operations are seen one by one, and torch's compiler stays unloaded."""

import subprocess
import sys

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from temperance.core.watched import Watched
from temperance.training.price import flops_per_row

PROGRAM = """
import sys
import torch
from torch import nn
from temperance.deployment.aten import RULES
from temperance.deployment.aten.tape import record
from temperance.training.price import flops_per_row
net = nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.LayerNorm(4)).eval()
assert flops_per_row(net, torch.ones(1, 3)) == 24
record(net, lambda rows: ((torch.ones(rows, 3),), {}), set(RULES))
sys.exit("torch._dynamo" in sys.modules)
"""


class Names(Watched):
    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(func._overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


def test_every_operation_is_seen():
    with torch.no_grad(), Names() as seen:
        nn.functional.relu(torch.ones(2, 3) @ torch.ones(3, 1))
    assert seen.names[-2:] == ["mm", "relu"]


def test_a_net_is_drawn_and_counted_without_the_compiler():
    assert subprocess.run([sys.executable, "-c", PROGRAM], check=False).returncode == 0


def test_operations_are_counted_as_torch_counts_them():
    body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5), nn.LayerNorm(5))
    row = torch.ones(1, 3, 6, 6)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        body.eval()(row)
    assert flops_per_row(body, row) == counter.get_total_flops() > 0
