"""A candidate from outside: any estimator with scikit-learn's ``fit`` and ``predict``, named by module or by file."""

from __future__ import annotations

import importlib
import inspect
import pickle
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from temperance.models.basic.base import BASIC, BasicModel, FitPath, FittedBasic, Sample
from temperance.models.basic.matrices import CodeMatrix, FrameMatrix, LinearMatrix
from temperance.records.errors import TaskError, nearest
from temperance.records.schema import Schema

PICKLE = "pickle:"  # an origin that names a file of the study's own folder


@BASIC.add
@dataclass(frozen=True)
class Outside(BasicModel):
    """An estimator that the user names; it is fitted as it is, and nothing is chosen.

    It sees a numeric matrix: raw numbers with NaN and 0/1 columns of categories where it takes NaN, else scaled numbers
    without gaps (``LinearMatrix``). A pipeline that begins with a ``ColumnTransformer``, or a factory with
    ``takes_frames = True``, gets a Polars frame with the columns' names.

    Attributes:
        origin: ``module:name`` of an estimator, its class, or a function that returns one; or ``pickle:FILE``.

    """

    name = "outside"
    words = "a candidate from outside"
    origin: str = ""

    @property
    def settled(self) -> bool:
        return True

    def paths(self, train: Sample, held: Sample, *, schema: Schema, seed: int) -> Iterator[FitPath]:
        return self.walk(train, held, schema=schema, seed=seed)

    def whole(self, train: Sample, *, schema: Schema, seed: int) -> FittedBasic:
        """Train the user's estimator on all rows.

        Raises:
            TaskError: a classifier without ``predict_proba``.

        """
        model, frames = estimator(self.origin, seed=seed)
        classes = schema.target.task != "regression"
        if classes and not hasattr(model, "predict_proba"):
            raise TaskError(
                f"the candidate {self.origin!r} has no predict_proba", "class probabilities are compared and mixed",
                "Wrap it in sklearn.calibration.CalibratedClassifierCV",
            )  # fmt: skip
        matrix = _matrix(model, train, schema, frames=frames)
        weights = {} if train.weight is None else {self._weight_name(model): train.weight}
        model.fit(matrix.of(train.rows), train.target, **weights)
        return FittedBasic.around(
            "outside", model, matrix, schema, settings={}, rebuilt={"origin": self.origin},
            parameters=len(pickle.dumps(model)) // 8, floor=1 / (train.size + schema.target.outputs),
        )  # fmt: skip

    @classmethod
    def seconds(cls, rows: int, columns: int, outputs: int) -> float:
        return 1.0  # nobody knows: the first fold tells

    def _weight_name(self, model: Any) -> str:
        last = model.steps[-1] if hasattr(model, "steps") else ("", model)
        if "sample_weight" not in inspect.signature(last[1].fit).parameters:
            raise TaskError(
                f"the candidate {self.origin!r} takes no sample_weight", "rows have weights here",
                "Leave the candidate out, or fit without sample_weight",
            )  # fmt: skip
        return f"{last[0]}__sample_weight" if last[0] else "sample_weight"


def estimator(origin: str, *, seed: int = 0) -> tuple[Any, bool]:
    """Return a fresh estimator with its open ``random_state`` set, and whether it takes frames.

    Raises:
        TaskError: no such module, name or file; or what is found is no estimator.

    """
    found = _unpickled(origin) if origin.startswith(PICKLE) else _imported(origin)
    frames = bool(getattr(found, "takes_frames", False))
    made = found
    if inspect.isclass(found) or (callable(found) and not hasattr(found, "fit")):
        try:
            made = found()
        except Exception as fault:  # a user's function may fail in any way; it is told, not hidden
            raise TaskError(
                f"calling the candidate {origin!r} failed with {type(fault).__name__}: {fault}",
                "a function without arguments that returns an estimator", "Mend it",
            ) from fault  # fmt: skip
    if not hasattr(made, "fit") or not hasattr(made, "predict"):
        raise TaskError(
            f"the candidate {origin!r} is {type(made).__name__}",
            "an estimator with fit and predict, or what makes one", "Return a scikit-learn estimator",
        )  # fmt: skip
    from sklearn.base import clone

    fresh = clone(made) if hasattr(made, "get_params") else made
    if hasattr(fresh, "get_params"):
        loose = [key for key, value in fresh.get_params().items() if key.endswith("random_state") and value is None]
        fresh.set_params(**dict.fromkeys(loose, seed % 2**31))
    first = fresh.steps[0][1] if hasattr(fresh, "steps") and fresh.steps else fresh
    return fresh, frames or type(first).__name__ == "ColumnTransformer"


def _matrix(model: Any, train: Sample, schema: Schema, *, frames: bool) -> FrameMatrix | CodeMatrix | LinearMatrix:
    if frames:
        return FrameMatrix(schema)
    from sklearn.utils import get_tags

    if hasattr(model, "__sklearn_tags__") and get_tags(model).input_tags.allow_nan:
        return CodeMatrix.fit(schema)
    return LinearMatrix.fit(train.rows, schema)


def _imported(origin: str) -> Any:
    module_name, _, name = origin.partition(":")
    if not module_name or not name:
        raise TaskError(f"the candidate {origin!r}", "module:name, e.g. mine:forest", "Write two names with a colon")
    here = str(File.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name.removesuffix(".py"))
    except Exception as fault:  # a user's module may fail in any way; it is told, not hidden
        raise TaskError(
            f"importing {module_name!r} for a candidate failed with {type(fault).__name__}: {fault}",
            "a Python file in the current folder, or an installed package",
            "Run the command in the folder of that file, or mend it",
        ) from fault
    if not hasattr(module, name):
        names = [key for key, value in vars(module).items() if callable(value) or hasattr(value, "fit")]
        raise TaskError(f"{module_name!r} has no {name!r}", f"it has {', '.join(names[:10])}", nearest(name, names))
    return getattr(module, name)


def _unpickled(origin: str) -> Any:
    path = File(origin.removeprefix(PICKLE))
    try:
        return pickle.loads(path.read_bytes())  # written by this study from the estimator that its caller passed
    except Exception as fault:
        raise TaskError(
            f"the candidate in {path.name} cannot be opened: {type(fault).__name__}: {fault}",
            "an estimator whose class lies in a module that can be imported",
            "Move its class from the notebook into a file",
        ) from fault
