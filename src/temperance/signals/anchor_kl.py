"""How far the answers have moved from those of the reference, as the training passes themselves tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import Tensor

from temperance.core.signal import Probe, Signal, signals


@signals.add
@dataclass(frozen=True)
class AnchorKL(Signal):
    """Tell the mean divergence that ``KLAnchor`` measured in the training steps since the last reading.

        kl = mean over steps of mean over places that count of D(r, p), in nats; see ``KLAnchor``

    It is that of training passes: on the rows of the new task, with the net's own dropout. Nothing without a
    ``KLAnchor``. Of micro-batches the first one tells.

    Source: Shenfeld et al. (2025), arXiv:2509.04259: this divergence on the new task tells how much is forgotten.
    """

    gives: ClassVar[tuple[str, ...]] = ("kl",)
    told_by: ClassVar[str] = "KLAnchor"
    when: ClassVar[Literal["step", "validate"]] = "step"
    needs_valid: ClassVar[bool] = False

    def note(self, notes: Mapping[str, Tensor], memory: dict[str, Any]) -> None:
        """Add up what this step told; nothing is waited for."""
        for name, value in notes.items():
            if name.startswith("kl_anchor") and name.endswith(".kl"):
                memory["sum"] = memory["sum"] + value if "sum" in memory else value.clone()
                memory["count"] = memory.get("count", 0) + 1

    def measure(self, probe: Probe) -> dict[str, float]:
        """Return the mean since the last reading and begin anew; nothing where no step told anything."""
        if not probe.memory.get("count"):
            return {}
        value = float(probe.memory.pop("sum")) / probe.memory.pop("count")
        return {"kl": value}
