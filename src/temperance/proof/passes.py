"""Forward passes of a watched model: what ran in them, which noise, and whether anything was trained on them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from temperance.core.nest import leaves

_DROPOUTS = nn.modules.dropout._DropoutNd
_NAMED = re.compile(r"Dropout|DropPath|StochasticDepth")
_RATES = ("p", "drop_prob", "rate", "prob")
_FUNCTIONS = {
    functional.dropout, functional.alpha_dropout, functional.feature_alpha_dropout, functional.dropout1d,
    functional.dropout2d, functional.dropout3d,
}  # fmt: skip


@dataclass(frozen=True)
class Noise:
    """One place that draws noise in a pass.

    Attributes:
        where: name of the module that was running.
        p: its rate.
        on: whether it drew.
        is_module: a dropout layer, not a function called by another module.

    """

    where: str
    p: float
    on: bool
    is_module: bool


@dataclass
class Pass:
    """One forward pass.

    Attributes:
        training: mode of the whole model.
        with_grad: whether gradients were recorded.
        called: names of the modules that ran; None where nobody looked.
        resting: those of them that stood in evaluation mode.
        noise: the places that could draw.
        trained: a gradient came back through its outputs.

    """

    training: bool
    with_grad: bool
    called: set[str] | None = None
    resting: set[str] = field(default_factory=set)
    noise: list[Noise] = field(default_factory=list)
    trained: bool = False


def rate_of(module: nn.Module) -> float | None:
    """Return the rate of a module that drops units, channels or branches; None for any other module."""
    if not isinstance(module, _DROPOUTS) and not _NAMED.search(type(module).__name__):
        return None
    for name in _RATES:
        rate = getattr(module, name, None)
        if isinstance(rate, (int, float)):
            return float(rate)
    return None


def on_return(outputs: Any, tell: Callable[[Tensor], None]) -> None:
    """Have ``tell`` called when a gradient comes back through any tensor of ``outputs``."""
    for leaf in leaves(outputs):
        if isinstance(leaf, Tensor) and leaf.requires_grad and leaf.grad_fn is not None:
            leaf.register_hook(tell)  # type: ignore[no-untyped-call]


class Listener(TorchFunctionMode):
    """Hears dropout as modules and as functions while one pass runs.

    Args:
        one: where to write.
        names: names of the model's modules.

    """

    def __init__(self, one: Pass, names: Mapping[nn.Module, str]) -> None:
        super().__init__()
        self.one, self.names = one, names
        self.running: list[nn.Module] = []

    def enter(self, module: nn.Module) -> None:
        """Note that a module of the model begins."""
        self.running.append(module)
        assert self.one.called is not None
        self.one.called.add(self.names[module])
        if not module.training:
            self.one.resting.add(self.names[module])
        rate = rate_of(module)
        if rate is not None:
            self.one.noise.append(Noise(self.names[module], rate, module.training and rate > 0, True))

    def leave(self) -> None:
        """Note that the innermost module ends."""
        self.running.pop()

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run the function as it is, and note a dropout."""
        given = dict(kwargs or {})
        if func in _FUNCTIONS:
            p = float(given.get("p", args[1] if len(args) > 1 else 0.5))
            self._heard(p, bool(given.get("training", args[2] if len(args) > 2 else True)))
        elif func is functional.scaled_dot_product_attention:
            p = float(given.get("dropout_p", args[4] if len(args) > 4 else 0.0))
            self._heard(p, True)
        elif func is functional.multi_head_attention_forward:
            module = self.running[-1] if self.running else None
            self._heard(float(getattr(module, "dropout", 0.0)), bool(given.get("training", True)))
        return func(*args, **given)

    def _heard(self, p: float, on: bool) -> None:
        module = self.running[-1] if self.running else None
        if p > 0 and (module is None or rate_of(module) is None):  # a layer has told of itself
            self.one.noise.append(Noise(self.names.get(module, "") if module else "", p, on, False))


def looked_at() -> bool:
    """Return whether a pass can be listened to: compiled code is not interrupted."""
    return not torch.compiler.is_compiling()
