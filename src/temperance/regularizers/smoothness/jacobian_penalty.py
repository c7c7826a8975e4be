"""Jacobian penalty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass, plus, portioned, row_counts
from temperance.core.counted import counted
from temperance.core.kit.tracing import mean_squared, traced
from temperance.core.leaves import Leaves
from temperance.core.random import fold, normal
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class JacobianPenalty(Regularizer):
    """Punish outputs that change fast with the inputs.

        loss + weight/2 · mean over examples of ‖J‖²_F,  J = ∂outputs/∂inputs of that example, (c, f)
        ‖J‖²_F ≈ c/n · Σᵢ ‖vᵢᵀJ‖²,  vᵢ random unit vectors in the c outputs (right on average); n = −1: every row of J

    Where layers mix examples (BatchNorm in training) J holds the outputs of all by this one's inputs, as in the
    authors' code. Outputs of more axes than (b, c) count as one long row.

    Stage: objective (penalty).  Cost: one forward and 1 + n backward passes (n = −1: 1 + c), the last one through the
    others.
    Strengths: weight in [1e-5, 10], neutral 0, log, stronger = up.
    Shapes: floating inputs (b, …), integer inputs are left out (tokens alone: J is by their vectors, padding left out);
    outputs (b, …).
    Use when: noise on the inputs must not change answers, and adversarial training is too slow.  Avoid when: the net
    has kinks only at fixed places and needs sharp edges.

    Args:
        weight: weight of the penalty.
        projections: number n of random directions; −1 for all outputs.

    Raises:
        SettingError: a setting outside its range.
        RecipeError: no floating inputs and no input embedding; outputs that are no tensor.

    Example:
        >>> JacobianPenalty(projections=3).cost.backwards
        4

    References: Hoffman, Roberts and Yaida (2019), arXiv:1908.02729, section 2, eq. 5 to 9 and algorithm 1.

    """

    weight: float = 0.01
    projections: int = 1

    strengths: ClassVar[dict[str, Strength]] = {
        "weight": Strength(0.01, low=1e-5, high=10.0, neutral=0.0, scale="log", words="how much fast changes cost")
    }
    family: ClassVar[str] = "smoothness"
    rank: ClassVar[Rank] = Rank.PENALTY
    cost: ClassVar[Cost] = Cost(backwards=2, note="1 + projections")
    effect: ClassVar[Effect] = {"weight": ("departure", "up")}
    unique: ClassVar[bool] = True
    moves_inputs: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("flattens",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("flattens", "warn", "both punish slopes in the inputs", "One of them is usually enough"),
        Rule("attacks", "warn", "both make answers steady around each row", "One of them is usually enough"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "hoffman2019", "Hoffman, Roberts, Yaida", 2019, "Robust learning with Jacobian regularization", "arXiv",
            "1908.02729", "section 2",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.projections != -1 and not 1 <= self.projections <= 1000:
            raise SettingError(
                f"JacobianPenalty got projections={self.projections!r}",
                "it is −1 (all outputs) or lies between 1 and 1000",
                "1 is the default",
            )
        if self.projections == -1:
            object.__setattr__(self, "cost", Cost(backwards=4, note="1 + number of outputs, here for three"))
        else:
            object.__setattr__(self, "cost", Cost(backwards=1 + self.projections, note="1 + projections"))

    @classmethod
    def samples(cls) -> Iterable[Self]:
        """Return one and two projections."""
        return (cls(), cls(projections=2))

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Add the penalty; where no slopes are wanted (a teacher answers) there is none."""
        address = strengths.address

        def flat(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("weight") or not torch.is_grad_enabled():
                return inner(params, buffers, batch, key)
            solo = strengths.mirror is not None
            one = traced(inner, params, buffers, batch, key, solo=solo, owner="JacobianPenalty")
            outputs: Tensor = one.passed.outputs
            shape, ways = outputs.shape, self._ways(outputs, fold(key, address))
            seen: Batch = one.passed.batch or batch
            held = _held(seen, outputs)
            pulled = [w.reshape(shape) if held is None else w.reshape(shape) * held for w in ways]
            size, share = mean_squared([g for w in pulled for g in one.pull(None, w)], _rows(seen))
            size = portioned(size, seen, _count)
            scale = share if self.projections == -1 else share * outputs[0].numel() / self.projections
            loss = plus(one.passed.loss, size, strengths.number("weight") * (scale / 2))
            notes = {**one.passed.notes, f"{address}.jacobian": size.detach() * scale}
            return one.passed._replace(loss=loss, notes=notes)

        return flat

    def _ways(self, outputs: Tensor, key: Any) -> list[Tensor]:
        """Return the directions in the outputs, (b, c) each: all axes, or random ones of length 1."""
        count = outputs[0].numel()
        if self.projections == -1:
            axes = torch.eye(count, dtype=outputs.dtype, device=outputs.device)
            return [axis.expand(len(outputs), -1) for axis in axes]
        return [_direction(fold(key, "direction", i), outputs, count) for i in range(self.projections)]


def _direction(key: Any, outputs: Tensor, count: int) -> Tensor:
    way = normal(key, (outputs.shape[0], count), outputs.device)
    length: Tensor = torch.linalg.vector_norm(way, dim=1, keepdim=True)
    return (way / length).to(outputs.dtype)


def _held(batch: Batch, outputs: Tensor) -> Tensor | None:
    """Return which outputs may be held still, as ``outputs`` or (b, …, 1); None: all. Places left out are not."""
    kept = counted(batch.targets, batch.convention)
    if kept is None or kept.dim() < 2:
        return None  # rows that are left out weigh nothing in the mean
    if kept.dim() != outputs.dim() - 1:
        return None
    axis = batch.convention.axis
    if axis is None:  # a loss of the user's own: where the places fit
        axis = -1 if outputs.shape[:-1] == kept.shape else 1
    return kept.to(outputs.dtype).unsqueeze(axis)


def _rows(batch: Batch) -> Tensor | None:
    """Return how much each row counts, (b,): its weight, 0 where nothing in it counts; None: each once."""
    counts = row_counts(batch)
    if counts is None or (batch.weight is not None and batch.weight.dim() == 1 and counts is batch.weight):
        return counts
    there = (counts > 0).to(counts.dtype)
    return there if batch.weight is None or batch.weight.dim() > 1 else there * batch.weight


def _count(batch: Batch) -> Any:
    counts = _rows(batch)
    return batch.size if counts is None else counts.sum()
