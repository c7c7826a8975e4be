"""The loss of each training row, and how it is spread."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.core.devices import widened
from temperance.core.kit.by_row import gather, table
from temperance.core.signal import ObservedPass, Probe, Signal, signals

PERCENTILES = (10, 50, 90)


@signals.add
@dataclass(frozen=True)
class Difficulty(Signal):
    """Keep the latest training loss of each row and give its percentiles over all rows seen so far.

        difficulty_p10, difficulty_p50, difficulty_p90;  difficulty_share = share of rows with loss > mean + 2·sd

    It needs ``Batch.index`` and a loss per row; other batches, and mixed ones, are left out. The losses are those of
    training passes, so noise on units acts on them. A hard row is not a wrong row. The losses themselves:
    ``per_row(session)``.

    Source: techniques survey, S13; textbook.
    """

    gives: ClassVar[tuple[str, ...]] = (*(f"difficulty_p{p}" for p in PERCENTILES), "difficulty_share")
    price: ClassVar[str] = "the loss function once more on each batch' outputs; one number per training row is kept"
    needs_valid: ClassVar[bool] = False

    def watch(self, observed: ObservedPass, memory: dict[str, Any]) -> None:
        """Note the losses of the pass."""
        losses = observed.loss(observed.outputs, observed.batch.targets)
        if losses.dim() and observed.batch.index is not None:
            gather(
                memory, observed.batch.index, losses.float() if losses.dim() == 1 else losses.float().flatten(1).mean(1)
            )

    def measure(self, probe: Probe) -> dict[str, float]:
        """Return the percentiles; NaN where no row was seen."""
        losses = settle(probe.memory)
        known = widened(losses[torch.isfinite(losses)])
        if not known.numel():
            return dict.fromkeys(self.gives, math.nan)
        marks = torch.quantile(known, known.new_tensor([p / 100 for p in PERCENTILES])).tolist()
        spread = float(known.std()) if known.numel() > 1 else 0.0
        share = float(widened(known > known.mean() + 2 * spread).mean())
        return dict(zip(self.gives, [*marks, share], strict=True))


def settle(memory: dict[str, Any]) -> Tensor:
    """Put what was gathered into the table of latest losses and return it, (n,); NaN for rows not seen yet."""
    now = table(memory, math.nan)
    last = memory.get("last", now[:0])
    size = max(len(now), len(last))
    now, last = (torch.nn.functional.pad(part.float(), (0, size - len(part)), value=math.nan) for part in (now, last))
    memory["last"] = torch.where(torch.isnan(now), last, now)
    whole: Tensor = memory["last"]
    return whole


def per_row(session: Any) -> Tensor:
    """Return the latest training loss of each row by its index, (n,); NaN for rows not seen.

    Raises:
        KeyError: the session does not measure this signal; attach it with ``signals=[Difficulty()]``.

    """
    return settle(session.signal_memory("difficulty")).clone()
