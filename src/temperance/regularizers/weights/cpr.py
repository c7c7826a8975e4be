"""Constrained parameter regularization."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.devices import exact
from temperance.core.kit.weights import each_norm, places_of, present, require_matrices
from temperance.core.leaves import Leaves
from temperance.core.optimizers import no_torch_optimizer_decay
from temperance.core.regularizer import Context, Effect, Memory, Rank, Rate, Regularizer, Strengths, Update, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.errors import SettingError

Measure = Callable[[Tensor], Tensor]
RULES = ("inflection_point", "warm_start", "dependent", "uniform")
_EVERY, _SAMPLES = 200, 100  # steps between two samples of R where the length is unknown; samples of a known run


@techniques.add
@dataclass(frozen=True, repr=False)
class CPR(Regularizer):
    """Hold the size of each weight matrix below a bound, by a multiplier that grows while the bound is broken.

        after the optimizer's step, for each matrix W:  μ ← max(0, μ + β·(R(W) − c·κ)),  W ← W − μ·∇R(W)

    β = ``pace``/size of W (``pace`` itself for ``std``). R is ‖W‖² (``l2``), Σ|w| (``l1``), the standard deviation
    (``std``) or Σ of Huber's loss with its bend at 1 (``huber``). Where κ comes from (``rule``): ``uniform``: 1, so
    that c is the bound; ``dependent``: R at attach; ``warm_start``: R after ``start`` steps; ``inflection_point``: R
    when its smoothed growth first slows down, looked at every ``start`` steps. Until κ is known nothing is done.

    Stage: update (project, after the optimizer; not scaled by the learning rate).  Cost: one pass over the matrices.
    Strengths: bound c in [1e-4, 1e6], neutral ∞, log, stronger = down.
    Shapes: any; each matrix has a multiplier of its own; biases, norms and embeddings are left alone.
    Use when: the right decay is not known and a bound is easier to name; Adam.
    Avoid when: training is short: μ needs a few hundred steps, and shoots below the bound by up to 15 %.

    Args:
        bound: c, multiple of κ.
        rule: where κ comes from.
        measure: R.
        start: steps of ``warm_start``, or between two looks of ``inflection_point``; None: 200 steps, or a hundredth of
            a run that is shorter than 20 000 steps.
        pace: how fast μ grows.

    Raises:
        SettingError: c outside its range, or another setting is unknown or not above 0.
        RecipeError: the optimizer decays too, or there is no weight matrix.

    Example:
        >>> CPR(0.8, rule="dependent")
        CPR(bound=0.8, rule='dependent')

    References: Franke et al. (2024), arXiv:2311.09058, algorithm 1 and section 4.3.

    """

    bound: float = 1.0
    rule: str = "inflection_point"
    measure: str = "l2"
    start: int | None = None
    pace: float = 1.0

    strengths: ClassVar[dict[str, Strength]] = {
        "bound": Strength(
            1.0,
            low=1e-4,
            high=1e6,
            neutral=float("inf"),
            scale="log",
            stronger="down",
            words="how large a weight matrix may become",
        )
    }
    takes_complex: ClassVar[bool] = False
    family: ClassVar[str] = "weights"
    rank: ClassVar[Rank] = Rank.PROJECT
    effect: ClassVar[Effect] = {"bound": ("weight_size", "down")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("sets norms",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("averages", "order", "norms are set before the average is taken", "The average sees the weights as set"),
        Rule("decays", "warn", "the bound takes the place of decay", "Leave the decay out"),
        Rule("sets norms", "refuse", "both decide on the norm of a matrix", "Keep one of them"),
    )
    by_weight: ClassVar[frozenset[str]] = frozenset({"push", "kappa", "smooth", "growth"})
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "franke2024",
            "Franke et al.",
            2024,
            "Improving deep learning optimization through constrained parameter regularization",
            "NeurIPS",
            "2311.09058",
        ),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value, known in (("rule", self.rule, RULES), ("measure", self.measure, tuple(MEASURES))):
            if value not in known:
                raise SettingError(f"CPR got {name}={value!r}", f"it is one of {', '.join(known)}", "Pick one")
        if (self.start is not None and self.start < 1) or not 0 < self.pace < float("inf"):
            raise SettingError(
                f"CPR got start={self.start!r} and pace={self.pace!r}", "both are above 0", "Leave them out"
            )

    @classmethod
    def samples(cls) -> tuple[CPR, ...]:
        """Return ones whose bound is known within the few steps of the suite."""
        return cls(0.5, rule="dependent"), cls(0.5, rule="warm_start", measure="huber", start=2)

    def check(self, context: Context, optimizer: Any) -> None:
        """Refuse a second decay, and a model without any matrix."""
        no_torch_optimizer_decay(optimizer)
        require_matrices(context.model, "CPR")

    def plan(self, context: Context) -> tuple[tuple[str, ...], Tensor, int]:
        """Return the bounded weights, β for each, and ``start`` in steps."""
        names = require_matrices(context.model, "CPR")
        sizes = [context.model.get_parameter(name).numel() for name in names]
        paces = [self.pace if self.measure == "std" else self.pace / size for size in sizes]
        start = self.start or min(_EVERY, max(1, (context.steps or _EVERY * _SAMPLES) // _SAMPLES))
        return names, torch.tensor(paces, dtype=exact(context.device), device=context.device), start

    def weights(self, plan: Any) -> tuple[str, ...]:
        """Return the weights of the plan."""
        names: tuple[str, ...] = plan[0]
        return names

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Start with μ = 0 and the κ that is known: 1, R(W), or none (∞)."""
        part = params.part(require_matrices(context.model, "CPR"))
        zero = torch.zeros(len(part), dtype=exact(context.device), device=context.device)
        kappa = torch.full_like(zero, 1.0 if self.rule == "uniform" else torch.inf)
        if self.rule == "dependent":
            kappa = self._sizes(part)
        memory = {"push": zero, "kappa": kappa, "step": zero.new_zeros(())}
        if self.rule == "inflection_point":
            memory |= {"smooth": zero.clone(), "growth": zero.clone(), "looks": zero.new_zeros(())}
        return memory

    def _sizes(self, part: Leaves) -> Tensor:
        if self.measure == "l2":
            return each_norm(part).to(exact(part.tensors[0].device)).square()
        size, _ = MEASURES[self.measure]
        return torch.stack([size(w.detach()) for w in part.tensors]).to(exact(part.tensors[0].device))

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Step, then push back what is too large."""
        planned, pace, start = memory.plan
        _, slope = MEASURES[self.measure]
        learns = self.rule in ("warm_start", "inflection_point")

        def step(params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
            params = inner(params, grads, rate)
            with torch.no_grad():
                due = learns and self._due(params, memory, start)
                if learns and not due and bool(memory["kappa"].isinf().all()):
                    return params
                names = present(grads, planned)
                if not names:
                    return params
                size = self._sizes(params.part(planned))
                excess = size - strengths["bound"] * memory["kappa"].clamp_min(1e-30)
                push = torch.addcmul(memory["push"], pace, excess).clamp_min(0)
                if len(names) < len(planned):  # what stands still is neither pushed nor does its push grow
                    places = places_of(names, planned)
                    moved = push[places]
                    push = memory["push"].clone()
                    push[places] = moved
                memory["push"] = push
                if len(names) < len(planned):
                    push = moved
                if due:
                    self._learn(memory, size, start)
                if strengths.is_off("bound", float("inf")):
                    return params
                if self.measure == "l2":  # never past zero
                    return params.mul_(list(torch.rsub(push, 1.0, alpha=2.0).clamp_min(0).unbind()), only=names)
                part = params.part(names)
                back = [slope(w) * p for w, p in zip(part.tensors, push.unbind(), strict=True)]
                return params.add_(part.like(back), -1.0, only=names)

        return step

    def _due(self, params: Leaves, memory: Memory, start: int) -> bool:
        """Count the step and return whether κ may change at it; True where asking would wait for a device."""
        memory["step"] = memory["step"] + 1
        if not params.owned or memory["step"].device.type != "cpu":
            return True
        step = int(memory["step"])
        return step == start if self.rule == "warm_start" else step % start == 0

    def _learn(self, memory: Memory, size: Tensor, start: int) -> None:
        """Set κ where its time has come."""
        if self.rule == "warm_start":
            memory["kappa"] = torch.where(memory["step"] == start, size, memory["kappa"])
        else:
            due = torch.remainder(memory["step"], start) == 0
            smooth = torch.where(memory["looks"] == 0, size, 0.9 * memory["smooth"] + 0.1 * size)
            growth = smooth - memory["smooth"]
            slows = due & (memory["looks"] >= 2) & (growth < memory["growth"]) & torch.isinf(memory["kappa"])
            memory["kappa"] = torch.where(slows, size, memory["kappa"])
            memory["growth"] = torch.where(due, growth, memory["growth"])
            memory["smooth"] = torch.where(due, smooth, memory["smooth"])
            memory["looks"] = memory["looks"] + due


def _spread(w: Tensor) -> Tensor:
    return torch.sqrt(torch.sum((w - w.mean()) ** 2) / max(w.numel() - 1, 1))


def _spread_slope(w: Tensor) -> Tensor:
    return (w - w.mean()) / (max(w.numel() - 1, 1) * _spread(w).clamp_min(1e-12))


def _huber(w: Tensor) -> Tensor:
    near = w.abs().clamp_max(1.0)
    return torch.sum(near * (w.abs() - 0.5 * near))


MEASURES: dict[str, tuple[Measure, Measure]] = {
    "l2": (lambda w: torch.sum(w * w), lambda w: 2.0 * w),
    "l1": (lambda w: torch.sum(w.abs()), torch.sign),
    "std": (_spread, _spread_slope),
    "huber": (_huber, lambda w: w.clamp(-1.0, 1.0)),
}
