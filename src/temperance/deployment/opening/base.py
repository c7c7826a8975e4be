"""Which kind of model an argument means, and the one function that opens it.

=============================  =======================================================================================
``DIR``                        a bundle, or the folder of the study that wrote it
``FILE.onnx``                  a graph that takes numbers (b, f) or images (b, c, h, w), or what bundles take
``module:function``            a function that gives a ``torch.nn.Module``, a scikit-learn estimator or a ``Predictor``
``FILE.skops``                 a scikit-learn estimator, where skops is installed
``http://127.0.0.1:PORT``      a server of this machine that speaks the Open Inference Protocol
``FILE.csv``, ``.parquet``     predictions, one for each row of the data: nothing else can be asked of the model
=============================  =======================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from temperance.evaluation.aspects.base import Subject
from temperance.records.errors import BundleError, SettingError
from temperance.records.schema import Schema

Form = Literal["bundle", "onnx", "code", "skops", "server", "predictions"]
HERE = ("127.0.0.1", "localhost", "::1")
PICKLES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt")
ACCEPTED = (
    "a bundle's folder, FILE.onnx, module:function, FILE.skops, http://127.0.0.1:PORT, or predictions as FILE.csv or "
    "FILE.parquet"
)


@dataclass(frozen=True)
class Opened:
    """What an argument means, before it is opened.

    Attributes:
        form: the kind.
        text: the argument; of a bundle its own folder.

    """

    form: Form
    text: str

    @property
    def brings_schema(self) -> bool:
        """The model says itself which columns and classes it takes."""
        return self.form == "bundle"


def what_is(text: str) -> Opened:
    """Say which kind of model ``text`` means; nothing is opened.

    Raises:
        SettingError: a pickle, an address of another machine, or none of the kinds.
        BundleError: there is no such file or folder.

    """
    path = Path(text)
    if text.startswith(("http://", "https://")):
        host = urlsplit(text).hostname or ""
        if host not in HERE:
            raise SettingError(
                f"the server {host!r}", "a server of this machine: http://127.0.0.1:PORT",
                "Rows would leave this machine; run the server here, or evaluate a file of its predictions",
            )  # fmt: skip
        return Opened("server", text.rstrip("/"))
    if path.is_dir():
        inside = path / "bundle"
        return Opened("bundle", str(inside if (path / "study.json").is_file() and inside.is_dir() else path))
    kind = path.suffix.lower()
    if kind in PICKLES:
        raise SettingError(
            f"{text} is a pickle: opening it runs whatever code its author put in", ACCEPTED,
            "If you trust it, load it in a function and name that as module:function; or export the model to ONNX",
        )  # fmt: skip
    forms: dict[str, Form] = {".onnx": "onnx", ".skops": "skops", ".csv": "predictions", ".parquet": "predictions"}
    if kind in forms:
        if not path.is_file():
            raise BundleError(f"there is no file {text!r}", ACCEPTED, "Check the name")
        return Opened(forms[kind], text)
    if ":" in text and not text.startswith(":") and not text.endswith(":") and "/" not in text:
        return Opened("code", text)
    raise BundleError(f"there is no model {text!r}", ACCEPTED, "Check the name")


def open_model(found: Opened, schema: Schema | None = None) -> Subject:
    """Open a model.

    Args:
        found: what ``what_is`` said.
        schema: columns and target of the data, for a model that does not bring its own.

    Raises:
        SettingError: predictions, which need the table they belong to (``opening.predictions``).
        BundleError, DataError, TaskError, MissingExtra: the model cannot be used; why.

    """
    if found.form == "bundle":
        from temperance.deployment.opening.of_bundle import open_bundle

        return open_bundle(found.text)
    if schema is None or found.form == "predictions":
        raise SettingError(f"{found.text} without its data", "a model that brings its schema", "Read the data first")
    if found.form == "onnx":
        from temperance.deployment.opening.of_onnx import open_onnx

        return open_onnx(found.text, schema)
    if found.form == "server":
        from temperance.deployment.opening.of_server import open_server

        return open_server(found.text, schema)
    from temperance.deployment.opening.of_code import open_code, open_skops

    return open_code(found.text, schema) if found.form == "code" else open_skops(found.text, schema)
