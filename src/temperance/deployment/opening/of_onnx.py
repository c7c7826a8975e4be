"""A foreign ONNX file as a ``Subject``: one input of numbers or images, or the inputs that bundles have."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.manifest import LARGEST_FILE
from temperance.deployment.opening.answers import Scale, as_answers, said, scale_of
from temperance.deployment.opening.matrix import channels_first, numbers
from temperance.deployment.runtime import session
from temperance.deployment.wire import check_graph
from temperance.evaluation.aspects.base import Differentiable, Subject
from temperance.records.errors import BundleError, TemperanceError
from temperance.records.schema import Rows, Schema

TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16}
CHUNK = 4096


@dataclass(eq=False)
class OnnxPredictor:
    """A graph as a ``Predictor``; what its outputs are is decided on the first rows that it is asked."""

    schema: Schema
    session: Any
    scale: Scale | None = None

    @cached_property
    def output(self) -> str:
        """Name of the output that holds scores: the last of type float (a classifier gives its labels first).

        Raises:
            BundleError: there is none.

        """
        found = [one.name for one in self.session.get_outputs() if one.type in TYPES]
        if not found:
            kinds = ", ".join(f"{one.name}: {one.type}" for one in self.session.get_outputs())
            raise BundleError(
                f"the graph gives {kinds}", "an output of numbers",
                "Export it so that probabilities are a tensor (of scikit-learn: options={'zipmap': False})",
            )  # fmt: skip
        return str(found[-1])

    def predict(self, rows: Rows) -> NDArray[Any]:
        """Return probabilities (b, c) or values (b,)."""
        cuts = [slice(i, i + CHUNK) for i in range(0, max(rows.size, 1), CHUNK)]
        raw = np.concatenate([self._run(rows.take(cut)) for cut in cuts])
        if self.scale is None:
            self.scale = scale_of(raw, self.schema.target)
        return as_answers(raw, self.scale)

    def _run(self, rows: Rows) -> NDArray[Any]:
        try:
            raw: NDArray[Any] = np.asarray(self.session.run([self.output], self._feed(rows))[0])
        except TemperanceError:
            raise
        except Exception as fault:  # ONNX Runtime raises its own kinds
            reason = " ".join(str(fault).split())[:300]
            raise BundleError(f"the graph does not run on these rows: {reason}", "rows as it was made for") from fault
        return raw

    def _feed(self, rows: Rows) -> dict[str, NDArray[Any]]:
        inputs = self.session.get_inputs()
        if {one.name for one in inputs} <= {"numeric", "categorical", "image"}:
            whole: dict[str, Any] = {
                "numeric": rows.numeric, "categorical": self.schema.decode(rows.categorical), "image": rows.images
            }  # fmt: skip
            return {one.name: whole[one.name] for one in inputs}
        if len(inputs) != 1 or inputs[0].type not in TYPES:
            kinds = ", ".join(f"{one.name}: {one.type}" for one in inputs)
            raise BundleError(f"the graph takes {kinds}", "one input of numbers (b, f) or images (b, c, h, w)")
        one = inputs[0]
        given = channels_first(rows) if self.schema.kind == "images" else numbers(rows, self.schema, what="a graph")
        width = one.shape[1] if len(one.shape) > 1 else None
        if isinstance(width, int) and width != given.shape[1]:
            raise BundleError(
                f"the graph takes {width} inputs", f"the data have {given.shape[1]} columns of numbers",
                "Leave out columns that are no inputs: --column 'NAME=drop'",
            )  # fmt: skip
        return {str(one.name): given.astype(TYPES[one.type])}


def open_onnx(path: str | Path, schema: Schema) -> Subject:
    """Open a graph; nothing in it can run code or open another file.

    Raises:
        BundleError: it is damaged, reaches outside its file, or takes and gives other things than data of this kind.

    """
    place = Path(path)
    if place.stat().st_size > LARGEST_FILE:
        raise BundleError(f"{place.name} has {place.stat().st_size} bytes", f"at most {LARGEST_FILE}", "")
    data = place.read_bytes()
    try:
        check_graph(data)
    except BundleError as fault:
        text = fault.received.replace("model.onnx", place.name)
        raise BundleError(text, "a whole ONNX file with standard operators", "Export the model again") from fault
    predictor = OnnxPredictor(schema, session(data))
    notes = (f"{place.name} takes the {len(schema.numeric)} numeric columns in the order of the file.",)
    reasons = {"training_rows": "an ONNX file does not say which rows it learned from"}

    def network() -> Differentiable:
        from temperance.deployment.opening.onnx_in_torch import open_in_torch
        from temperance.deployment.opening.probe import probe

        rows = probe(schema)
        rows = rows._replace(numeric=np.nan_to_num(rows.numeric))  # a foreign graph need not take missing numbers
        if predictor.scale is None:
            raise BundleError("the graph was not asked for predictions yet", "", "Ask predict first")
        return open_in_torch(data, predictor, output=predictor.output, scale=predictor.scale, rows=rows)

    return Subject(
        predictor, kind="onnx", name=place.stem, open_network=network, reasons=reasons, place=str(place),
        notes=notes if schema.kind == "table" else (),
    )  # fmt: skip


def outputs_said(predictor: Any) -> tuple[str, ...]:
    """Say what the outputs of a foreign model were taken for, once it was asked."""
    scale = getattr(predictor, "scale", None)
    return () if scale is None else (said(scale, predictor.schema.target),)
