"""How sure the model is of its answers, and whether rightly so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from temperance.core.batch import Batch
from temperance.core.devices import widened
from temperance.core.kit.by_row import scores
from temperance.core.signal import Probe, Signal, signals
from temperance.records.errors import SettingError

NAMES = ("confidence", "margin", "true_probability", "entropy", "largest_logit", "overconfidence")


@signals.add
@dataclass(frozen=True)
class Confidence(Signal):
    """Measure the probabilities that the served weights give, in evaluation mode, as means over rows.

        confidence = largest p · margin = largest p − second largest p · true_probability = p of the true class
        entropy = −Σ p ln p · largest_logit = largest logit · overconfidence = confidence − accuracy

    One output column counts as the logit of the second of two classes. NaN for anything but class numbers as targets.

    Args:
        side: ``valid``: the rows given to ``validate``; ``train``: the kept training batches (it saturates early).

    Source: techniques survey, S10; textbook.

    """

    side: Literal["valid", "train"] = "valid"

    gives: ClassVar[tuple[str, ...]] = NAMES
    price: ClassVar[str] = "one forward pass over the held-out batches"

    def __post_init__(self) -> None:
        if self.side not in ("valid", "train"):
            raise SettingError(f"Confidence got side={self.side!r}", "'valid' or 'train'", "Pick one")

    def measure(self, probe: Probe) -> dict[str, float]:
        """Return the six means."""
        return summarize(probe, probe.valid if self.side == "valid" else probe.train)


def summarize(probe: Probe, batches: Sequence[Batch]) -> dict[str, float]:
    """Return the means over all rows of ``batches``; NaN where they cannot be known."""
    parts = [rows_of(probe.outputs(batch, probe.served), batch.targets) for batch in batches]
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return dict.fromkeys(NAMES, math.nan)
    return dict(zip(NAMES, torch.cat(known, 1).mean(1).tolist(), strict=True))


def rows_of(outputs: object, targets: object) -> Tensor | None:
    """Return the six numbers of each row, (6, b) float64; None where outputs or targets are not of classes."""
    logits = scores(outputs)
    if logits is None or not isinstance(targets, Tensor) or targets.numel() != logits.shape[0]:
        return None
    whole = targets.reshape(-1)
    if whole.is_floating_point() and not bool(((whole == 0) | (whole == 1)).all()):
        return None
    logits, truth = widened(logits), whole.long().unsqueeze(1)
    logs = torch.log_softmax(logits, 1)
    p = logs.exp()
    top = p.topk(2, 1).values
    right = widened(p.argmax(1, keepdim=True) == truth).squeeze(1)
    entropy = -(p * logs.clamp_min(-1e300)).sum(1)
    rows = (top[:, 0], top[:, 0] - top[:, 1], p.gather(1, truth).squeeze(1), entropy, logits.amax(1), top[:, 0] - right)
    return torch.stack(rows)
