"""Dropout that no layer of its own draws: rates that attention, recurrent layers and functional calls read.

Such a rate is a number of a module (``attention.dropout = 0.1``). It is set to the strength whenever that moves, and
the module asks torch for the noise itself: in fused attention, between the layers of an LSTM, in ``F.dropout``. While
the module runs in training, each of these calls finds torch's generator seeded by the step's key, and leaves it as it
was (but for cuDNN, which keeps a generator of its own for recurrent layers). ``torch.compile`` leaves such a module
out: what it makes of a rate is bound to its number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, update_wrapper
from threading import RLock, local
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from temperance.core.random import KeyPath, opaque, site_key
from temperance.core.regularizer import Strengths
from temperance.core.traces import Undo, hold, keep_attribute, replace_forward, together
from temperance.records.errors import RecipeError

_RATE = re.compile(r"drop")
DROPOUTS: tuple[type[nn.Module], ...] = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
_OWN = frozenset(kind.forward for kind in DROPOUTS)
_OTHER = re.compile(r"layer_?drop|drop_?path|drop_?block|stochastic|token")  # they leave out more than units
_DRAWS = frozenset((
    "dropout", "dropout_", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_dropout",
    "feature_alpha_dropout", "native_dropout", "scaled_dot_product_attention", "multi_head_attention_forward",
    "lstm", "gru", "rnn_tanh", "rnn_relu", "bernoulli", "bernoulli_", "rand", "rand_like", "uniform_", "randn",
    "randn_like", "normal_",
))  # fmt: skip
_SEEDING = RLock()  # torch's generator is one for all threads


@dataclass(frozen=True)
class Rate:
    """A rate that a module keeps as a number.

    Attributes:
        place: the module's name.
        module: who reads it.
        attribute: under which name.

    """

    place: str
    module: nn.Module
    attribute: str

    @property
    def value(self) -> float:
        """The rate now."""
        return float(self.module.__dict__[self.attribute])


def rates(model: nn.Module) -> list[Rate]:
    """Return the rates of dropout that modules keep as numbers, ``p`` of layers that draw in a way of their own too."""
    own = [Rate(name, m, "p") for name, m in model.named_modules() if draws_its_way(m) and 0 <= m.p < 1]  # type: ignore[operator]
    return own + [
        Rate(name, module, key)
        for name, module in model.named_modules()
        if not isinstance(module, nn.modules.dropout._DropoutNd) and not is_path(module)
        for key, value in module.__dict__.items()
        if _is_rate(key, value) and (not isinstance(module, nn.RNNBase) or module.num_layers > 1)
    ]


def draws_its_way(module: nn.Module) -> bool:
    """Return whether a layer is a dropout of torch's with a forward of its own: one mask for all steps, say."""
    own = isinstance(module, DROPOUTS) and type(module).forward not in _OWN
    return own and isinstance(module.__dict__.get("p"), (int, float))


def _is_rate(key: str, value: object) -> bool:
    number = isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool))
    return number and bool(_RATE.search(key)) and not _OTHER.search(key) and 0 <= value < 1  # type: ignore[operator]


def is_path(module: nn.Module) -> bool:
    """Return whether a module skips whole residual branches: stochastic depth under one of its names."""
    return bool(re.search(r"DropPath|StochasticDepth", type(module).__name__))


def drop_paths(model: nn.Module) -> list[nn.Module]:
    """Return the layers that skip residual branches, by depth; those that stand idle (``nn.Identity``) too."""
    return [
        module
        for name, module in model.named_modules()
        if (is_path(module) and getattr(module, "scale_by_keep", True))
        or (isinstance(module, nn.Identity) and re.search(r"drop_?path\d*$", name))
    ]


def take_rates(
    places: Sequence[Rate], strengths: Strengths, name: str, of: Callable[[float], float], *,
    readers: Sequence[nn.Module] = (),
) -> Undo:  # fmt: skip
    """Let rates be ``of(strength)``, and let the step's key seed what their modules ask torch for in training.

    Args:
        places: the rates; what stands inside their modules draws seeded noise too.
        strengths: of the technique.
        name: which strength; a number follows one value, so none that members have one each of.
        of: the rate that belongs to a value of the strength.
        readers: modules that draw at the rate of a layer inside them.

    Raises:
        RecipeError: the strength has a value per member.

    """
    if places and strengths[name].dim():
        raise RecipeError(
            f"{strengths.address}.{name} has a value per member; {type(places[0].module).__name__} reads one number",
            "members with rates of their own need nn.Dropout layers in the net",
            "Give one value for all members",
        )
    undos: list[Undo] = []
    for module in dict.fromkeys([*(rate.module for rate in places), *readers]):
        own = tuple(rate.attribute for rate in places if rate.module is module)
        undos += [keep_attribute(module, attribute) for attribute in own]
        if own:
            undos.append(strengths.follow(name, partial(_set_rates, module, own, of)))
            undos.append(hold(module, f"_temperance_{strengths.address}_rate", strengths[name]))
        undos.append(replace_forward(module, _Seeding(module, own, of, strengths)))
    return together(undos)


def _set_rates(module: nn.Module, attributes: Sequence[str], of: Callable[[float], float], value: float) -> None:
    for attribute in attributes:
        module.__dict__[attribute] = of(value)


class _Running(local):
    """Whether a module of this thread seeds already; those inside it need not."""

    seeds = False


_RUNNING = _Running()


class _Seeding:
    """The forward function of a module whose draws are seeded in training."""

    def __init__(
        self, module: nn.Module, attributes: tuple[str, ...], of: Callable[[float], float], strengths: Strengths
    ) -> None:
        self.module, self.attributes, self.of, self.strengths = module, attributes, of, strengths
        self.inner = module.forward
        update_wrapper(self, self.inner)  # whoever looks at the signature sees the module's own

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Run the module."""
        return self.run(*args, **named) if self.module.training else self.inner(*args, **named)

    @opaque  # compiled code would be bound to the number of each rate, and draw from torch's own stream
    def run(self, *args: Any, **named: Any) -> Any:
        """Run it in training."""
        if self.attributes and self.strengths.mirror is None:  # a pure step brings its strengths as buffers
            buffer = self.module._buffers[f"_temperance_{self.strengths.address}_rate"]
            _set_rates(self.module, self.attributes, self.of, float(buffer))  # type: ignore[arg-type]
        if _RUNNING.seeds:
            return self.inner(*args, **named)
        _RUNNING.seeds = True
        try:
            with _Seeded(f"{self.strengths.address}/native"):
                return self.inner(*args, **named)
        finally:
            _RUNNING.seeds = False


class _Seeded(TorchFunctionMode):
    """Seeds torch's generator before each call that draws, by the next key of a site."""

    def __init__(self, site: str) -> None:
        super().__init__()
        self.site = site

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = kwargs or {}
        if getattr(func, "__name__", "") not in _DRAWS or named.get("generator") is not None:
            return func(*args, **named)
        key = site_key(self.site)
        if isinstance(key, KeyPath):  # under ``vmap``, where torch refuses and the population takes its loop
            return func(*args, **named)
        with _seeded(key, _device(args, named)):
            return func(*args, **named)


def _device(args: Any, named: Any) -> torch.device:
    given = named.get("device")
    if given is not None:
        return torch.device(given)
    return next((a.device for a in (*args, *named.values()) if isinstance(a, Tensor)), torch.device("cpu"))


@contextmanager
def _seeded(key: int, device: torch.device) -> Iterator[None]:
    """Seed the device's own generator and leave it as it was."""
    generator = _generator(device)
    with _SEEDING:
        before = generator.get_state()
        generator.manual_seed(key & 0x7FFFFFFFFFFFFFFF)
        try:
            yield
        finally:
            generator.set_state(before)


def _generator(device: torch.device) -> torch.Generator:
    if device.type == "cpu":
        return torch.default_generator
    kind = torch.get_device_module(device)
    if device.type == "mps":
        return kind._get_default_mps_generator()  # type: ignore[no-any-return]
    index = device.index if device.index is not None else kind.current_device()
    return kind.default_generators[index]  # type: ignore[no-any-return]
