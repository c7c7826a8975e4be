"""Write a form of a bundle as a bundle of its own: whole or not at all, with golden rows answered by itself."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from temperance.deployment.bundle import Bundle, load, read_arrays
from temperance.deployment.export.gate import Candidate
from temperance.deployment.manifest import MANIFEST, write_manifest
from temperance.deployment.write import Exported
from temperance.records.errors import BundleError
from temperance.records.plain_json import dumps

#: The weights as they were trained, as the graph holds its own; and papers whose hashes are those of other files.
DROPPED = ("weights.safetensors", "provenance.json", "provenance.dsse.json")


def derive(bundle: Bundle, one: Candidate, out: Path, *, told: Mapping[str, Any]) -> Bundle:
    """Write ``one`` to ``out`` as a bundle.

    Args:
        bundle: whose form it is; everything beside the graph is taken over.
        one: a candidate that is not refused.
        out: a new folder.
        told: for ``details.export`` of the card: target, what was weighed.

    Raises:
        BundleError: ``out`` exists, or cannot be written. Nothing is left then.

    """
    if out.exists():
        raise BundleError(f"{str(out)!r} exists", "a new folder, so that nothing is lost", "Choose another --out")
    made = Exported(bundle.schema, one.graph, bundle.blocks)
    temporary: Path | None = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".partial", dir=out.parent))
        for name in bundle.manifest["files"]:
            if name not in (*DROPPED, "model.onnx", "parity.npz", "bundle.json"):
                (temporary / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(bundle.folder / name, temporary / name)
        (temporary / "model.onnx").write_bytes(one.graph)
        _golden(bundle, made, temporary / "parity.npz")
        card = _card(bundle, made, one, told)
        (temporary / "bundle.json").write_text(dumps(card, indent=1) + "\n", encoding="utf-8")
        (temporary / MANIFEST).unlink(missing_ok=True)
        write_manifest(temporary)
        temporary.chmod(0o755)
        load(temporary)
        os.replace(temporary, out)
    except OSError as error:
        raise BundleError(
            f"the bundle cannot be written to {str(out)!r}: {error}", "a folder with room", "Choose another --out"
        ) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    return load(out, verify=False)


def _card(bundle: Bundle, made: Exported, one: Candidate, told: Mapping[str, Any]) -> dict[str, Any]:
    parity = {**bundle.card["parity"], "tolerance": one.tolerance}
    if one.difference is not None:
        parity["from_the_trained_model"] = one.difference
    details = {
        **bundle.card.get("details", {}),
        "export": {**told, "form": one.name, "from_version": bundle.version, "drop": one.drop, "n": one.n},
    }
    return {**bundle.card, "version": made.version, "parity": parity, "details": details}


def _golden(bundle: Bundle, made: Exported, path: Path) -> None:
    """Write the bundle's golden rows with what this form answers."""
    held = read_arrays(bundle.folder / "parity.npz")
    feed = bundle.golden_feed(held)
    np.savez_compressed(path, allow_pickle=False, **{**held, "expected": made.bundle.run(feed)})
