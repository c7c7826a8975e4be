"""Self-distillation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass, between, mean, plus
from temperance.core.counted import marked
from temperance.core.kit.classes import class_logits, expected, log_softmax, member_mean, softmax, spread
from temperance.core.kit.rows import places, recall, remember
from temperance.core.leaves import Leaves
from temperance.core.random import fold, pulse
from temperance.core.regularizer import (
    Context,
    Effect,
    Memory,
    Objective,
    Rank,
    Rate,
    Regularizer,
    Strengths,
    Update,
    techniques,
)
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import SettingError

_SOFTENS = Rule("softens targets", "refuse", "the targets would be softened twice", "Keep one of them")
_MIXES = Rule("mixes", "refuse", "it remembers single examples, and a blend is two", "Use SelfDistillation('average')")


@techniques.add
@dataclass(frozen=True, repr=False)
class SelfDistillation(Regularizer):
    """Learn from the labels and from the net's own steadier answers.

        average:   t = softmax of the net at a moving average of its weights, on the same batch
        previous:  t = what the net said about this example the last time (no term where there was none)
        loss + share·(CE(z, t) − CE(z, y));  for cross-entropy: (1 − share)·CE(z, y) + share·CE(z, t)

    Two stages, because the average is read in the objective and moved after the update.

    Stage: objective (target) and update.  Cost: average: a second forward pass and a copy of the weights; previous:
    n·c numbers of memory (n examples).
    Strengths: share in [0, 1], neutral 0, linear, stronger = up (the paper raises it from 0 with the epochs).
    Shapes: outputs (b, …, c) logits; ``previous`` takes (b, c) or (b, k, c) and needs ``index`` (b,).
    Use when: labels are noisy or the net is too sure.  Avoid when: the net is still learning nothing: its own answers
    hold it back.

    Args:
        source: ``average`` or ``previous``.
        share: weight of the net's own answers.
        decay: memory of the average.

    Raises:
        SettingError: share or decay outside its range, or an unknown source.
        RecipeError: the outputs are not logits; previous: the batch has no index or is mixed.

    Example:
        >>> SelfDistillation("previous").to_dict()
        {'name': 'SelfDistillation', 'source': 'previous', 'share': 0.5, 'decay': 0.99}

    References: Kim et al. (2021), arXiv:2006.12000, section 3.1, eq. 3 (previous); Tarvainen and Valpola (2017),
    arXiv:1703.01780, section 2 (average).

    """

    source: str = "average"
    share: float = 0.5
    decay: float = 0.99

    strengths: ClassVar[dict[str, Strength]] = {
        "share": Strength(0.5, low=0.0, high=1.0, neutral=0.0, words="how much the net's own answers count")
    }
    family: ClassVar[str] = "targets"
    rank: ClassVar[Rank] = Rank.TARGET
    effect: ClassVar[Effect] = {"share": ("confidence", "down")}
    cost: ClassVar[Cost] = Cost(forwards=2, copies=1)
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("softens targets",)
    rules: ClassVar[tuple[Rule, ...]] = (_SOFTENS,)
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "kim2021", "Kim et al.", 2021, "Self-knowledge distillation with progressive refinement of targets",
            "ICCV", "2006.12000", "section 3.1",
        ),
        Citation(
            "tarvainen2017", "Tarvainen, Valpola", 2017, "Mean teachers are better role models", "NeurIPS",
            "1703.01780", "section 2",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.source not in ("average", "previous"):
            raise SettingError(
                f"SelfDistillation got source={self.source!r}", "it is 'average' or 'previous'", "Pick one"
            )
        if not 0 <= self.decay <= 0.99999:
            raise SettingError(
                f"SelfDistillation got decay={self.decay!r}", "it lies between 0 and 0.99999", "0.99 is the default"
            )
        if self.source == "previous":  # the class attributes are those of the default source
            object.__setattr__(self, "cost", Cost())
            object.__setattr__(self, "rules", (_SOFTENS, _MIXES))

    @classmethod
    def samples(cls) -> Iterable[Self]:
        """Return both sources."""
        return (cls(), cls("previous"))

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Start the average at the weights."""
        return {"teacher": params.clone()} if self.source == "average" else {}

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Blend the loss with that of the net's own answers."""

        def distilled(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            passed = inner(params, buffers, batch, key)
            if strengths.is_off("share"):
                return passed
            if self.source == "previous":
                return self._previous(passed, passed.batch or batch, strengths, memory)
            with torch.no_grad(), pulse(fold(key, strengths.address)):
                teacher = inner(memory["teacher"], buffers, batch, key).outputs
            seen: Batch = passed.batch or batch
            logs = log_softmax(class_logits(passed.outputs, "SelfDistillation", batch=seen))
            told = class_logits(teacher, "SelfDistillation", batch=seen).detach()
            soft = mean(softmax(told) * -logs.shape[-1] * logs, seen)  # undoes the mean over the classes
            return passed._replace(loss=between(passed.loss, soft, strengths.number("share")))

        return distilled

    def _previous(self, passed: Pass, seen: Batch, strengths: Strengths, memory: Memory) -> Pass:
        in_place = strengths.mirror is not None
        index = places(seen, "SelfDistillation('previous')")
        logs = log_softmax(class_logits(passed.outputs, "SelfDistillation", batch=seen))
        said = member_mean(logs.detach().exp(), "SelfDistillation", batch=seen)
        old = recall(memory, index, said, in_place=in_place)
        known = spread(old.sum(-1, keepdim=True) > 0, logs.dim()).squeeze(-1)
        soft = (spread(old, logs.dim()) * logs).sum(-1)
        change = torch.where(
            known, expected(logs, marked(seen.targets, seen.convention), "SelfDistillation") - soft, 0.0
        )
        extra = mean(change, seen)
        passed = remember(passed, memory, index, said, in_place=in_place)
        return passed._replace(loss=plus(passed.loss, extra, strengths.number("share")))

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Step, then move the average."""

        def step(params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
            params = inner(params, grads, rate)
            if "teacher" in memory:
                memory["teacher"] = memory["teacher"].lerp_(params, 1 - self.decay)
            return params

        return step
