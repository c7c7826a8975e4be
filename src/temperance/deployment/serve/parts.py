"""What watches a served bundle at a level: monitor, adapter, what answers the owner, and where all is kept."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict

import numpy as np

from temperance.deployment.bundle import Bundle
from temperance.deployment.serve.admin import Admin
from temperance.deployment.serve.keep import Keep, Stateful
from temperance.deployment.serve.recent import Recent
from temperance.records.errors import DataError, SettingError

if TYPE_CHECKING:
    from temperance.adaptation.steward import Steward
    from temperance.monitoring.claims import Claim
    from temperance.monitoring.degradation import LossMonitor
    from temperance.monitoring.monitor import Monitor

log = logging.getLogger(__name__)
Level = Literal["off", "observe", "shadow", "adapt"]


class Parts(TypedDict, total=False):
    """Settings of ``Answering`` and ``Application``; empty where nothing is watched."""

    watcher: Monitor
    adapter: Steward | None
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
    steward, loss, claim = _steward(bundle, level, monitor), _loss(bundle), _claim(monitor)
    recent = Recent(monitor.reference["sample"].shape[1:])
    admin = Admin(bundle, token, monitor=monitor, recent=recent, loss=loss, claim=claim, adapter=steward)
    keep = None
    if state is not None:
        found: dict[str, Stateful | None] = {
            "recent": recent, "monitor": monitor, "loss": loss, "claim": claim, "steward": steward,
        }  # fmt: skip  # in this order: tickets that "recent" holds are known to the steward
        keep = Keep(Path(state), bundle.version, {name: part for name, part in found.items() if part is not None})
        keep.load()
    return {"watcher": monitor, "adapter": steward, "admin": admin, "keep": keep}


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


def _claim(monitor: Monitor) -> Claim | None:
    """Return what holds labelled answers against the label-free estimate; None without truth in the reference."""
    from temperance.monitoring.claims import Claim

    return Claim(monitor.reference) if "sample_target" in monitor.reference else None


def _steward(bundle: Bundle, level: Level, monitor: Monitor) -> Steward | None:
    """Return what adapts; class shares move without labels only where the reference says how inputs go with classes."""
    reference = monitor.reference
    if level not in ("shadow", "adapt"):
        return None
    if "sample_target" not in reference:
        raise SettingError(
            f"the level {level!r} for this bundle", "true classes or values in its reference, to adapt on proof",
            "Serve at level observe, or export it again from a study",
        )  # fmt: skip
    from temperance.adaptation.adapters.label_shift import LabelShift
    from temperance.adaptation.guard import Guarded
    from temperance.adaptation.inputs import InputCheck
    from temperance.adaptation.steward import Steward

    shares = None
    if bundle.classes and "class_counts" in reference:
        try:
            shares = Guarded(LabelShift(), reference, level="adapt", inputs=InputCheck(monitor), clock=time.time)
        except DataError as fault:  # too few rows of its classes: that one way is closed, and it is said
            log.warning("class shares will not be corrected without labels: %s", fault)
    model = bundle.predict if bundle.schema.kind == "table" else None
    return Steward(reference, bundle.schema, level=level, model=model, unlabelled=shares, clock=time.time)
