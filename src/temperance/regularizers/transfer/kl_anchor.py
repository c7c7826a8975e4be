"""A pull towards the answers that the net gave before it was fine-tuned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Self

import torch
from torch import Tensor, nn

from temperance.control.strength import Strength
from temperance.core.batch import ANSWERS_ONLY, Batch, Pass, map_leaves, mean, plus, reduce
from temperance.core.counted import counted
from temperance.core.kit.adapters import off_is_now, speaking
from temperance.core.kit.classes import class_axis
from temperance.core.kit.divergence import divergence
from temperance.core.leaves import Leaves
from temperance.core.random import fold, is_batched, pulse
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
from temperance.core.shifted import Shifted
from temperance.core.statistics import every, resting, tracking, unchanged
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import RecipeError, SettingError


class Reference(NamedTuple):
    """The model that gives the reference's answers, and its layers with running statistics."""

    model: nn.Module
    layers: tuple[nn.Module, ...]


@techniques.add
@dataclass(frozen=True, repr=False)
class KLAnchor(Regularizer):
    """Keep a fine-tuned net's answers near those that it gave before.

        loss + λ · mean over places that count of D(r, p),  p = softmax of the net, r = softmax of the reference
        forward: D = KL(r ‖ p) = Σ r·(log r − log p);  reverse: D = KL(p ‖ r)

    The reference is the net with the weights at attach: load the pretrained ones before. Its dropout is off, its
    normalization is that of the training pass, and it draws no noise. Where all that is trained is a LoRA adapter of
    PEFT that says nothing yet, the first factors need not be kept: with second ones of 0 they say nothing.

    Rows and tokens count as in the loss. To hold what is to be learned slows the learning. Where the net can write, let
    it write some rows before the training, add a few of them without labels (−100) to the end of each batch, and hold
    these: ``places="others"``. Their divergence is the rise of the loss on text like the net's own, and the new task
    stays free. Old rows are not needed.

    With a ``pace`` π the reference follows the net, r ← (1 − π)·r + π·w in the weights after every step: each step is
    then held near the recent past, and the start is left slowly. It is ours, after the idea of a moving anchor
    (2605.04468), whose formula we could not read.

    Each step tells the divergence to the signal ``kl``: ``Constraint.hold("kl", 0.05)`` moves λ until it is what you
    chose. A λ that falls to 0 on the way still listens; a recipe with λ = 0 runs no second pass.

    Stage: objective (penalty); with a pace also update.  Cost: a forward pass without gradient on ``share`` of the
    rows, and a copy of the trained weights (of a new LoRA adapter half).
    Strengths: rate λ in [1e-4, 100], neutral 0, log, stronger = up.
    Shapes: outputs (b, …, c) logits, classes last or on axis 1 as the loss takes them.
    Use when: fine-tuning on a narrow task must not cost what the net knew, and old data are not at hand.
    Avoid when: the old answers are wrong for the new task; regression.

    Args:
        rate: coefficient λ.
        direction: ``forward``, which keeps all that the reference says likely, or ``reverse``, which keeps to it.
        share: share of each batch's rows, the last ones, at which the reference is asked; below 1 a step is cheaper.
        pace: π, how fast the reference follows the net; 0: it stands.
        places: which places are held: ``counted`` by the loss, the ``others`` (prompts, rows without a label), or
            ``all``. Padding, as ``attention_mask`` says it, is never held. Micro-batches count by their labels, so
            each needs some.

    Raises:
        SettingError: a setting outside its range.
        RecipeError: the outputs are not logits of two or more classes; a micro-batch without labels.

    Example:
        >>> KLAnchor(0.5, share=0.5)
        KLAnchor(rate=0.5, share=0.5)

    References: Zhu et al. (2025), arXiv:2509.23753 (the anchor of ASFT, which is ``DFT`` and this); Shenfeld et al.
    (2025), arXiv:2509.04259 (this divergence, on the new task, tells how much is forgotten).

    """

    rate: float = 0.1
    direction: Literal["forward", "reverse"] = "forward"
    share: float = 1.0
    pace: float = 0.0
    places: Literal["counted", "others", "all"] = "counted"

    strengths: ClassVar[dict[str, Strength]] = {
        "rate": Strength(
            0.1, low=1e-4, high=100.0, neutral=0.0, scale="log", words="how firmly the earlier answers are held"
        )
    }
    family: ClassVar[str] = "transfer"
    rank: ClassVar[Rank] = Rank.PENALTY
    effect: ClassVar[Effect] = {"rate": ("confidence", "down")}
    cost: ClassVar[Cost] = Cost(
        forwards=2, copies=1, note="the second pass is without gradient, on `share` of the rows"
    )
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("holds answers",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "mixes hidden", "refuse", "the reference is asked without noise in its layers, so nothing is mixed there",
            "Use MixUp, which mixes the inputs of both",
        ),
    )  # fmt: skip
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation("zhu2025", "Zhu et al.", 2025, "Anchored supervised fine-tuning", "ICLR 2026", "2509.23753"),
        Citation(
            "shenfeld2025", "Shenfeld, Pari, Agrawal", 2025,
            "RL's razor: why online reinforcement learning forgets less", "arXiv", "2509.04259",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.direction not in ("forward", "reverse"):
            raise SettingError(f"KLAnchor got direction={self.direction!r}", "'forward' or 'reverse'", "Pick one")
        if self.places not in ("counted", "others", "all"):
            raise SettingError(f"KLAnchor got places={self.places!r}", "'counted', 'others' or 'all'", "Pick one")
        if not 0 < self.share <= 1:
            raise SettingError(f"KLAnchor got share={self.share!r}", "above 0, at most 1", "0.5 asks at half the rows")
        if not 0 <= self.pace < 1:
            raise SettingError(f"KLAnchor got pace={self.pace!r}", "from 0 to below 1", "0 keeps the reference still")

    @classmethod
    def samples(cls) -> Iterable[Self]:
        """Return the frozen reference, and one that follows."""
        return (cls(), cls(0.5, direction="reverse", pace=0.05))

    def plan(self, context: Context) -> Reference:
        """Return the model, and the layers whose running statistics the reference must not move."""
        return Reference(context.model, tracking(context.model))

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Remember the starting weights, but for those that say nothing beside the others."""
        is_silent = not self.pace and off_is_now(context.model)
        return {"anchor": (params.part(speaking(params.names)) if is_silent else params).clone()}

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Add the divergence; where no slopes are wanted (a teacher answers) nothing is added."""
        address = strengths.address

        def anchored(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            passed = inner(params, buffers, batch, key)
            if (strengths.is_off("rate") and not self.rate) or not torch.is_grad_enabled():
                return passed
            whole: Batch = passed.batch or batch
            if self.places != "counted":
                self._require_labels(whole)
            outputs, seen = self._asked(passed.outputs, whole)
            axis = class_axis(outputs, "KLAnchor", batch=seen)
            is_joint = seen is not whole and _is_joint(whole, memory.plan.model)
            said = self._reference(params, buffers, whole if is_joint else seen, fold(key, address), memory)
            said = self._asked(said, whole)[0] if is_joint else said
            if axis != -1:
                said, outputs = said.movedim(axis, -1), outputs.movedim(axis, -1)
            apart = divergence(said, outputs) if self.direction == "forward" else divergence(outputs, said)
            apart = self._mean(apart, seen, memory.plan.model)
            loss = plus(passed.loss, apart, strengths.number("rate"))
            return passed._replace(loss=loss, notes={**passed.notes, f"{address}.kl": apart.detach()})

        return anchored

    def _asked(self, outputs: Any, batch: Batch) -> tuple[Any, Batch]:
        """Return the outputs and the batch of the rows at which the reference is asked."""
        if self.share == 1.0:
            return outputs, batch
        count = batch.size
        kept = -int(-self.share * count // 1)
        if kept >= count:
            return outputs, batch

        def last(leaf: Tensor) -> Tensor:
            return leaf[-kept:] if leaf.dim() and leaf.shape[0] == count else leaf

        inputs, targets, weight, index = (map_leaves(last, part) for part in batch[:4])
        if isinstance(inputs, Shifted):
            inputs = inputs.rows(last)
        return map_leaves(last, outputs), Batch(inputs, targets, weight, index, batch.convention)

    def _require_labels(self, batch: Batch) -> None:
        """Refuse a (micro-)batch without labels where more than these is held: it would count nothing."""
        if is_batched() or torch.compiler.is_compiling():
            return
        kept = counted(batch.targets, batch.convention)
        if kept is not None and not bool(kept.any()):
            raise RecipeError(
                f"KLAnchor(places={self.places!r}) got a micro-batch without a single label",
                "a micro-batch counts by its labels, so what is held in this one would count nothing",
                "Give each micro-batch some rows with labels",
            )

    def _mean(self, values: Tensor, batch: Batch, model: nn.Module) -> Tensor:
        """Return the mean over the places that are held, (); 0 where there is none."""
        if self.places == "counted":
            return mean(values, batch)
        held = torch.ones_like(values, dtype=torch.bool)
        mask = _mask(batch.inputs, model)
        if isinstance(mask, Tensor) and mask.dim() == values.dim() == 2:
            held = mask[:, mask.shape[1] - values.shape[1] :] != 0  # of the token that a place foretells
        kept = counted(batch.targets, batch.convention)
        if self.places == "others":
            held = held & (torch.zeros_like(held) if kept is None else kept == 0)
        return reduce(values * held, batch.weight, held)

    def _reference(
        self, params: Leaves, buffers: Mapping[str, Tensor], seen: Batch, key: Any, memory: Memory
    ) -> Tensor:
        model, layers = memory.plan
        asked, anchor = seen._replace(targets=ANSWERS_ONLY), memory["anchor"]
        if anchor.names != params.names:  # the others stay as they are: beside these they say nothing
            anchor = Leaves.of({**params, **anchor}, owned=params.owned)
        # without noise: in evaluation mode, but for normalization, which works as in training and learns nothing
        others = [m for m in every(model) if m not in layers] if layers else every(model)
        with torch.no_grad(), pulse(key), resting(others), unchanged(layers):
            said: Tensor = memory.innermost(anchor, buffers, asked, key).outputs
            return said

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Step, then let the reference follow."""
        if not self.pace:
            return inner

        def step(params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
            params = inner(params, grads, rate)
            memory["anchor"] = memory["anchor"].lerp_(params, self.pace)
            return params

        return step


def _is_joint(batch: Batch, model: nn.Module) -> bool:
    """Return whether the answer at a row depends on the other rows: by batch statistics, or mixed vectors."""
    if isinstance(batch.inputs, Shifted) and batch.inputs.blend is not None:
        return True
    norms = (m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm))
    return any(m.training or m.running_mean is None for m in norms)


def _mask(inputs: Any, model: nn.Module) -> Any:
    """Return the mask of the places that the model answers at: of an encoder-decoder model, the decoder's."""
    inner = inputs.inputs if isinstance(inputs, Shifted) else inputs
    two = getattr(getattr(model, "config", None), "is_encoder_decoder", False)
    return inner.get("decoder_attention_mask" if two else "attention_mask") if isinstance(inner, Mapping) else None
