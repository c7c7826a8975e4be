"""Moves, reductions and constants against torch, at batch sizes that were not recorded."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

CASES = {
    "slices and steps": lambda Call: Call(lambda m, x: torch.cat([x[:, 1:4], x[:, ::2], x[:, -1:]], 1)),
    "index": lambda Call: Call(lambda m, x: x[:, torch.tensor([3, 0, 0])]),
    "flip": lambda Call: Call(lambda m, x: x.flip(1)),
    "stack and unbind": lambda Call: Call(lambda m, x: torch.stack(x.unbind(1)[::-1], 1)),
    "chunk": lambda Call: Call(lambda m, x: torch.cat(x.chunk(3, 1)[::-1], 1)),
    "split": lambda Call: Call(lambda m, x: torch.cat(x.split([1, 2, 3], 1)[::-1], 1)),
    "reductions": lambda Call: Call(
        lambda m, x: torch.stack([x.mean(1), x.sum(1), x.amax(1), x.amin(1), x.var(1), x.std(1), x.logsumexp(1)], 1)
    ),
    "norms": lambda Call: Call(lambda m, x: torch.stack([x.norm(dim=1), x.norm(p=1, dim=1)], 1)),
    "normalize": lambda Call: Call(lambda m, x: F.normalize(x, dim=1)),
    "max with index": lambda Call: Call(lambda m, x: x.max(1).values + x.min(dim=1).indices.float()),
    "top k": lambda Call: Call(lambda m, x: x.topk(2, 1).values),
    "cumsum": lambda Call: Call(lambda m, x: x.cumsum(1)),
    "expand and repeat": lambda Call: Call(
        lambda m, x: x[:, None].expand(-1, 4, -1).sum(1) + x.repeat(1, 2)[:, :6] + x.new_ones(x.shape[0], 1)
    ),
    "zeros like": lambda Call: Call(lambda m, x: torch.cat([torch.zeros_like(x), torch.full((len(x), 1), 3.0), x], 1)),
    "pad": lambda Call: Call(lambda m, x: F.pad(x, (1, 2), value=0.5)),
    "shapes follow the batch": lambda Call: Call(lambda m, x: x.reshape(-1, 2).sum(1).reshape(x.shape[0], -1)),
    "row numbers": lambda Call: Call(lambda m, x: x * 0 + torch.arange(x.shape[0])[:, None]),
    "gather": lambda Call: Call(lambda m, x: x.gather(1, (x[:, :2] > 0).long())),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_shapes(name, kit):
    assert kit.compare(CASES[name](kit.Call), (6,)).graph.node
