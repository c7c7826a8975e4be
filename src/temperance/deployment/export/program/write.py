"""Write a bundle as a torch program beside a card that says what it takes and gives."""

from __future__ import annotations

import logging
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from temperance.deployment.bundle import Bundle, check_difference
from temperance.deployment.export.program.graph import GraphModule
from temperance.deployment.parity import stress_rows
from temperance.deployment.sketch import onnx_package
from temperance.records.errors import BundleError
from temperance.records.plain_json import dumps
from temperance.records.schema import Rows

PROGRAM, CARD, GOLDEN = "model.pt2", "model.json", "golden.npz"
EXAMPLE_ROWS = 3


def write_program(bundle: Bundle, model: Any, out: Path, rows: Rows) -> dict[str, Any]:
    """Export a graph with ``torch.export``, read it back, and compare its answers with the bundle's.

    Args:
        bundle: whose answers count.
        model: its graph, a ``ModelProto``, as it is or in another form.
        out: a new folder: ``model.pt2``, ``model.json`` and ``golden.npz`` with inputs and answers.
        rows: real rows; some made-up ones are compared too.

    Returns:
        ``{"bytes", "difference"}``.

    Raises:
        BundleError: ``out`` exists, text or series (computed outside the graph), an operator without a counterpart, or
            answers that differ by more than 1e-5.

    """
    if out.exists():
        raise BundleError(f"{str(out)!r} exists", "a new folder, so that nothing is lost", "Choose another --out")
    if bundle.blocks:
        raise BundleError(
            "text and series are turned into numbers outside the graph", "tables of numbers and categories, images",
            "Use --target cpu, and the bundle's own server",
        )  # fmt: skip
    module = GraphModule(model, bundle.schema).eval()
    sample = Rows.stack([rows.take(slice(0, 256)), stress_rows(rows.take(slice(0, 512)), bundle.schema)])
    inputs = tensors(bundle, sample, module.takes)
    program = exported(module, inputs)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as scratch:
        made = Path(scratch) / "program"
        made.mkdir()
        torch.export.save(program, made / PROGRAM)
        again = torch.export.load(made / PROGRAM).module()
        expected = bundle.predict(sample)
        worst = 0.0
        for part in (slice(None), slice(0, 1)):
            with torch.no_grad():
                answer = again(*(tensor[part] for tensor in inputs)).numpy()
            scale = float(bundle.card["parity"]["scale"])
            worst = max(worst, check_difference(answer, expected[part], "the torch program", scale=scale))
        golden = {name: tensor.numpy() for name, tensor in zip(module.takes, inputs, strict=True)}
        keep = slice(len(expected) - min(16, len(expected)), None)  # made-up rows alone: no real one is stored
        np.savez_compressed(made / GOLDEN, allow_pickle=False, expected=expected[keep],
                            **{name: array[keep] for name, array in golden.items()})  # fmt: skip
        (made / CARD).write_text(dumps(card(bundle, module.takes), indent=1) + "\n", encoding="utf-8")
        size = (made / PROGRAM).stat().st_size
        shutil.move(made, out)
    return {"bytes": size, "difference": worst}


def exported(module: GraphModule, inputs: Sequence[torch.Tensor]) -> Any:
    """Return the program for any count of rows.

    Shapes: inputs (b, …) each.

    Raises:
        BundleError: torch refuses; its reason is named.

    """
    rows = torch.export.Dim("rows", min=1)
    example = tuple(tensor[:EXAMPLE_ROWS] for tensor in inputs)
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.export.export(module, example, dynamic_shapes=(tuple({0: rows} for _ in example),))
    except BundleError:
        raise
    except Exception as error:  # torch raises many kinds; each becomes one clear refusal
        reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise BundleError(f"torch.export refused the graph: {reason}", "", "Use --target onnx") from error
    finally:
        logging.disable(before)


def tensors(bundle: Bundle, rows: Rows, names: Sequence[str]) -> list[torch.Tensor]:
    """Return the inputs of the program for rows.

    Shapes: (b, …) each, b rows.
    """
    feed: dict[str, NDArray[Any]] = {
        "numeric": np.ascontiguousarray(rows.numeric, dtype=np.float64),
        "categorical": rows.categorical.astype(np.int64),
        "rows": np.zeros(rows.size, dtype=np.float32),
    }
    if rows.images is not None:
        feed["image"] = rows.images
    return [torch.from_numpy(np.array(feed[name])) for name in names]


def card(bundle: Bundle, takes: Sequence[str]) -> dict[str, Any]:
    """Return what a user of the program needs to know, for ``model.json``."""
    schema = bundle.schema
    columns = {
        "numeric": [column.name for column in schema.numeric],
        "categorical": [{"name": c.name, "vocabulary": list(c.vocabulary)} for c in schema.categorical],
    }
    return {
        "model": bundle.name, "version": bundle.version, "task": bundle.task, "classes": list(bundle.classes),
        "takes": list(takes), **{name: value for name, value in columns.items() if name in takes},
        "image_shape": list(schema.image_shape or ()) if "image" in takes else None,
        "missing": {"numeric": "NaN", "categorical": -1, "unknown category": -2},
        "gives": "probabilities (rows, classes)" if bundle.classes else "values (rows,)",
        "use": "torch.export.load('model.pt2').module()(*inputs), float64 in and out",
        "golden": "golden.npz holds made-up inputs and the answers that they must get",
    }  # fmt: skip


def graph_of(bundle: Bundle) -> Any:
    """Return the bundle's ``ModelProto``."""
    return onnx_package().load_model_from_string((bundle.folder / "model.onnx").read_bytes())
