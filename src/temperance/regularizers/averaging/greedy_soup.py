"""Average of those checkpoints that help on held-out rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.base import require
from temperance.control.strength import Strength
from temperance.core.averaging import Average
from temperance.core.devices import exact
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Context, Effect, Memory, Strengths, techniques
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import SettingError


@dataclass(frozen=True, eq=False)
class Soup:
    """A greedy soup.

    Attributes:
        weights: the mean of its members.
        members: positions of the candidates in it, the best first.
        score: its score; never worse than that of its best member.
        scores: the score of each candidate alone.

    """

    weights: Leaves
    members: tuple[int, ...]
    score: float
    scores: tuple[float, ...]


def greedy_soup(
    candidates: Sequence[Mapping[str, Tensor]],
    score: Callable[[Leaves], float],
    *,
    scores: Sequence[float] | None = None,
) -> Soup:
    """Average weights greedily: best first, each further candidate stays if the mean gets no worse with it.

    Args:
        candidates: weights by name, all of one architecture.
        score: loss on held-out rows, lower is better; a NaN counts as infinite.
        scores: those of the candidates, where they are known already.

    Raises:
        SettingError: no candidate.

    Reference: Wortsman et al. (2022), arXiv:2203.05482, algorithm 1.

    """
    if not candidates:
        raise SettingError("greedy_soup got no candidates", "at least one set of weights", "Pass kept checkpoints")
    leaves = [one if isinstance(one, Leaves) else Leaves.of(one) for one in candidates]
    known = tuple(_number(score(one)) for one in leaves) if scores is None else tuple(map(_number, scores))
    order = sorted(range(len(leaves)), key=lambda i: known[i])
    soup, best, members = leaves[order[0]].clone(owned=True), known[order[0]], [order[0]]
    for i in order[1:]:
        trial = soup.lerp(leaves[i], 1 / (len(members) + 1))
        value = _number(score(trial))
        if value <= best and math.isfinite(value):
            soup, best, members = trial, value, [*members, i]
    return Soup(soup, tuple(members), best, known)


@techniques.add
@dataclass(frozen=True, repr=False)
class GreedySoup(Average):
    """Evaluate and ship the greedy soup of the best checkpoints, chosen on the rows given to ``validate``.

        at each ``session.validate``: the weights join the ``keep`` best ones;  best first, each further one stays in
        the mean if the held-out loss gets no worse;  v = (1 − s)·w + s·mean

    Before the first ``validate`` v = w. The held-out loss of what it serves (at s = 1) is never above that of the
    best checkpoint; being chosen on these rows, it flatters: measure the result on others.

    Stage: served; it looks at the weights when ``session.validate`` is called, so not in a population.
    Cost: keep + 1 copies of the weights, and up to keep + 1 forward passes over the held-out rows per ``validate``.
    Strengths: share s in [0, 1] of the soup in what is served, neutral 0, linear, stronger = up.
    Shapes: any.  BatchNorm statistics are re-estimated by ``session.finish(batches=…)``.

    Use when: fine-tuning, or a constant rate, with rows to spare.  Avoid when: BatchNorm (candidates are compared with
    the statistics of the last weights), or few held-out rows.

    Args:
        share: s.
        keep: most checkpoints to choose from.

    Raises:
        SettingError: a setting outside its range.

    Example:
        >>> GreedySoup(keep=3)
        GreedySoup(keep=3)

    Reference: Wortsman et al. (2022), arXiv:2203.05482, algorithm 1; here over one training's checkpoints.

    """

    share: float = 1.0
    keep: int = 5
    strengths: ClassVar[dict[str, Strength]] = {
        "share": Strength(1.0, low=0.0, high=1.0, neutral=0.0, adaptive=False, words="share of the soup in the result")
    }
    effect: ClassVar[Effect] = {"share": ("lag", "up")}
    cost: ClassVar[Cost] = Cost(copies=6, note="keep + 1 copies; passes over the held-out rows at each validate")
    exceptions: ClassVar[Mapping[str, str]] = {
        "direction": "it acts where session.validate is called; the suite's short trainings never call it"
    }
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "wortsman2022",
            "Wortsman et al.",
            2022,
            "Model soups: averaging weights of multiple fine-tuned models improves accuracy",
            "ICML",
            "2203.05482",
        ),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        require("GreedySoup", "keep", self.keep, 1, 1000, whole=True)

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Start with empty places."""
        number = torch.zeros((), dtype=exact(context.device), device=context.device)
        places = {f"copy_{j}": params.clone() for j in range(self.keep)}
        losses = {f"loss_{j}": number + math.inf for j in range(self.keep)}
        return {**places, **losses, "soup": params.clone(), "share": number}

    def select(
        self, params: Leaves, strengths: Strengths, memory: Memory, score: Callable[[Leaves], float]
    ) -> dict[str, Any]:
        """Take the weights among the best ones, and make the soup anew."""
        losses = [float(memory[f"loss_{j}"]) for j in range(self.keep)]
        value, worst = _number(score(params)), max(range(self.keep), key=lambda j: losses[j])
        if value >= losses[worst]:
            return {"share": strengths["share"].clone()}
        losses[worst] = value
        changed = {
            f"copy_{worst}": memory[f"copy_{worst}"].copy_(params.detach()),
            f"loss_{worst}": torch.full_like(memory[f"loss_{worst}"], value),
        }
        filled = [j for j in range(self.keep) if math.isfinite(losses[j])]
        copies = [changed.get(f"copy_{j}", memory[f"copy_{j}"]) for j in filled]
        soup = greedy_soup(copies, score, scores=[losses[j] for j in filled])
        return {**changed, "soup": memory["soup"].copy_(soup.weights), "share": strengths["share"].clone()}

    def served(self, params: Leaves, memory: Memory) -> Leaves:
        """Return the soup, mixed with the last weights by the share."""
        share = float(memory["share"])
        soup: Leaves = memory["soup"]
        if share == 0 or all(math.isinf(float(memory[f"loss_{j}"])) for j in range(self.keep)):
            return params
        return soup if share == 1 else params.detach().lerp(soup, share)

    def unbegun(self, memory: Mapping[str, Any]) -> tuple[str, ...]:
        """Say that nothing was ever tried."""
        if any(math.isfinite(float(memory[f"loss_{j}"])) for j in range(self.keep)):
            return ()
        return ("GreedySoup has no weights to mix: session.validate never gave it a number. The trained weights ship.",)


def _number(value: float) -> float:
    return math.inf if math.isnan(value) else float(value)
