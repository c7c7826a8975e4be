"""A user's own net: ``--task module:function``."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pickle
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temperance.records.errors import TaskError, nearest

PICKLE = "pickle:"  # a function that was written for the workers
INPUTS = ("scaled", "raw", "tokens")


@dataclass(frozen=True)
class TaskInfo:
    """What a user's function is told.

    Attributes:
        task: ``binary``, ``multiclass`` or ``regression``.
        outputs: classes, or 1.
        classes: labels in the order of the outputs.
        numeric: names of the numeric inputs after preprocessing: columns, then ``… is missing`` for those with gaps.
        categorical: names of the categorical inputs.
        cardinalities: count of codes per categorical input.
        image_shape: (channels, height, width), or None.
        train_rows: rows that the net will be trained on.
        seed: seed for the weights; torch's global generator is seeded with it too.
        columns: names of the numeric columns in the data: the inputs of ``Task(inputs="tokens")``.
        largest: the largest number among them, rounded down, e.g. the last token; 0 where there are none.

    """

    task: str
    outputs: int
    classes: tuple[str, ...]
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    cardinalities: tuple[int, ...]
    image_shape: tuple[int, int, int] | None
    train_rows: int
    seed: int
    columns: tuple[str, ...] = ()
    largest: int = 0


@dataclass(frozen=True)
class Task:
    """What a user's function gives back.

    Attributes:
        model: a fresh ``torch.nn.Module``. It is called with one tensor (b, n) for a table without categories, with
            ``(numeric, categorical)`` for one with them, with (b, c, h, w) for images; it gives logits (b, c), or
            values (b,) or (b, 1).
        loss: ``loss(outputs, targets)`` → (b,) or (); None: cross-entropy, or squared error. A numeric target is
            standardized. With ``--task counts`` outputs are log means, and targets counts over their mean.
        optimizer: ``optimizer(model)`` → a ``torch.optim`` optimizer without weight decay; None: AdamW.
        epochs: passes over the training rows; None: the study chooses.
        batch_size: rows per step; None: the study chooses.
        recipe: a ``Recipe`` that is tried first, beside the net without one; None: the study's own ones alone.
        inputs: how a table's numbers come. ``scaled``: about −3 to 3, then a column of 0 and 1 for each with gaps;
            ``raw``: as in the data, 0 where missing, then the same; ``tokens``: whole numbers (b, n) int64 from 0 to
            ``TaskInfo.largest``, 0 for anything else, so that 0 is the padding.
        batch: one typical training batch of any form, for ``temperance price``; None: rows of the data, or random ones.

    """

    model: Any
    loss: Callable[[Any, Any], Any] | None = None
    optimizer: Callable[[Any], Any] | None = None
    epochs: float | None = None
    batch_size: int | None = None
    recipe: Any = None
    inputs: str = "scaled"
    batch: Any = None


def named(net: Any, folder: Path) -> str:
    """Return a user's net as ``module:function``; a function is written to ``folder`` for the workers.

    Raises:
        TaskError: a function that cannot be written, or neither text nor function.

    """
    if isinstance(net, str):
        return net
    import cloudpickle

    if not callable(net) or isinstance(net, type):
        raise TaskError(f"net={net!r}", "module:function, or a function from TaskInfo to Task", "Give the function")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "net.pickle"
    try:
        path.write_bytes(cloudpickle.dumps({"path": sys.path, "function": cloudpickle.dumps(net)}))
    except Exception as fault:  # pickle raises many kinds
        raise TaskError(
            f"the net's function cannot be handed to a worker: {fault}", "a function that can be pickled",
            "Name it as module:function instead",
        ) from fault  # fmt: skip
    return f"{PICKLE}{path.resolve()}"


def load_task(text: str) -> Callable[[TaskInfo], Task]:
    """Import ``module:function``, the module being a file beside the caller or an installed one.

    What ``named`` wrote is opened.

    Raises:
        TaskError: no such module or function, or the module fails.

    """
    if text.startswith(PICKLE):
        return _opened(Path(text.removeprefix(PICKLE)))
    module_name, _, function_name = text.partition(":")
    if not module_name or not function_name:
        raise TaskError(f"--task got {text!r}", "module:function, e.g. mynet:task", "Write the two names with a colon")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name.removesuffix(".py"))
    except ModuleNotFoundError as fault:
        raise TaskError(
            f"--task names the module {module_name!r}: {fault}",
            "a Python file in the current folder, or an installed package",
            "Run the command in the folder of that file",
        ) from fault
    except Exception as fault:  # a user's module may fail in any way; it is told, not hidden
        raise TaskError(
            f"importing {module_name!r} failed with {type(fault).__name__}: {fault}", "", "Mend that file"
        ) from fault
    function = getattr(module, function_name, None)
    if not callable(function):
        names = [n for n, v in vars(module).items() if inspect.isfunction(v)]
        raise TaskError(
            f"{module_name!r} has no function {function_name!r}",
            f"it has {', '.join(names) or 'none'}",
            nearest(function_name, names),
        )
    return function  # type: ignore[no-any-return]


def require_named(text: str) -> None:
    """Raise where ``module:function`` can be seen to name nothing, without importing the module.

    Raises:
        TaskError: no such module, or nothing in its file has the function's name.

    """
    module_name, _, function_name = text.partition(":")
    name = module_name.removesuffix(".py")
    if text.startswith(PICKLE) or not name or "." in name or name in sys.modules:
        return  # a module of a package would import its parents
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    importlib.invalidate_caches()
    found = importlib.util.find_spec(name)
    if found is None:
        raise TaskError(
            f"--task names the module {module_name!r}, which is not there",
            "a Python file in the current folder, or an installed package",
            "Run the command in the folder of that file",
        )
    origin = str(found.origin)
    source = Path(origin).read_text(errors="replace") if origin.endswith(".py") else ""
    words = set(re.findall(r"import\s+[*]|\w+", source))
    made_on_the_way = {"globals", "setattr", "__getattr__"} & words or any(word.endswith("*") for word in words)
    if source and function_name not in words and not made_on_the_way:
        own = re.findall(r"^def (\w+)", source, re.MULTILINE)
        raise TaskError(
            f"{module_name!r} has no function {function_name!r}",
            f"it has {', '.join(own) or 'none'}",
            nearest(function_name, own),
        )


def _opened(path: Path) -> Callable[[TaskInfo], Task]:
    """Open a function that this study wrote itself."""
    try:
        kept = pickle.loads(path.read_bytes())
        sys.path += [folder for folder in kept["path"] if folder not in sys.path]
        return pickle.loads(kept["function"])  # type: ignore[no-any-return]
    except Exception as fault:  # a user's modules may fail in any way; it is told, not hidden
        raise TaskError(
            f"the net's function in {path} cannot be opened: {type(fault).__name__}: {fault}",
            "modules that a worker can import", "Name it as module:function instead",
        ) from fault  # fmt: skip


def make_task(function: Callable[[TaskInfo], Task], info: TaskInfo) -> Task:
    """Call the user's function and check what it gives.

    Raises:
        TaskError: it fails or does not return a ``Task`` with a module.

    """
    from torch import nn

    try:
        made = function(info)
    except Exception as fault:  # a user's function may fail in any way; it is told, not hidden
        raise TaskError(
            f"the task function failed with {type(fault).__name__}: {fault}", f"it was given {info}", "Mend it"
        ) from fault
    if not isinstance(made, Task) or not isinstance(made.model, nn.Module):
        what = f"Task(model={type(made.model).__name__})" if isinstance(made, Task) else type(made).__name__
        raise TaskError(
            f"the task function returned {what}",
            "it returns temperance.Task(model=a torch.nn.Module, …)",
            "Return Task(model=MyNet(info.outputs))",
        )
    if made.recipe is not None and not hasattr(made.recipe, "regularizers"):
        remedy = "Write Task(model=…, recipe=Recipe(Dropout(0.1)))"
        raise TaskError(f"Task got recipe={made.recipe!r}", "a temperance.Recipe", remedy)
    if made.inputs not in INPUTS:
        remedy = nearest(str(made.inputs), INPUTS) or "Leave it out"
        raise TaskError(f"Task got inputs={made.inputs!r}", ", ".join(INPUTS), remedy)
    for name in ("epochs", "batch_size"):
        value = getattr(made, name, None)
        if value is not None and not value > 0:
            remedy = "Leave it out to let the study choose"
            raise TaskError(f"Task got {name}={value!r}", "a number above 0, or None", remedy)
    return made
