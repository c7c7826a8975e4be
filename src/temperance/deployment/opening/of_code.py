"""A model that the user's own code gives (``module:function``), or a skops file.

The user names the code, so it may run; nothing that a *file* names is run.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.opening.answers import order_of
from temperance.deployment.opening.matrix import frame, numbers
from temperance.evaluation.aspects.base import Subject
from temperance.records.errors import DataError, MissingExtra, TaskError, nearest
from temperance.records.predictor import Predictor
from temperance.records.schema import Rows, Schema


def open_code(text: str, schema: Schema) -> Subject:
    """Call ``module:function`` and open what it gives.

    A ``torch.nn.Module`` takes (b, f) float32, the numeric columns in file order; ``(numeric, categorical)`` where
    there are categories, their codes as int64 (0 missing or unknown, else place in the vocabulary + 1); images
    (b, c, h, w), pixels from 0 to 1. It gives logits or probabilities (b, c), one logit of the second class, or values.
    A scikit-learn estimator gets a frame with the names that it was fitted on, or a matrix of numbers. A ``Predictor``
    is taken as it is.

    Raises:
        TaskError: no such module or function, it fails, or it gives something else.

    """
    model = call(text)
    name = text.rpartition(":")[2]
    reasons = {"training_rows": "a model from code does not say which rows it learned from"}
    if "torch" in sys.modules:
        from torch import nn

        if isinstance(model, nn.Module):
            from temperance.deployment.opening.of_torch import open_module

            return open_module(model, schema, name=name, place=text)
    if isinstance(model, Predictor) and isinstance(getattr(model, "schema", None), Schema):
        return Subject(model, kind="predictor", name=name, reasons=reasons, place=text)
    if hasattr(model, "predict"):
        return open_estimator(model, schema, name=name, place=text)
    raise TaskError(
        f"{text} gave a {type(model).__name__}",
        "a torch.nn.Module, a fitted scikit-learn estimator, or an object with schema and predict(rows)",
        "Return one of these",
    )


def call(text: str) -> Any:
    """Import ``module:function``, a file of the current folder or an installed module, and call it without arguments.

    Raises:
        TaskError: there is no such thing, or it fails.

    """
    module_name, _, function_name = text.rpartition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name.removesuffix(".py"))
    except ModuleNotFoundError as fault:
        raise TaskError(
            f"the module {module_name!r}: {fault}", "a Python file in the current folder, or an installed package",
            "Run the command in the folder of that file",
        ) from fault  # fmt: skip
    except (Exception, SystemExit) as fault:  # a user's module may fail in any way; one that exits would pass a gate
        raise TaskError(f"importing {module_name!r} failed with {type(fault).__name__}: {fault}") from fault
    made = getattr(module, function_name, None)
    if made is None:
        names = [name for name in vars(module) if not name.startswith("_")]
        raise TaskError(
            f"there is no {function_name!r} in {module_name!r}", "a function that gives the model",
            nearest(function_name, names) or "Check the name",
        )  # fmt: skip
    if not callable(made) or hasattr(made, "predict") or hasattr(made, "state_dict"):
        return made
    try:
        return made()
    except (Exception, SystemExit) as fault:  # as above
        raise TaskError(
            f"{text} failed with {type(fault).__name__}: {fault}", "a function without arguments"
        ) from fault


def open_skops(path: str, schema: Schema) -> Subject:
    """Open a skops file whose types are all known to be harmless.

    Raises:
        MissingExtra: skops is not installed.
        TaskError: the file holds types that skops does not trust, or it is damaged.

    """
    try:
        from skops import io
    except ImportError as fault:
        raise MissingExtra("a .skops file needs the package skops", "", "pip install temperance[skops]") from fault
    try:
        foreign = io.get_untrusted_types(file=path)
        if foreign:
            raise TaskError(
                f"{path} holds types that could run code: {', '.join(foreign[:5])}", "types of scikit-learn and NumPy",
                "Load it in a function of your own and name that as module:function, if you trust the file",
            )  # fmt: skip
        model = io.load(path, trusted=[])
    except TaskError:
        raise
    except Exception as fault:  # skops raises many kinds on damaged files
        raise TaskError(f"{path} cannot be opened: {fault}", "a file that skops wrote", "Write it again") from fault
    return open_estimator(model, schema, name=Path(path).stem, place=path)


@dataclass(frozen=True, eq=False)
class EstimatorPredictor:
    """A fitted scikit-learn estimator as a ``Predictor``.

    Attributes:
        schema: columns and target of the data.
        model: the estimator.
        order: place of each class of the data among the estimator's, or None for values.

    """

    schema: Schema
    model: Any
    order: NDArray[np.int64] | None

    def predict(self, rows: Rows) -> NDArray[Any]:
        """Return probabilities (b, c) or values (b,); an estimator without ``predict_proba`` gives 0 and 1.

        Raises:
            DataError: the estimator does not take these rows.

        """
        given = self._matrix(rows)
        try:
            if self.order is None:
                values: NDArray[Any] = np.asarray(self.model.predict(given), dtype=np.float64).reshape(-1)
                return values
            if hasattr(self.model, "predict_proba"):
                shares = np.asarray(self.model.predict_proba(given), dtype=np.float64)[:, self.order]
                found: NDArray[Any] = shares
                return found
            labels = np.asarray(self.model.predict(given))
        except (ValueError, TypeError, KeyError, AttributeError, IndexError) as fault:
            raise DataError(
                f"the estimator does not take these rows: {' '.join(str(fault).split())[:300]}",
                "the columns that it was fitted on, as it was fitted on them",
                "Give a pipeline that begins with its own preprocessing, fitted on a frame with these names",
            ) from fault
        known = np.asarray(self.model.classes_)[self.order]
        sure: NDArray[Any] = (labels[:, None] == known[None, :]).astype(np.float64)
        return sure

    def _matrix(self, rows: Rows) -> Any:
        names = getattr(self.model, "feature_names_in_", None)
        if names is not None:
            return frame(rows, self.schema, [str(name) for name in names])
        if self.schema.kind == "images":
            whole = rows.images if rows.images is not None else np.empty((0, 1))
            return whole.reshape(len(whole), -1).astype(np.float64)
        return numbers(rows, self.schema, what="an estimator that was fitted on a matrix")


def open_estimator(model: Any, schema: Schema, *, name: str, place: str) -> Subject:
    """Open a fitted estimator.

    Raises:
        TaskError: it is not fitted, or a regressor for classes and the other way round.
        DataError: it has other classes.

    """
    classes = getattr(model, "classes_", None)
    if schema.target.task != "regression" and classes is None:
        raise TaskError(
            f"{place} has no classes_", f"a fitted classifier for {schema.target.name!r}",
            "Fit it before it is returned; for numbers pass --task regression",
        )  # fmt: skip
    if schema.target.task == "regression" and classes is not None:
        raise TaskError(f"{place} is a classifier", f"a regressor for {schema.target.name!r}", "Check --target")
    order = None if schema.target.task == "regression" else order_of(classes, schema)
    reasons = {
        "training_rows": "an estimator does not say which rows it learned from",
        "gradients": "a scikit-learn estimator gives no gradients",
        "features": "a scikit-learn estimator has no layers",
    }
    if order is not None and not hasattr(model, "predict_proba"):
        reasons["probabilities"] = "this estimator has no predict_proba: it gives the answer alone"
    predictor = EstimatorPredictor(schema, model, order)
    return Subject(predictor, kind="sklearn", name=name, reasons=reasons, place=place)
