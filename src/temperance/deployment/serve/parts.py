"""What watches a served bundle at a level: monitor, adapter, what answers the owner, and where all is kept."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict

import numpy as np

from temperance.deployment.bundle import Bundle
from temperance.deployment.serve.admin import Admin
from temperance.deployment.serve.keep import GuardMemory, Keep, Stateful
from temperance.deployment.serve.recent import Recent
from temperance.records.errors import SettingError

if TYPE_CHECKING:
    from temperance.adaptation.guard import Guarded
    from temperance.monitoring.degradation import LossMonitor
    from temperance.monitoring.monitor import Monitor

Level = Literal["off", "observe", "shadow", "adapt"]


class Parts(TypedDict, total=False):
    """Settings of ``Answering`` and ``Application``; empty where nothing is watched."""

    watcher: Monitor
    adapter: Guarded | None
    admin: Admin
    keep: Keep | None


def parts(bundle: Bundle, *, level: Level, state: str | Path | None, token: str) -> Parts:
    """Return what watches a bundle, with its state of earlier.

    Raises:
        BundleError: the state in the folder ``state`` is damaged.
        SettingError: a level that this bundle cannot have, or a folder ``state`` that cannot be used.

    """
    monitor = _monitor(bundle, level)
    if monitor is None:
        return {}
    guard, loss = _guard(bundle, level, monitor), _loss(bundle)
    recent = Recent(monitor.reference["sample"].shape[1:])
    admin = Admin(bundle, token, monitor=monitor, recent=recent, loss=loss, adapter=guard)
    keep = None
    if state is not None:
        kept: dict[str, Stateful] = {"monitor": monitor, "recent": recent}
        if loss is not None:
            kept["loss"] = loss
        if guard is not None:
            kept["guard"] = GuardMemory(guard)
        keep = Keep(Path(state), bundle.version, kept)
        keep.load()
    return {"watcher": monitor, "adapter": guard, "admin": admin, "keep": keep}


def _monitor(bundle: Bundle, level: Level) -> Monitor | None:
    if level == "off" or bundle.reference is None:
        return None
    from temperance.monitoring.monitor import Monitor

    return Monitor(bundle.reference, bundle.schema)


def _loss(bundle: Bundle) -> LossMonitor | None:
    """Return what judges labelled answers: errors, or values outside the interval; None without a figure at release."""
    from temperance.monitoring.degradation import LossMonitor, ceiling_of

    reference = dict(bundle.reference or {})
    if not bundle.classes:
        if not bundle.has_interval:
            return None
        stated = bundle.card["interval"]
        reference["loss"] = np.array([1 - float(stated["level"]), 0.0, max(1, int(stated.get("n") or 1))])
    return LossMonitor(ceiling_of(reference)) if "loss" in reference else None


def _guard(bundle: Bundle, level: Level, monitor: Monitor) -> Guarded | None:
    reference = monitor.reference
    if level not in ("shadow", "adapt"):
        return None
    if not bundle.classes or "sample_target" not in reference:
        raise SettingError(
            f"the level {level!r} for this bundle",
            "adaptation corrects class shares: it needs a classification bundle with true classes in its reference",
            "Serve at level observe",
        )
    from temperance.adaptation.adapters.label_shift import LabelShift
    from temperance.adaptation.guard import Guarded
    from temperance.adaptation.inputs import InputCheck

    inputs = InputCheck(monitor) if "class_counts" in reference else None
    return Guarded(LabelShift(), reference, level=level, inputs=inputs, clock=time.time)  # type: ignore[arg-type]
