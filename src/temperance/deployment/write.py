"""Write a bundle: draw the graph, pass the parity gate, then write every file at once or nothing at all."""

from __future__ import annotations

import hashlib
import math
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.base import Part, model_graph
from temperance.deployment.bundle import Bundle, load, schema_digest, session
from temperance.deployment.manifest import FORMAT, LARGEST_FILE, MANIFEST, SCHEMA, write_manifest
from temperance.deployment.parity import gate, stress_rows
from temperance.deployment.sketch import Sketch
from temperance.evaluation.calibration import Calibrator
from temperance.records.errors import BundleError
from temperance.records.plain_json import dumps
from temperance.records.plain_names import is_plain
from temperance.records.predictor import Predictor
from temperance.records.schema import Rows, Schema
from temperance.records.version import __version__

DATATYPES = {"tensor(double)": "FP64", "tensor(string)": "BYTES", "tensor(uint8)": "UINT8"}


@dataclass(frozen=True)
class Interval:
    """Half the width of prediction intervals of a regression, by level: [value − half width, value + half width].

    Attributes:
        levels: shares of rows that the intervals hold, rising.
        half_widths: one per level.
        level: the one that is served.
        n: calibration rows that they rest on.

    """

    levels: tuple[float, ...]
    half_widths: tuple[float, ...]
    level: float = 0.9
    n: int = 0

    @classmethod
    def of(
        cls, residuals: NDArray[Any], *, levels: tuple[float, ...] = (0.5, 0.8, 0.9, 0.95), level: float = 0.9
    ) -> Interval:
        """Take split-conformal half widths from residuals of held-out rows.

        The half width at level a is the ⌈(n + 1)·a⌉-th smallest |residual|; a level that n rows cannot carry
        ((n + 1)·a > n) is left out. Coverage ≥ a for exchangeable rows (Lei et al. 2018, arXiv 1604.04173, §2.2).

        Shapes: residuals (n,).

        Raises:
            BundleError: too few residuals for ``level``.

        """
        sizes = np.sort(np.abs(np.asarray(residuals, dtype=np.float64)))
        ranks = {a: math.ceil((len(sizes) + 1) * a) for a in sorted({*levels, level})}
        kept = {a: float(sizes[rank - 1]) for a, rank in ranks.items() if rank <= len(sizes)}
        if level not in kept:
            raise BundleError(
                f"{len(sizes)} residuals for an interval at level {level}", f"at least {math.ceil(level / (1 - level))}"
            )
        return cls(tuple(kept), tuple(kept.values()), level, len(sizes))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {
            "method": "split conformal on absolute residuals",
            "level": self.level,
            "levels": list(self.levels),
            "half_widths": list(self.half_widths),
            "n": self.n,
        }


@dataclass(frozen=True)
class Extras:
    """What is shipped beside the model.

    Attributes:
        reference: arrays of ``monitoring.reference.build``, for ``reference.npz``.
        recipe: for ``recipe.json``: the recipe, its controller trace, how it was trained.
        recipe_toml: for ``recipe.toml``.
        texts: further text files by name, e.g. ``{"model_card.md": "…"}``.
        details: further entries of ``bundle.json`` under ``details``: fingerprint of the data, trial, licence.

    """

    reference: Mapping[str, NDArray[Any]] | None = None
    recipe: Mapping[str, Any] | None = None
    recipe_toml: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


class Exported:
    """The exported graph in memory, as a ``Predictor``, before there is a folder."""

    def __init__(self, schema: Schema, graph: bytes) -> None:
        self.schema = schema
        self.version = hashlib.sha256(graph).hexdigest()[:12]
        self.session = session(graph)
        names = [entry.name for entry in self.session.get_inputs()]
        self.card: dict[str, Any] = {
            "name": "",
            "version": "",
            "schema": schema.to_dict(),
            "inputs": [{"name": name} for name in names],
            "outputs": [{"name": self.session.get_outputs()[0].name}],
            "parity": {"scale": 0.0},
        }
        self.bundle = Bundle(Path(), self.card, self.session, {"files": {}})

    def predict(self, rows: Rows) -> NDArray[Any]:
        """Return what the graph says.

        Shapes: probabilities (b, c) or values (b,).
        """
        return self.bundle.predict(rows)


def write_bundle(
    folder: str | Path,
    *,
    part: Part,
    schema: Schema,
    predictor: Predictor,
    rows: Rows,
    calibrator: Calibrator | None = None,
    interval: Interval | None = None,
    extras: Extras | None = None,
    name: str = "model",
    graph: Any = None,
) -> Bundle:
    """Export a model, check it against the trained one and write the bundle.

    Args:
        folder: where; a bundle that is there already is replaced, any other folder with files is refused.
        part: the model as something that can be drawn.
        schema: columns and target.
        predictor: the trained model as it was evaluated: its path from raw rows is compared with the graph's.
        rows: raw rows for the comparison, at least one; none of them is stored.
        calibrator: applied after everything else (classification); it is also named in ``bundle.json``.
        interval: prediction intervals (regression).
        extras: reference statistics, recipe, cards.
        name: model name of the Open Inference Protocol.
        graph: a ``ModelProto`` drawn before and filled with the winner's weights; drawn now when left out.

    Raises:
        BundleError: the parity gate fails, the graph is too large, or the folder cannot be written. Nothing is left.

    """
    folder, extras = Path(folder), extras or Extras()
    _check_place(folder)
    if not is_plain(name, letters="any"):
        raise BundleError(f"the model's name {name!r}", "letters, digits, _, - and inner dots", "Choose another name")
    if rows.size < 1:
        raise BundleError("no rows for the parity gate", "at least one raw row", "Pass calibration rows")
    if graph is None:
        graph = model_graph(part, Sketch(schema), schema.target, calibrator=calibrator)
    data = graph.SerializeToString()
    if len(data) > LARGEST_FILE:
        raise BundleError(f"the graph has {len(data)} bytes", f"at most {LARGEST_FILE}", "Ship a smaller model")
    exported = Exported(schema, data)
    scale = _scale(predictor, rows, schema)
    worst = gate(predictor, exported, rows, schema, scale=scale)
    parity = {"largest_difference": worst, "scale": scale, "tolerance": 1e-5}
    card = _card(exported, schema, name, interval, extras, parity)
    card["calibrator"] = calibrator.to_dict() if calibrator else None
    return _write(folder, data, card, exported, part, rows, extras)


def _check_place(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise BundleError(f"{str(folder)!r} is not a folder", "a new folder, or an older bundle")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise BundleError(
            f"the folder {str(folder)!r} holds other files", "a new folder, or an older bundle", "Choose another folder"
        )


def _scale(predictor: Predictor, rows: Rows, schema: Schema) -> float:
    if schema.target.task != "regression":
        return 0.0
    values = np.asarray(predictor.predict(rows.take(slice(0, 512))), dtype=np.float64)
    return float(np.nanstd(values)) or float(np.nanmax(np.abs(values), initial=0.0))


def _card(
    exported: Exported, schema: Schema, name: str, interval: Interval | None, extras: Extras, parity: dict[str, Any]
) -> dict[str, Any]:
    entries = exported.session.get_inputs(), exported.session.get_outputs()
    inputs, outputs = ([_tensor(entry) for entry in part] for part in entries)
    columns = {"numeric": [c.name for c in schema.numeric], "categorical": [c.name for c in schema.categorical]}
    for entry in inputs:
        entry["columns"] = columns.get(str(entry["name"]), [])
    return {
        "format": FORMAT,
        "schema_version": SCHEMA,
        "temperance": __version__,
        "name": name,
        "version": exported.version,
        "task": schema.target.task,
        "classes": list(schema.target.classes),
        "inputs": inputs,
        "outputs": outputs,
        "missing": {"numeric": "NaN", "categorical": ""},
        "interval": interval.to_dict() if interval else None,
        "parity": parity,
        "schema": schema.to_dict(),
        "details": dict(extras.details),
    }


def _tensor(entry: Any) -> dict[str, Any]:
    shape = [size if isinstance(size, int) else -1 for size in entry.shape]
    return {"name": entry.name, "datatype": DATATYPES[entry.type], "shape": shape}


def _write(
    folder: Path, data: bytes, card: dict[str, Any], exported: Exported, part: Part, rows: Rows, extras: Extras
) -> Bundle:
    temporary = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent))
        (temporary / "model.onnx").write_bytes(data)
        _json(temporary / "bundle.json", card)
        _golden(temporary / "parity.npz", exported, rows)
        _weights(temporary / "weights.safetensors", part)
        _extras(temporary, extras)
        write_manifest(temporary)
        temporary.chmod(0o755)
        load(temporary)
        _swap(temporary, folder)
    except OSError as error:
        raise BundleError(
            f"the bundle cannot be written to {str(folder)!r}: {error}",
            "a folder with room",
            "Free space or choose another",
        ) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    return load(folder, verify=False)


def _swap(temporary: Path, folder: Path) -> None:
    """Put the new folder in place of the old one; the old one is kept until the new one stands."""
    if not folder.exists():
        os.replace(temporary, folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".old", dir=folder.parent))
    try:
        os.replace(folder, old / "bundle")
        try:
            os.replace(temporary, folder)
        except OSError:
            os.replace(old / "bundle", folder)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _json(path: Path, body: Mapping[str, Any]) -> None:
    path.write_text(dumps(body, indent=1) + "\n", encoding="utf-8")


def _golden(path: Path, exported: Exported, rows: Rows) -> None:
    golden = stress_rows(rows, exported.schema, seed=1)
    feed = exported.bundle.feed(golden)
    arrays = {name: array.astype(str) if array.dtype == object else array for name, array in feed.items()}
    np.savez_compressed(path, allow_pickle=False, schema=schema_digest(exported.card["schema"]),
                        expected=exported.predict(golden), **arrays)  # fmt: skip


def _weights(path: Path, part: Part) -> None:
    from safetensors.numpy import save_file

    arrays = {name: np.ascontiguousarray(array) for name, array in part.arrays().items()}
    save_file(arrays, path)


def _extras(folder: Path, extras: Extras) -> None:
    if extras.reference is not None:
        np.savez_compressed(folder / "reference.npz", allow_pickle=False, **dict(extras.reference))
    if extras.recipe is not None:
        _json(folder / "recipe.json", extras.recipe)
    texts = {**extras.texts, **({"recipe.toml": extras.recipe_toml} if extras.recipe_toml else {})}
    for name, text in texts.items():
        if not is_plain(name, letters="any"):
            raise BundleError(f"a text file named {name!r}", "a plain file name")
        (folder / name).write_text(text, encoding="utf-8")
