"""R1: keep a discriminator flat around real data."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass, first_leaf, plus, portioned
from temperance.core.kit.inputs import input_gradients
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import SettingError


def r1_penalty(scores: Tensor, inputs: Tensor, *, weight: float = 10.0) -> Tensor:
    """Return γ/2 · mean over rows of ‖∂D/∂x‖², (), for a loop of one's own.

    Args:
        scores: D(x) of the real rows, (b,) or (b, 1), computed from ``inputs``.
        inputs: (b, …), with ``requires_grad`` set before the pass.
        weight: γ.

    Raises:
        SettingError: the inputs do not require gradients.

    """
    if not inputs.requires_grad:
        raise SettingError(
            "r1_penalty got inputs that do not require gradients",
            "the gradient is taken by the inputs",
            "Call real.requires_grad_() before the discriminator's pass",
        )
    (grad,) = torch.autograd.grad(scores.sum(), inputs, create_graph=True)
    return 0.5 * weight * squares([grad]).mean()


def squares(grads: list[Tensor]) -> Tensor:
    """Return ‖g‖² of each row over all leaves, (b,). Shapes: (b, …) each."""
    return functools.reduce(torch.add, [g.flatten(1).square().sum(1) for g in grads])


@techniques.add
@dataclass(frozen=True, repr=False)
class R1(Regularizer):
    """Punish the slope of a discriminator at real rows, so that training settles where generator and data agree.

        loss + γ/2 · mean over real rows of ‖∂D(x)/∂x‖²

    Real rows are those whose target is above 0.5; D is the sum of the model's output columns. Where layers mix rows
    (BatchNorm), the slope of a row is that of all outputs by it.

    Stage: objective (penalty).  Cost: one backward pass to the inputs, and its own derivative.
    Strengths: weight γ in [1e-8, 100], neutral 0, log, stronger = up.
    Shapes: inputs (b, …) with at least one floating leaf · targets (b,) or (b, 1), 1 real and 0 generated.

    Use when: training a GAN's discriminator.  Avoid when: the model is no discriminator (there it punishes what the
    model has learnt), or inputs are integers.

    Args:
        weight: γ.
        rows: whose slope counts; ``fake`` is known as R2.

    Raises:
        SettingError: a setting outside its range, or targets that are no numbers.
        RecipeError: no floating inputs.

    Example:
        >>> R1(1.0)
        R1(weight=1.0)

    Reference: Mescheder, Geiger, Nowozin (2018), arXiv:1801.04406, equation 9.

    """

    weight: float = 10.0
    rows: Literal["real", "fake", "all"] = "real"
    strengths: ClassVar[dict[str, Strength]] = {
        "weight": Strength(
            10.0,
            low=1e-8,
            high=100.0,
            neutral=0.0,
            scale="log",
            words="how hard a steep discriminator is punished",
        )
    }
    family: ClassVar[str] = "generative"
    rank: ClassVar[Rank] = Rank.PENALTY
    effect: ClassVar[Effect] = {"weight": ("departure", "up")}
    cost: ClassVar[Cost] = Cost(backwards=2, note="the first one to the inputs, itself differentiated")
    exceptions: ClassVar[Mapping[str, str]] = {
        "accumulation": "in a loop with its own backward a part cannot know how many real rows the other parts have"
    }
    unique: ClassVar[bool] = True
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "mescheder2018",
            "Mescheder, Geiger, Nowozin",
            2018,
            "Which training methods for GANs do actually converge?",
            "ICML",
            "1801.04406",
        ),
    )

    @classmethod
    def samples(cls) -> tuple[R1, ...]:
        """Return one that does not swamp the suite's tiny classifiers."""
        return (cls(0.1),)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rows not in ("real", "fake", "all"):
            raise SettingError(f"R1 got rows={self.rows!r}", "'real', 'fake' or 'all'", "Pick one")

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Add the penalty."""

        def penalized(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("weight"):
                return inner(params, buffers, batch, key)
            chosen = self._chosen(batch)
            grads, passed = input_gradients(inner, params, buffers, batch, key, _total, "R1")
            total = chosen.sum()
            slope = (squares(grads) * chosen).sum() / torch.where(total > 0, total, torch.ones_like(total))
            slope = portioned(slope, passed.batch or batch, lambda part: self._chosen(part).sum())
            return passed._replace(loss=plus(passed.loss, slope, 0.5 * strengths.number("weight")))

        return penalized

    def _chosen(self, batch: Batch) -> Tensor:
        if not isinstance(batch.targets, Tensor) or batch.targets.numel() != batch.size:
            raise SettingError(
                f"R1 got targets of type {type(batch.targets).__name__} that are not one number per row",
                "targets tell real rows (1) from generated ones (0)",
                "Pass Batch(inputs, targets) with such targets",
            )
        is_real = batch.targets.reshape(-1) > 0.5
        chosen = {"real": is_real, "fake": ~is_real, "all": torch.ones_like(is_real)}[self.rows]
        return chosen if batch.weight is None else chosen * batch.weight


def _total(outputs: Any) -> Tensor:
    return first_leaf(outputs).sum()
