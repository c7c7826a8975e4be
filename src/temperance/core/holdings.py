"""Which parameters an optimizer holds, beside the leaves that a session trains, and what has changed there since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from temperance.core.policy import trainable
from temperance.core.regularizer import Regularizer
from temperance.records.errors import RecipeError, SettingError

_EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)


class Holdings:
    """An optimizer's parameters, sorted by what a session does with them.

    Args:
        optimizer: the user's.
        module: the user's, without wrappers.
        leaves: parameters that the session trains, if the optimizer holds them.

    Attributes:
        mask: per leaf whether the optimizer holds it; None where it holds all (then nothing has to be asked).
        foreign: parameters that it holds and that are no leaf: a loss's own ones, another model's, frozen ones.

    """

    def __init__(self, optimizer: torch.optim.Optimizer, module: nn.Module, leaves: Sequence[Tensor]) -> None:
        self._optimizer = optimizer
        held = [p for group in optimizer.param_groups for p in group["params"]]
        known, own = {id(p) for p in held}, {id(p) for p in module.parameters()}
        mask, home = [id(p) in known for p in leaves], {id(p) for p in leaves}
        self.mask = None if all(mask) else mask
        self.foreign: list[Tensor] = [p for p in held if id(p) not in home]
        self._frozen = [p for p in self.foreign if id(p) in own]
        self.elsewhere = sum(id(p) not in own for p in self.foreign)
        self._count = len(held)
        self._places = _places(module, leaves)

    def grew(self) -> bool:
        """Return whether the optimizer got parameters since, or the user unfroze some; asked at every step."""
        count = 0
        for group in self._optimizer.param_groups:
            count += len(group["params"])
        return count != self._count or (bool(self._frozen) and any(p.requires_grad for p in self._frozen))

    def replaced(self) -> bool:
        """Return whether the module holds another parameter, or another layer, where a leaf was; asked at every step.

        A new head under an old one's name would else be trained by nobody, or by what techniques remember of the old.
        """
        for holder, name, kept in self._places:  # noqa: SIM110 (``any`` would start a generator at every step)
            if holder.get(name) is not kept:
                return True
        return False

    def forget_gradients(self) -> None:
        """Zero the gradients of foreign parameters, as ``optimizer.zero_grad()`` would."""
        for p in self.foreign:
            if p.grad is not None:
                p.grad = None

    def gradients(self) -> list[Tensor]:
        """Return the gradients that foreign parameters have now.

        Shapes: those of the parameters.
        """
        return [p.grad for p in self.foreign if p.grad is not None]


def _places(module: nn.Module, leaves: Sequence[Tensor]) -> list[tuple[dict[str, Any], str, Any]]:
    """Return where leaves stand, and the layers around them: (dict of a module, name in it, what is there)."""
    wanted = {id(p) for p in leaves}
    found: list[tuple[dict[str, Any], str, Any]] = []
    for m in module.modules():
        found += [(m._parameters, name, p) for name, p in m._parameters.items() if id(p) in wanted]
        found += [
            (m._modules, name, child)
            for name, child in m._modules.items()
            if child is not None and any(id(p) in wanted for p in child.parameters())
        ]
    return found


def check_optimizer(optimizer: torch.optim.Optimizer, model: nn.Module) -> None:
    """Raise where the optimizer does not train the model's parameters, or wants to run the passes itself.

    Raises:
        SettingError: it is no optimizer.
        RecipeError: it holds none of the model's parameters, these have no shape yet, it is LBFGS, or scales gradients
            by itself.

    """
    if not hasattr(optimizer, "param_groups"):
        raise SettingError(
            f"attach got optimizer={optimizer!r} of type {type(optimizer).__name__}",
            "a torch.optim optimizer over the model's parameters",
            "Pass torch.optim.AdamW(model.parameters(), weight_decay=0), say, as the second argument",
        )
    if isinstance(getattr(optimizer, "optimizer", optimizer), torch.optim.LBFGS):  # accelerate wraps it
        raise RecipeError(
            "the optimizer is LBFGS, which runs the passes of a step itself",
            "a recipe wraps the gradient, so the optimizer must take one",
            "Use torch.optim.AdamW or SGD",
        )
    if getattr(optimizer, "scaler", None) is not None:
        raise RecipeError(
            "accelerate prepared this optimizer for float16: its step unscales, as the session does",
            "one of them scales",
            "attach(model, optimizer.optimizer, scaler=accelerator.scaler), or use bf16",
        )
    lazy = next((name for name, p in model.named_parameters() if is_lazy(p)), None)
    if lazy is not None:
        raise RecipeError(
            f"the parameter {lazy} has no shape yet (a Lazy layer)",
            "a recipe works on weights that are there",
            "Run one batch through the model first, build the optimizer then, and attach after that",
        )
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    lost = [name for name, p in trainable(model).items() if id(p) not in held]
    if lost and len(lost) == len(trainable(model)):
        raise RecipeError(
            f"the optimizer holds none of the model's {len(lost)} parameters",
            "it must have been built from this model's parameters",
            "Build it after the model is final: torch.optim.AdamW(model.parameters(), weight_decay=0)",
        )


def require_sync(gate: Any) -> None:
    """Raise where accelerate gathers gradients: its optimizer would leave the step out without a word.

    Args:
        gate: the ``gradient_state`` of a prepared optimizer.

    Raises:
        RecipeError: ``accelerator.accumulate`` waits for more micro-batches.

    """
    if not gate.sync_gradients:
        raise RecipeError(
            "accelerator.accumulate waits for more micro-batches, so its optimizer would not step",
            "an update of the session is a step of the optimizer",
            "Give micro-batches as a list, session.step([a, b]), or call session.loss(batch), accelerator.backward, "
            "and if accelerator.sync_gradients, session.update()",
        )


def check_complex(model: nn.Module, parts: Mapping[str, Regularizer]) -> None:
    """Raise where weights are complex and a technique computes with real ones only.

    Raises:
        RecipeError: naming the weight and who cannot work with it.

    """
    found = [n for n, p in trainable(model).items() if p.is_complex()]
    cannot = [type(one).__name__ for one in parts.values() if not one.takes_complex]
    if found and cannot:
        raise RecipeError(
            f"{', '.join(cannot)} and the weight {found[0]!r}, which is complex",
            "real weights: it compares them, squares them or cuts them off",
            f"Hold {found[0]} as real numbers (torch.view_as_real), freeze it, or leave {cannot[0]} out",
        )


def check_sparse(model: nn.Module, parts: Mapping[str, Regularizer], scaler: Any) -> None:
    """Raise where an embedding gives sparse gradients and a technique (or a scaler) needs to compute with them.

    Raises:
        RecipeError: naming the layer and who cannot work with it.

    """
    layers = [n for n, m in model.named_modules() if getattr(m, "sparse", False) and isinstance(m, _EMBEDDINGS)]
    need = [type(one).__name__ for one in parts.values() if "gradient" in one.stages() or one.reads_gradients]
    need += ["a GradScaler"] if scaler is not None else []
    if layers and need:
        raise RecipeError(
            f"{', '.join(need)} and the layer {layers[0]!r}, whose gradients are sparse",
            "dense gradients, where gradients are measured, changed or unscaled",
            f"Build {layers[0]} with sparse=False, or leave {need[0]} out",
        )
