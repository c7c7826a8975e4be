"""Gradient penalty: hold a critic's slope at one between real and generated data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from temperance.control.strength import Strength
from temperance.core.batch import ANSWERS_ONLY, Batch, Pass, first_leaf, map_leaves, plus, portioned
from temperance.core.kit.inputs import input_gradients
from temperance.core.kit.mixing import require_rows
from temperance.core.leaves import Leaves
from temperance.core.random import fold, uniform
from temperance.core.regularizer import Context, Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.core.statistics import tracking, unchanged
from temperance.core.wrappers import uncompiled
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import RecipeError, SettingError


def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    real: Tensor,
    fake: Tensor,
    *,
    key: int,
    weight: float = 10.0,
    one_sided: bool = False,
) -> Tensor:
    """Return λ · mean of (‖∂D/∂x̂‖ − 1)² at points between real and generated rows, (), for a loop of one's own.

    Args:
        critic: gives (b,) or (b, 1) scores.
        real: (b, …).
        fake: (b, …).
        key: of the draw; another one each step.
        weight: λ.
        one_sided: punish slopes above 1 only.

    """
    between = _between(real.detach(), fake.detach(), _share(key, len(real), real)).requires_grad_()
    with uncompiled():
        (grad,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return weight * excess([grad], one_sided=one_sided)


def excess(grads: list[Tensor], *, one_sided: bool = False) -> Tensor:
    """Return the mean over rows of (‖g‖ − 1)², or of max(0, ‖g‖ − 1)². Shapes: (b, …) each → ()."""
    each = [torch.linalg.vector_norm(g if g.dim() == 2 else g.flatten(1), dim=1) for g in grads]  # slope 0 at 0
    norms: Tensor = each[0] if len(each) == 1 else torch.linalg.vector_norm(torch.stack(each), dim=0)
    over = norms - 1
    return (over.clamp_min(0) if one_sided else over).square().mean()


@techniques.add
@dataclass(frozen=True, repr=False)
class GradientPenalty(Regularizer):
    """Punish a critic whose slope differs from one on lines between real and generated rows (WGAN-GP).

        loss + λ · mean of (‖∂D(x̂)/∂x̂‖ − 1)²,  x̂ = u·x_real + (1 − u)·x_fake,  u ~ U(0, 1) per pair

    Rows with a target above 0.5 are real; the first real row is paired with the first generated one, and so on.

    Stage: objective (penalty).  Cost: one more forward pass, a backward pass to the inputs, and its own derivative.
    Strengths: weight λ in [1e-8, 100], neutral 0, log, stronger = up.
    Shapes: inputs (b, …) with at least one floating leaf (integer leaves are the real row's) · targets (b,) or (b, 1).

    Use when: training a Wasserstein critic.  Avoid when: the critic has BatchNorm (rows then have no slope of their
    own; use LayerNorm).

    Args:
        weight: λ.
        one_sided: punish slopes above 1 only.

    Raises:
        SettingError: λ outside its range, or targets that are no numbers.
        RecipeError: a batch without real or without generated rows, or no floating inputs.

    Example:
        >>> GradientPenalty(one_sided=True)
        GradientPenalty(one_sided=True)

    Reference: Gulrajani et al. (2017), arXiv:1704.00028, algorithm 1 and section 4 (one-sided).

    """

    weight: float = 10.0
    one_sided: bool = False
    strengths: ClassVar[dict[str, Strength]] = {
        "weight": Strength(
            10.0,
            low=1e-8,
            high=100.0,
            neutral=0.0,
            scale="log",
            words="how hard slopes other than one are punished",
        )
    }
    family: ClassVar[str] = "generative"
    rank: ClassVar[Rank] = Rank.PENALTY
    effect: ClassVar[Effect] = {"weight": ("departure", "up")}
    cost: ClassVar[Cost] = Cost(forwards=2, backwards=2, note="one backward pass to the inputs, itself differentiated")
    exceptions: ClassVar[Mapping[str, str]] = {
        "accumulation": "in a loop with its own backward a part cannot know how many points the other parts have"
    }
    unique: ClassVar[bool] = True
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "gulrajani2017", "Gulrajani et al.", 2017, "Improved training of Wasserstein GANs", "NeurIPS", "1704.00028"
        ),
    )

    @classmethod
    def samples(cls) -> tuple[GradientPenalty, ...]:
        """Return one that does not swamp the suite's tiny classifiers."""
        return (cls(0.1),)

    def plan(self, context: Context) -> tuple[nn.Module, ...]:
        """Return the layers whose running statistics the second pass leaves alone."""
        return tracking(context.model)

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Add the penalty."""

        def penalized(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("weight"):
                return inner(params, buffers, batch, key)
            own = fold(key, strengths.address)
            between = between_rows(batch, own)
            passed = inner(params, buffers, batch, key)
            with unchanged(memory.plan):
                grads, _ = input_gradients(inner, params, buffers, between, own, _total, "GradientPenalty")
            term = portioned(excess(grads, one_sided=self.one_sided), passed.batch or batch, _points)
            return passed._replace(loss=plus(passed.loss, term, strengths.number("weight")))

        return penalized


def _points(batch: Batch) -> int:
    """Return how many points lie between the rows of a batch."""
    real = int((batch.targets.reshape(-1) > 0.5).sum())
    return min(real, batch.size - real)


def between_rows(batch: Batch, key: Any) -> Batch:
    """Return points between the real and the generated rows of a batch, without targets; the index is the real rows'.

    Raises:
        RecipeError: one of the two kinds is missing, the rows have weights, or the inputs differ in their rows.
        SettingError: targets are not one number per row.

    """
    if not isinstance(batch.targets, Tensor) or batch.targets.numel() != batch.size:
        raise SettingError(
            f"GradientPenalty got targets of type {type(batch.targets).__name__} that are not one number per row",
            "targets tell real rows (1) from generated ones (0)",
            "Pass Batch(inputs, targets) with such targets",
        )
    if batch.weight is not None:
        raise RecipeError(
            "GradientPenalty got a batch with weights",
            "its points lie between two rows, each of which would have a weight of its own",
            "Leave the weights out, or use R1, which takes them",
        )
    is_real = batch.targets.reshape(-1) > 0.5
    real, fake = is_real.nonzero().squeeze(1), (~is_real).nonzero().squeeze(1)
    count = min(len(real), len(fake))
    if not count:
        raise RecipeError(
            f"GradientPenalty got a batch with {len(real)} real and {len(fake)} generated rows",
            "it works between both kinds",
            "Put them into one batch: Batch(torch.cat([real, fake]), targets of 1 and 0)",
        )
    require_rows(batch.inputs, batch.size, "GradientPenalty")
    real, fake = real[:count], fake[:count]
    share = _share(key, batch.size, first_leaf(batch.inputs))[:count]  # drawn for all rows: a population needs one size

    def mix(x: Tensor) -> Tensor:
        own = x.index_select(0, real)
        return _between(own, x.index_select(0, fake), share) if x.is_floating_point() else own

    index = None if batch.index is None else batch.index.index_select(0, real)
    return Batch(map_leaves(mix, batch.inputs), ANSWERS_ONLY, index=index, convention=batch.convention)


def _share(key: Any, count: int, like: Tensor) -> Tensor:
    return uniform(key, (count,), like.device)


def _between(real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    u = share.to(real.dtype).reshape(-1, *[1] * (real.dim() - 1))
    return torch.lerp(fake, real, u)


def _total(outputs: Any) -> Tensor:
    return first_leaf(outputs).sum()
