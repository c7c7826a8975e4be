"""What an answer of a model holds, and what is refused at the first number of a loss, before it trains anything."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from temperance.core.convention import Convention
from temperance.core.nest import described, fields_of, is_sequence
from temperance.core.random import is_batched
from temperance.records.errors import RecipeError, SettingError

LOGITS = ("logits", "prediction_logits", "out")  # "out" is what torchvision's dense nets say


def main_output(raw: Any) -> Any:
    """Return the part of an answer that techniques act on: a tensor where there is a clear one, else the answer.

    Of a named answer (``ModelOutput``, dict, named tuple) its logits, or its only tensor; of a tuple its first tensor
    with an axis (an LSTM's outputs; a loss of no axes before it is passed over).
    """
    if isinstance(raw, Tensor):
        return raw
    named = fields_of(raw)
    if named is not None:
        for name in LOGITS:
            if isinstance(named.get(name), Tensor):
                return named[name]
        found = [part for part in named.values() if isinstance(part, Tensor) and part.dim()]
        return found[0] if len(found) == 1 and not _is_hidden(named) else raw
    if is_sequence(raw):
        return next((part for part in raw if isinstance(part, Tensor) and part.dim()), raw)
    return raw


def _is_hidden(named: dict[Any, Any]) -> bool:
    return any(str(name).endswith("hidden_state") or str(name) == "pooler_output" for name in named)


def require_loss(loss: Any) -> None:
    """Refuse what is no loss.

    Raises:
        SettingError: it cannot be called, or it is a class of losses.

    """
    if loss is not None and (isinstance(loss, type) or not callable(loss)):
        raise SettingError(
            f"attach got loss={loss!r} of type {type(loss).__name__}",
            "loss(outputs, targets), or None where the model computes its own",
            "Give an object, loss=nn.CrossEntropyLoss() with brackets, or a function, loss=F.cross_entropy",
        )


def may_learn(value: Tensor) -> bool:
    """Return whether a number can be read here, and what was read may be kept: not in a functional transform.

    Shapes: any.
    """
    return not (is_batched() or torch.compiler.is_compiling() or torch._C._functorch.is_functorch_wrapped_tensor(value))


def no_number(value: Any, name: str) -> RecipeError:
    """Return the error of a loss, called so, that gave no tensor."""
    if isinstance(value, Tensor):
        return RecipeError(
            f"{name} gave {described(value)}, a complex number",
            "a loss gives a real number, () or (b, …)",
            "Take its size or its real part: value.abs() or value.real",
        )
    return RecipeError(
        f"{name} gave {described(value)} of type {type(value).__name__}",
        "a loss gives one tensor, () or (b, …)",
        "Return the tensor alone, without float() or .item(); of several parts the sum: attach(..., "
        "loss=lambda out, y: loss(out, y)[0])",
    )


def require_history(raw: Any, value: Tensor, name: str) -> None:
    """Refuse a loss cut off from the outputs: what techniques add would be all that trains.

    Shapes: value () or (b, …).

    Raises:
        RecipeError: the outputs have a history, and the loss has none.

    """
    outputs = main_output(raw)
    is_cut = isinstance(outputs, Tensor) and outputs.requires_grad and not value.requires_grad
    if not is_cut or not torch.is_grad_enabled() or not may_learn(value) or not bool(value.detach().any()):
        return
    raise RecipeError(
        f"{name} gave a number that does not depend on the model's outputs",
        "a loss that gradients can be taken of",
        "Look for detach, argmax, item or no_grad in the loss",
    )


def require_pairs(raw: Any, targets: Any, value: Tensor, convention: Convention, *, is_torchs: bool) -> None:
    """Refuse outputs (b, 1) beside targets (b,): subtracting them pairs each row with every other.

    Shapes: value () or (b, …).

    Raises:
        RecipeError: a loss of torch's that compares numbers got them (``is_torchs``), or the loss is (b, b).

    """
    outputs = main_output(raw)
    if not isinstance(outputs, Tensor) or not isinstance(targets, Tensor) or is_batched():
        return
    a, b = outputs.shape, targets.shape
    if {a, b} != {(len(outputs),), (len(outputs), 1)} or len(outputs) < 2:
        return
    if is_torchs or value.shape == (len(outputs), len(outputs)):
        raise RecipeError(
            f"the model gives {tuple(a)} and the targets are {tuple(b)}, which {convention.name} broadcasts: "
            "every row would be compared with every other",
            "outputs and targets of one shape",
            "Make them alike: squeeze the output in the model, give targets as y[:, None], or say "
            "attach(..., outputs=lambda out: out.squeeze(1))",
        )
