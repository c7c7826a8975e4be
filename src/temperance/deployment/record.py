"""What was measured of a model on its own test rows, kept in its bundle: later figures are compared with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from temperance.deployment.bundle import Bundle
from temperance.deployment.manifest import add_texts
from temperance.records.errors import BundleError
from temperance.records.measurement import Measurement
from temperance.records.plain_json import dumps

RECORD = "record.json"


def keep_record(folder: Path, measurements: Mapping[str, Mapping[str, Any]], *, rows: int) -> None:
    """Put a record into a bundle that stands; an older one makes way.

    Args:
        folder: the bundle.
        measurements: ``Measurement.to_dict()`` by name, of its test rows.
        rows: count of test rows.

    Raises:
        DataError: the disk is full.

    """
    add_texts(folder, {RECORD: dumps({"rows": rows, "measurements": dict(measurements)}, indent=1) + "\n"})


def record(bundle: Bundle) -> dict[str, Measurement]:
    """Return what was measured of a bundle on its own test rows, by name; empty where it holds no record.

    Raises:
        BundleError: the record is damaged.

    """
    if RECORD not in bundle.manifest["files"]:
        return {}
    try:
        rows = json.loads((bundle.folder / RECORD).read_text(encoding="utf-8"))["measurements"]
        return {str(name): Measurement.from_dict(row) for name, row in rows.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise BundleError(f"{RECORD} is not complete: {fault!r}", "what a study writes", "Export again") from fault
