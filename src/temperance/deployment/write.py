"""Write a bundle: draw the graph, pass the parity gate, then write every file at once or nothing at all."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.data.blocks import Block, pack
from temperance.deployment.base import Part, model_graph
from temperance.deployment.bundle import Bundle, load, raw_inputs, schema_digest, session
from temperance.deployment.manifest import FORMAT, LARGEST_FILE, MANIFEST, SCHEMA, write_manifest
from temperance.deployment.parity import gate, stress_rows
from temperance.deployment.sketch import Sketch
from temperance.evaluation.calibration import Calibrator
from temperance.records.errors import BundleError
from temperance.records.plain_json import dumps
from temperance.records.plain_names import is_plain
from temperance.records.predictor import Predictor
from temperance.records.row_marks import RowMarks
from temperance.records.schema import Rows, Schema
from temperance.records.stated_range import StatedRange as Interval
from temperance.records.version import __version__

TRAINING_ROWS = "training_rows.npz"
DATATYPES = {"tensor(double)": "FP64", "tensor(float)": "FP32", "tensor(string)": "BYTES", "tensor(uint8)": "UINT8"}


@dataclass(frozen=True)
class Extras:
    """What is shipped beside the model.

    Attributes:
        reference: arrays of ``monitoring.reference.build``, for ``reference.npz``.
        recipe: for ``recipe.json``: the recipe, its controller trace, how it was trained.
        recipe_toml: for ``recipe.toml``.
        texts: further text files by name, e.g. ``{"model_card.md": "…"}``.
        marks: of the rows that the model learned from, for ``training_rows.npz``.
        details: further entries of ``bundle.json`` under ``details``: fingerprint of the data, trial, licence.

    """

    reference: Mapping[str, NDArray[Any]] | None = None
    recipe: Mapping[str, Any] | None = None
    recipe_toml: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    marks: RowMarks | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


class Exported:
    """The exported graph in memory with its blocks, as a ``Predictor``, before there is a folder."""

    def __init__(self, schema: Schema, graph: bytes, blocks: Sequence[Block] = ()) -> None:
        self.schema = schema
        self.session = session(graph)
        arrays, self.block_cards = pack(blocks)
        self.block_arrays = arrays
        self._graph_size = len(graph)
        digest = hashlib.sha256(graph)
        for name, array in sorted(arrays.items()):
            digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
        self.version = digest.hexdigest()[:12]
        self.card: dict[str, Any] = {
            "name": "",
            "version": "",
            "schema": schema.to_dict(),
            "inputs": [{"name": name} for name in raw_inputs(schema)],
            "outputs": [{"name": self.session.get_outputs()[0].name}],
            "parity": {"scale": 0.0},
        }
        self.bundle = Bundle(Path(), self.card, self.session, {"files": {}}, blocks)

    @property
    def size(self) -> int:
        """Bytes of what answers: the graph, and beside it the words or filters that blocks know, as they are packed."""
        if not self.block_cards:
            return self._graph_size
        packed = io.BytesIO()
        np.savez_compressed(packed, allow_pickle=False, **self.block_arrays)
        return self._graph_size + packed.getbuffer().nbytes

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
    decision: Mapping[str, Any] | None = None,
    extras: Extras | None = None,
    name: str = "model",
    graph: Any = None,
    blocks: Sequence[Block] = (),
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
        decision: ``Decision.to_dict()``: how probabilities become answers; None: the most probable class.
        extras: reference statistics, recipe, cards.
        name: model name of the Open Inference Protocol.
        graph: a ``ModelProto`` drawn before and filled with the winner's weights; drawn now when left out.
        blocks: those of the sketch of ``graph``.

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
        sketch = Sketch(schema)
        graph = model_graph(part, sketch, schema.target, calibrator=calibrator)
        blocks = sketch.blocks
    data = graph.SerializeToString()
    if len(data) > LARGEST_FILE:
        raise BundleError(f"the graph has {len(data)} bytes", f"at most {LARGEST_FILE}", "Ship a smaller model")
    exported = Exported(schema, data, blocks)
    scale = _scale(predictor, rows, schema)
    worst = gate(predictor, exported, rows, schema, scale=scale)
    parity = {"largest_difference": worst, "scale": scale, "tolerance": 1e-5}
    card = _card(exported, schema, name, interval, extras, parity)
    card["calibrator"] = calibrator.to_dict() if calibrator else None
    card["decision"] = None if decision is None else dict(decision)
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
    inputs = [*(entry for entry in inputs if entry["name"] in ("numeric", "categorical", "image")), *_raw(schema)]
    for entry in inputs:
        columns = getattr(schema, str(entry["name"]), ())
        entry["columns"] = [column.name for column in columns]
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
        "blocks": exported.block_cards,
        "missing": {"numeric": "NaN", "categorical": ""},
        "interval": interval.to_dict() if interval else None,
        "parity": parity,
        "schema": schema.to_dict(),
        "details": dict(extras.details),
    }


def _raw(schema: Schema) -> list[dict[str, Any]]:
    """Return the inputs that blocks read: what a row holds, not what the graph takes."""
    texts = [{"name": "text", "datatype": "BYTES", "shape": [-1, len(schema.text)]}] if schema.text else []
    channels = len(schema.series)
    return [*texts, *([{"name": "series", "datatype": "FP32", "shape": [-1, channels, -1]}] if channels else [])]


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
        if exported.block_cards:
            np.savez_compressed(temporary / "blocks.npz", allow_pickle=False, **exported.block_arrays)
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
    feed = {name: array for name, array in exported.bundle.feed(golden).items() if not name.startswith("block_")}
    arrays = {name: array.astype(str) if array.dtype == object else array for name, array in feed.items()}
    if golden.text is not None:
        absent = golden.text == None  # noqa: E711  # element by element
        arrays |= {"text": np.where(absent, "", golden.text).astype(str), "no_text": absent}
    if golden.series is not None:
        arrays["series"] = golden.series
    np.savez_compressed(path, allow_pickle=False, schema=schema_digest(exported.card["schema"]),
                        expected=exported.predict(golden), **arrays)  # fmt: skip


def _weights(path: Path, part: Part) -> None:
    from safetensors.numpy import save_file

    arrays = {name: np.ascontiguousarray(array) for name, array in part.arrays().items()}
    save_file(arrays, path)


def _extras(folder: Path, extras: Extras) -> None:
    if extras.reference is not None:
        np.savez_compressed(folder / "reference.npz", allow_pickle=False, **dict(extras.reference))
    if extras.marks is not None:
        np.savez_compressed(folder / TRAINING_ROWS, allow_pickle=False, **extras.marks.arrays())
    if extras.recipe is not None:
        _json(folder / "recipe.json", extras.recipe)
    texts = {**extras.texts, **({"recipe.toml": extras.recipe_toml} if extras.recipe_toml else {})}
    for name, text in texts.items():
        if not is_plain(name, letters="any"):
            raise BundleError(f"a text file named {name!r}", "a plain file name")
        (folder / name).write_text(text, encoding="utf-8")
