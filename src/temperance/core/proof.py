"""Proof that each ingredient acts: one step with it and one without it, from the same state, and the difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

import torch
from torch import Tensor

from temperance.core.attached import Attached
from temperance.core.batch import Batch, call
from temperance.core.leaves import Leaves
from temperance.core.random import fold, pulse
from temperance.core.state import SessionState
from temperance.core.statistics import evaluating

STOOD = (
    "nothing to be seen: the step moved no weight, with this technique and without (is the learning rate 0 now? Ask "
    "before the schedule ends)"
)


@dataclass(frozen=True)
class Evidence:
    """What one ingredient changed on one batch.

    Attributes:
        ingredient: its address.
        acted: whether anything changed.
        evidence: plain sentence with the figures.
        loss_change: relative change of the training loss.
        weight_change: norm of the change of the step's weights over the norm of the step.
        served_change: norm of (served − trained weights) over the norm of the weights.
        silent: it changes nothing at inference.

    """

    ingredient: str
    acted: bool
    evidence: str
    loss_change: float
    weight_change: float
    served_change: float
    silent: bool

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return asdict(self)


def collect(session: Attached, batch: Batch) -> list[Evidence]:
    """Measure every ingredient; the session is left bit for bit as it was, gradients and modes of the layers too."""
    state, solo = session.snapshot(), session.solo
    start = solo.home.clone(owned=True)
    gradients = [(p, p.grad) for p in (*solo.home.tensors, *solo.holdings.foreign)]
    try:
        with _training(session):
            full = _try(session, batch, state, None)
            return [
                _evidence(address, full, _try(session, batch, state, address), start, "served" in one.stages())
                for address, one in session.recipe.by_address.items()
            ]
    finally:
        session.restore(state)
        for p, gradient in gradients:
            p.grad = gradient


@contextmanager
def _training(session: Attached) -> Iterator[None]:
    """Put the model in training mode, unless it is; layers that the user keeps in evaluation mode then stay so."""
    modes = [(m, m.training) for m in session.model.modules()]
    if not session.model.training:
        session.model.train()
    try:
        yield
    finally:
        for m, mode in modes:
            m.training = mode


def _try(
    session: Attached, batch: Batch, state: SessionState, without: str | None
) -> tuple[float, Leaves, Leaves, list[Tensor]]:
    session.restore(state)
    if without is not None:
        one = session.recipe.by_address[without]
        session._set({f"{without}.{name}": spec.neutral for name, spec in one.strengths.items()})
    device = session.solo.device
    # a net's own dropout draws from torch's generators: every try must see the same noise there
    with torch.random.fork_rng([] if device.type != "cuda" else [device]):
        torch.manual_seed(0)
        with evaluating(session.model), torch.no_grad(), pulse(fold(session.seed, session.steps)):
            answer = _tensors(call(session.model, session.solo.loss.asked(batch)))
        session.solo.pending = []
        passed = session.solo.step([batch], fold(session.seed, session.steps))
    return float(passed.loss.detach()), session.solo.home.clone(owned=True), session.served.clone(owned=True), answer


def _evidence(address: str, full: Any, without: Any, start: Leaves, serves: bool) -> Evidence:
    moved = float(full[1].add(start, -1.0).norm())
    step = moved or 1.0
    loss = abs(full[0] - without[0]) / max(abs(without[0]), 1e-12)
    weights = float(full[1].add(without[1], -1.0).norm()) / step
    size = float(full[1].norm()) or 1.0
    served = float(full[2].add(full[1], -1.0).norm()) / size if serves and not _same(full[2], full[1]) else 0.0
    silent = all(torch.equal(a, b) for a, b in zip(full[3], without[3], strict=True))
    changes = {"the loss": loss, "the step of the weights": weights, "the served weights": served}
    said = [f"{what} by {100 * value:.3g} %" for what, value in changes.items() if value > 0]
    acted = bool(said)
    nothing = "changed nothing on this batch" if moved else STOOD
    text = f"changed {', '.join(said)}" if acted else nothing
    text += "; silent at inference" if silent else "; acts at inference too"
    return Evidence(address, acted, text, loss, weights, served, silent)


def _same(a: Leaves, b: Leaves) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.tensors, b.tensors, strict=True))


def _tensors(outputs: Any) -> list[Tensor]:
    """Return copies of the tensors of an answer, however it is nested; what is no tensor (None, say) is left out."""
    if isinstance(outputs, Tensor):
        return [outputs.detach().clone()]
    if is_dataclass(outputs) and not isinstance(outputs, Mapping):
        outputs = vars(outputs)
    if isinstance(outputs, Mapping):
        outputs = list(outputs.values())
    return [t for part in outputs for t in _tensors(part)] if isinstance(outputs, (list, tuple)) else []
