"""P11: a net generalizes long after it fits, and only with weight decay."""

from __future__ import annotations

import torch
from benchmarks.reproduce.lab import losses, predict
from benchmarks.reproduce.shape import Check, Figures, Shape
from torch import Tensor, nn

from temperance import Recipe, WeightDecay

P, STEPS = 43, 4000


class Adder(nn.Module):
    """Two embedded numbers side by side, one hidden layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(P, 128)
        self.hidden, self.out = nn.Linear(256, 512), nn.Linear(512, P)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.relu(self.hidden(self.embed(x).flatten(1))))  # type: ignore[no-any-return]


def run(seed: int) -> Figures:
    pairs = torch.cartesian_prod(torch.arange(P), torch.arange(P))
    order = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(seed))
    sums, half = pairs.sum(1) % P, len(pairs) // 2
    seen, new = order[:half], order[half:]
    found: Figures = {}
    for name, recipe in {"none": Recipe(), "decay": Recipe(WeightDecay(1.0, policy="all"))}.items():
        torch.manual_seed(seed)
        model = Adder()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.0)
        session = recipe.attach(model, optimizer, loss=losses, steps=STEPS, seed=seed)
        for _ in range(STEPS):
            session.step((pairs[seen], sums[seen]))
        session.finish()
        found[f"{name}_train"] = float((predict(model, pairs[seen]).argmax(1) == sums[seen]).double().mean())
        found[f"{name}_test"] = float((predict(model, pairs[new]).argmax(1) == sums[new]).double().mean())
    return found


SHAPE = Shape(
    "P11",
    "On modular addition a net fits its training pairs early; it learns to add new pairs much later, and only with "
    "weight decay.",
    "Power et al. (2022), arXiv:2201.02177",
    "addition modulo 43, half of the pairs; two embeddings of 128, one hidden layer of 512, AdamW 1e-3 with betas 0.9 "
    "and 0.98, all pairs in one batch, 4000 steps; decay 1 or none (with embeddings of 64 and 128 hidden units it had "
    "only begun at 4000 steps, 0.15; the size was then chosen on a seed that is not counted here)",
    ("WeightDecay",),
    3,
    run,
    (
        Check("decay_test", "accuracy on new pairs of modular addition with decay 1", low=0.8, techniques=("weight_decay",)),  # noqa: E501
        Check("none_test", "accuracy on new pairs of modular addition without decay", high=0.1),
        Check("decay_train", "accuracy on training pairs of modular addition with decay 1", low=0.99),
        Check("none_train", "accuracy on training pairs of modular addition without decay", low=0.99),
    ),
)  # fmt: skip
