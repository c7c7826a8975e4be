"""A bundle at work: raw rows in, probabilities or values out, by ONNX Runtime. No torch; loading executes no code."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.data.blocks import Block, unpack
from temperance.deployment.manifest import REMEDY, check_manifest, read_json
from temperance.deployment.runtime import session
from temperance.deployment.wire import check_graph
from temperance.records.damaged import DAMAGED, arrays_in
from temperance.records.decision import Decision, middle, most_probable
from temperance.records.errors import BundleError
from temperance.records.plain_json import dumps
from temperance.records.plain_names import is_plain
from temperance.records.schema import MISSING, UNSEEN, Rows, Schema
from temperance.records.stated_range import StatedRange

TOLERANCE = 1e-5
LOOSEST = 0.05  # that a bundle may ask for: products of integers round at other places on another machine
LARGEST_UNPACKED = 2**30
Feed = dict[str, NDArray[Any]]


class Bundle:
    """A loaded model with everything that was shipped beside it. Made by ``load``; a ``Predictor``.

    Attributes:
        folder: where it lies.
        card: the contents of ``bundle.json``.
        name: model name of the Open Inference Protocol.
        version: model version, a short fingerprint of the graph.
        schema: columns and target.
        blocks: what computes the inputs ``block_0`` … of the graph from a row's text or series.

    """

    def __init__(
        self,
        folder: Path,
        card: dict[str, Any],
        session: Any,
        manifest: dict[str, Any],
        blocks: Sequence[Block] = (),
    ) -> None:
        self.folder, self.card, self.manifest = folder, card, manifest
        self._session, self.blocks = session, tuple(blocks)
        try:
            self._schema = Schema.from_dict(card["schema"])
            self.name, self.version = str(card["name"]), str(card["version"])
            self.output = str(card["outputs"][0]["name"])
            self._scale = float(card["parity"]["scale"])
            self.tolerance = float(card["parity"].get("tolerance", TOLERANCE))
            self.inputs = [str(entry["name"]) for entry in card["inputs"]]
            self._fed = graph_inputs(self._schema, len(self.blocks))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise BundleError(f"bundle.json is not complete: {error!r}", "what temperance writes", REMEDY) from error
        self._check_names()

    @property
    def schema(self) -> Schema:
        """Columns and target that the model was fitted on."""
        return self._schema

    @property
    def task(self) -> str:
        """``binary``, ``multiclass`` or ``regression``."""
        return self._schema.target.task

    @property
    def classes(self) -> tuple[str, ...]:
        """Labels in the order of the probabilities; empty for regression."""
        return self._schema.target.classes

    def predict(self, rows: Rows, *, chunk: int = 4096) -> NDArray[Any]:
        """Return probabilities (b, c) or values (b,) for raw rows, ``chunk`` rows at a time."""
        parts = [self.run(self.feed(rows.take(slice(i, i + chunk)))) for i in range(0, max(rows.size, 1), chunk)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def feed(self, rows: Rows) -> Feed:
        """Turn rows into the graph's inputs.

        Raises:
            BundleError: rows without images for a model of images, without text for a model of text, without series for
                one of series.

        """
        for kind, columns in (("text", self._schema.text), ("series", self._schema.series)):
            if columns and getattr(rows, kind) is None:
                raise BundleError(f"rows without {kind}", f"the model takes {kind}")
        if self._schema.kind == "images":
            if rows.images is None:
                raise BundleError("rows without images", "an image model takes images")
            return {"image": np.ascontiguousarray(rows.images, dtype=np.uint8)}
        feed: Feed = {}
        if "numeric" in self._fed:
            feed["numeric"] = np.ascontiguousarray(rows.numeric, dtype=np.float64)
        if "categorical" in self._fed:
            feed["categorical"] = self._decode(rows.categorical)
        if "rows" in self._fed:
            feed["rows"] = np.zeros(rows.size, dtype=np.float32)
        return feed | {f"block_{i}": block.transform(rows) for i, block in enumerate(self.blocks)}

    def run(self, feed: Feed) -> NDArray[Any]:
        """Run the graph on its raw inputs.

        Shapes: probabilities (b, c) or values (b,).
        """
        result: NDArray[Any] = self._session.run([self.output], feed)[0]
        return result

    @property
    def output_shape(self) -> tuple[Any, ...]:
        """Shape of an answer as the graph states it: rows by name, then the count of classes."""
        return tuple(next(e.shape for e in self._session.get_outputs() if e.name == self.output))

    @cached_property
    def decision(self) -> Decision | None:
        """How probabilities become answers under the costs that the study was given; None: the most probable class.

        Raises:
            BundleError: the bundle's costs are damaged.

        """
        entry = self.card.get("decision")
        if entry is None:
            return None
        try:
            found = Decision.from_dict(entry)
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"bundle.json has costs that are not complete: {error}", "", REMEDY) from error
        if found.costs.classes != self.classes:
            raise BundleError(f"costs for {found.costs.classes}", f"the classes are {self.classes}", REMEDY)
        return found

    def answers(self, probabilities: NDArray[Any]) -> NDArray[np.int64]:
        """Return the class answered for each row: the most probable one, of levels the middle one, or by costs.

        Shapes: (b, c) → (b,).
        """
        if self.decision is not None:
            return self.decision.answers(probabilities)
        return middle(probabilities) if self._schema.target.ordered else most_probable(probabilities)

    def interval(self, rows: Rows, *, level: float | None = None) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return (low, high), each (b,), that hold the truth with probability ``level`` (regression).

        Raises:
            BundleError: a classification model, no interval in the bundle, or a level that it has no width for.

        """
        return self.bounds(self.predict(rows), level=level)

    def bounds(self, values: NDArray[Any], *, level: float | None = None) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return (low, high), each (b,), around predicted values.

        Raises:
            BundleError: see ``interval``.

        """
        return self._range.bounds(values, level)

    @cached_property
    def has_interval(self) -> bool:
        """Predictions come with ``low`` and ``high``."""
        return self.task == "regression" and bool(self.card.get("interval"))

    @property
    def coverage(self) -> float:
        """Share of rows that ``low`` … ``high`` is meant to hold; 0.9 for a model of classes."""
        return self._range.level if self.has_interval else 0.9

    def half_width(self, level: float | None = None) -> float:
        """Return half the width of the interval at ``level``, or at the bundle's own; of an average prediction.

        Raises:
            BundleError: see ``interval``.

        """
        return self._range.half(level)

    @cached_property
    def _range(self) -> StatedRange:
        entry = self.card.get("interval") if self.task == "regression" else None
        if not entry:
            raise BundleError("this bundle has no interval", "a regression bundle with calibration rows")
        try:
            return StatedRange.from_dict(entry)
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"bundle.json has an interval that is not complete: {error!r}", "", REMEDY) from error

    def verify(self) -> float:
        """Replay the golden rows of ``parity.npz`` and return the largest difference.

        Raises:
            BundleError: a prediction differs from the one that was shipped.

        """
        golden = read_arrays(self.folder / "parity.npz")
        if "expected" not in golden:
            raise BundleError("parity.npz has no expected predictions", "inputs and expected", REMEDY)
        if "schema" in golden and str(golden["schema"]) != schema_digest(self.card["schema"]):
            raise BundleError(
                "bundle.json has other columns or classes than those that the golden rows were answered with",
                "names, order and classes as they were exported", REMEDY,
            )  # fmt: skip
        try:
            actual = self.run(self.golden_feed(golden))
        except Exception as error:  # ONNX Runtime raises its own kinds
            raise BundleError(f"the golden rows do not run: {error}", "", REMEDY) from error
        if actual.shape[1:] != self.output_shape[1:]:  # what a graph states of its output binds nobody
            raise BundleError(f"model.onnx answers {actual.shape}", f"{self.output_shape}, as it states", REMEDY)
        what = "this machine's prediction of the golden rows"
        return check_difference(actual, golden["expected"], what, scale=self._scale, tolerance=self.tolerance)

    def golden_feed(self, golden: Feed) -> Feed:
        """Return the graph's inputs for the arrays of ``parity.npz``."""
        feed = {name: golden[name] for name in self._fed if name in golden}
        if "categorical" in feed:
            feed["categorical"] = feed["categorical"].astype(object)
        return feed | self._golden_blocks(golden)

    def _golden_blocks(self, golden: Feed) -> Feed:
        """Compute the blocks' numbers of the golden rows again."""
        if not self.blocks:
            return {}
        size = len(golden["expected"])
        numeric = golden.get("numeric", np.empty((size, 0)))
        text = golden["text"].astype(object) if "text" in golden else None
        if text is not None:
            text[golden["no_text"]] = None
        rows = Rows(numeric, np.empty((size, 0), dtype=np.int32), None, text, golden.get("series"))
        return {f"block_{i}": block.transform(rows) for i, block in enumerate(self.blocks)}

    @cached_property
    def reference(self) -> dict[str, NDArray[Any]] | None:
        """Reference statistics for monitoring, or None."""
        path = self.folder / "reference.npz"
        return read_arrays(path) if "reference.npz" in self.manifest["files"] else None

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """The recipe with its controller trace; empty when the model has none."""
        return read_json(self.folder / "recipe.json") if "recipe.json" in self.manifest["files"] else {}

    def _decode(self, codes: NDArray[np.int32]) -> NDArray[Any]:
        """Do what ``Schema.decode`` does, with the words kept ready."""
        out = np.empty(codes.shape, dtype=object)
        for j, words in enumerate(self._words):
            out[:, j] = words[codes[:, j]]
        return out

    @cached_property
    def _words(self) -> list[NDArray[Any]]:
        columns = self._schema.categorical
        ends = self._schema.decode(np.array([[UNSEEN] * len(columns), [MISSING] * len(columns)], dtype=np.int32))
        return [np.array([*c.vocabulary, *ends[:, j]], dtype=object) for j, c in enumerate(columns)]

    def _check_names(self) -> None:
        takes = {entry.name for entry in self._session.get_inputs()}
        gives = {entry.name for entry in self._session.get_outputs()}
        told = set(self.inputs) == set(raw_inputs(self._schema))
        if takes != set(self._fed) or not told or self.output not in gives:
            raise BundleError(
                f"model.onnx takes {sorted(takes)} and gives {sorted(gives)}",
                f"bundle.json says {[*self.inputs, *self._fed]} and {self.output!r}",
                REMEDY,
            )


def load(folder: str | Path, *, verify: bool = True, runtime: Callable[[bytes], Any] = session) -> Bundle:
    """Load a bundle.

    Args:
        folder: what ``write_bundle`` wrote.
        verify: replay the golden rows as well (the checksums are always checked).
        runtime: what computes the graph: ONNX Runtime, or ``plain.PlainSession``, which needs NumPy alone.

    Raises:
        BundleError: it is missing, damaged, cut short, foreign or newer, or predicts other than it did.
        MissingExtra: ONNX Runtime is not installed.

    """
    folder = Path(folder)
    manifest = check_manifest(folder)
    data = (folder / "model.onnx").read_bytes()
    check_graph(data)
    card = read_json(folder / "bundle.json")
    bundle = Bundle(folder, card, runtime(data), manifest, _blocks(folder, card, manifest))
    for name, what in ((bundle.name, "the name of the model"), (bundle.version, "its version")):
        if not is_plain(name, letters="any"):
            raise BundleError(f"{what} is {name[:80]!r}", "letters, digits, _, - and inner dots", REMEDY)
    _check_card(bundle)
    if verify:
        bundle.verify()
    return bundle


def graph_inputs(schema: Schema, blocks: int = 0) -> tuple[str, ...]:
    """Return the names of the graph's inputs, as ``sketch.Sketch`` makes them."""
    if schema.kind == "images":
        return ("image",)
    plain = [name for name in ("numeric", "categorical") if getattr(schema, name)] or ["rows"]
    return (*plain, *(f"block_{i}" for i in range(blocks)))


def raw_inputs(schema: Schema) -> tuple[str, ...]:
    """Return the names of what a row holds: the inputs of the protocol."""
    if schema.kind == "images":
        return ("image",)
    return tuple(name for name in ("numeric", "categorical", "text", "series") if getattr(schema, name))


def _blocks(folder: Path, card: dict[str, Any], manifest: dict[str, Any]) -> tuple[Block, ...]:
    cards = card.get("blocks") or ()
    if not cards:
        return ()
    if "blocks.npz" not in manifest["files"] or not isinstance(cards, list):
        raise BundleError("the bundle lacks blocks.npz", "the arrays of its blocks", REMEDY)
    return unpack(read_arrays(folder / "blocks.npz"), cards)


def _check_card(bundle: Bundle) -> None:
    """Refuse a card that tells clients other names than the schema that rows are read by."""
    told = [list(entry.get("columns", [])) for entry in bundle.card["inputs"]]
    known = [[c.name for c in getattr(bundle.schema, name, ())] for name in bundle.inputs]
    if told != known or list(bundle.card.get("classes", [])) != list(bundle.classes):
        raise BundleError(
            "bundle.json has columns or classes in two orders", "inputs, classes and schema alike", REMEDY
        )
    if not 0 < bundle.tolerance <= LOOSEST:
        raise BundleError(f"bundle.json allows differences of {bundle.tolerance}", f"at most {LOOSEST}", REMEDY)
    count, shape = len(bundle.classes), bundle.output_shape
    if (bundle.task == "regression") != (count == 0) or shape[1:] != ((count,) if count else ()):
        raise BundleError(
            f"model.onnx answers {list(shape)} and bundle.json names {count} classes for a {bundle.task} task",
            "one probability for each class, or one value", REMEDY,
        )  # fmt: skip


def schema_digest(schema: dict[str, Any]) -> str:
    """Return the SHA-256 of a schema as ``bundle.json`` holds it: names, their order, classes, how cells are read."""
    plain = json.loads(dumps(schema))
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read an ``.npz`` of bounded size; nothing in it can run.

    Raises:
        BundleError: it is damaged, too large unpacked, or holds Python objects.

    """
    try:
        data = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(info.file_size for info in archive.infolist()) > LARGEST_UNPACKED:
                raise BundleError(f"{path.name} unpacks to more than {LARGEST_UNPACKED} bytes", "", REMEDY)
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return arrays_in(arrays)
    except DAMAGED as error:
        raise BundleError(f"{path.name} cannot be read: {error}", "arrays of numbers and texts", REMEDY) from error


def check_difference(
    actual: NDArray[Any], expected: NDArray[Any], what: str, *, scale: float = 0.0, tolerance: float = TOLERANCE
) -> float:
    """Return max |actual − expected|, for values relative to max(|expected|, scale); NaN must meet NaN.

    Shapes: both alike, (b,) values or (b, c) probabilities.

    Raises:
        BundleError: another shape, or a difference above ``tolerance``.

    """
    if actual.shape != expected.shape:
        raise BundleError(f"{what} has shape {actual.shape}", f"expected {expected.shape}", REMEDY)
    known = np.isfinite(expected)
    if not np.array_equal(np.isfinite(actual), known):
        raise BundleError(f"{what} has missing or infinite numbers where the other has none", "the same in both")
    difference = np.abs(actual[known].astype(np.float64) - expected[known])
    if expected.ndim == 1:
        difference = difference / np.maximum(np.maximum(np.abs(expected[known]), scale), np.finfo(np.float64).tiny)
    worst = float(difference.max()) if difference.size else 0.0
    if worst > tolerance:
        raise BundleError(f"{what} differs by {worst:.2g}", f"at most {tolerance:g}", "Do not use this bundle")
    return worst
