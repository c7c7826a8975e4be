"""A bundle as an MLflow model of the flavour ``python_function``: ``mlflow models serve`` and ``load_model`` take it.

The folder holds ``MLmodel``, ``requirements.txt`` and the bundle itself; MLflow loads it through this module, by ONNX
Runtime and without torch.
"""

from __future__ import annotations

import platform
import shutil
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from temperance.deployment.bundle import Bundle, load
from temperance.deployment.serve.intake import Intake
from temperance.deployment.serve.replies import Replies
from temperance.records.errors import BundleError, DataError
from temperance.records.plain_json import dumps
from temperance.records.schema import Column
from temperance.records.version import __version__

MODULE = "temperance.integrations.mlflow_model"
NEEDED = ("numpy", "onnxruntime", "orjson")


class BundleModel:
    """What ``mlflow.pyfunc.load_model`` gives: rows of columns in, answers out."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._intake, self._replies = Intake(bundle.schema), Replies(bundle)

    def predict(self, model_input: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Answer rows.

        Args:
            model_input: a pandas frame, a list of dicts, or a dict of columns.
            params: none are known.

        Returns:
            For a frame a frame with its index, else a list of dicts: ``prediction``, and ``probability_CLASS`` for each
            class, or ``low`` and ``high`` where the bundle has intervals.

        Raises:
            DataError: another kind of input, or params.
            RequestError: a column is missing, or a value does not fit.

        """
        if params:
            raise DataError(f"the params {', '.join(params)}", "none", "Leave them out")
        answers = [
            flat(one) for one in self._replies.rows(self.bundle.predict(self._intake.rows(records(model_input))))
        ]
        if not hasattr(model_input, "to_dict"):
            return answers
        frame = type(model_input)
        return frame(answers, index=model_input.index)


def flat(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer with a column for each class."""
    shares = {f"probability_{name}": share for name, share in answer.get("probabilities", {}).items()}
    return {**{name: value for name, value in answer.items() if name != "probabilities"}, **shares}


def records(model_input: Any) -> list[dict[str, Any]]:
    """Return rows as dicts with plain values; what is no number is None.

    Raises:
        DataError: another kind of input, or no rows.

    """
    if hasattr(model_input, "to_dict"):
        rows = model_input.to_dict("records")
    elif isinstance(model_input, Mapping):
        columns = {name: np.atleast_1d(np.asarray(values)) for name, values in model_input.items()}
        if len({len(values) for values in columns.values()}) > 1:
            raise DataError("columns of different lengths", "one value for each row in each")
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    elif isinstance(model_input, Sequence) and all(isinstance(row, Mapping) for row in model_input):
        rows = [dict(row) for row in model_input]
    else:
        raise DataError(f"an input of type {type(model_input).__name__}", "a pandas frame, dicts, or a dict of columns")
    if not rows:
        raise DataError("no rows", "at least one")
    return [{str(name): _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return None if type(value).__name__ in ("NAType", "NaTType") else value


def _load_pyfunc(path: str, model_config: Mapping[str, Any] | None = None) -> BundleModel:
    """Load the bundle at ``path``; MLflow calls this."""
    return BundleModel(load(path))


def save_model(bundle: Bundle, out: str | Path) -> Path:
    """Write a bundle as a model folder of MLflow.

    Args:
        bundle: what is packed; its files are copied.
        out: a new folder.

    Raises:
        BundleError: ``out`` exists, or the bundle takes images: MLflow's columns do not hold them.

    """
    out = Path(out)
    if out.exists():
        raise BundleError(f"{str(out)!r} exists", "a new folder, so that nothing is lost", "Choose another --out")
    if bundle.schema.kind == "images":
        raise BundleError("a model of images", "one of tables: MLflow sends columns", "Use `temperance serve`")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as scratch:
        made = Path(scratch) / "model"
        shutil.copytree(bundle.folder, made / "bundle")
        requirements = [f"temperance=={__version__}", *(f"{name}=={version(name)}" for name in NEEDED)]
        (made / "requirements.txt").write_text("\n".join(requirements) + "\n", encoding="utf-8")
        (made / "MLmodel").write_text(dumps(described(bundle), indent=1) + "\n", encoding="utf-8")
        shutil.move(made, out)
    return out


def described(bundle: Bundle) -> dict[str, Any]:
    """Return the contents of ``MLmodel``: JSON, which is YAML too."""
    columns: dict[str, Column] = {}
    for column in bundle.schema.columns:
        columns.setdefault(column.source or column.name, column)
    inputs = [
        {"type": "double" if _is_number(column) else "string", "name": name, "required": True}
        for name, column in columns.items()
    ]
    answer = ["prediction", *(f"probability_{name}" for name in bundle.classes)]
    answer += ["low", "high"] if bundle.has_interval else []
    outputs = [
        {"type": "string" if name == "prediction" and bundle.classes else "double", "name": name, "required": True}
        for name in answer
    ]
    return {
        "flavors": {"python_function": {
            "loader_module": MODULE, "data": "bundle", "python_version": platform.python_version(),
            "env": {"virtualenv": "requirements.txt"},
        }},
        "mlflow_version": _mlflow(), "model_uuid": uuid.uuid4().hex,
        "utc_time_created": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
        "signature": {"inputs": dumps(inputs), "outputs": dumps(outputs), "params": None},
        "metadata": {"temperance": __version__, "model": bundle.name, "version": bundle.version, "task": bundle.task},
    }  # fmt: skip


def _is_number(column: Column) -> bool:
    return column.kind == "numeric" and not column.part and not column.format and not column.unit


def _mlflow() -> str:
    for name in ("mlflow", "mlflow-skinny"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "3.0.0"
