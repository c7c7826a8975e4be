"""All noise of a training step. A key is an integer folded from (seed, step, regularizer, site).

Solo draws from one generator per device that is re-seeded at each draw (about 3 µs). Under ``vmap`` nothing may be
drawn: there a ``KeyPath`` stands for the key, a ``Tape`` learns in one dry run what will be asked for, draws it for
each member with that member's own key outside ``vmap``, and hands it in. So member i sees exactly the noise of a solo
run with its seed. Compiled models ask through an operator of their graph, which draws when it runs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from threading import local
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from temperance.core.keys import Key as Key
from temperance.core.keys import KeyPath as KeyPath
from temperance.core.keys import beta_number as beta_number
from temperance.core.keys import fold as fold
from temperance.records.errors import RecipeError

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


class Request(NamedTuple):
    """One draw: what kind of noise, of what shape, for which key, and which strength shapes it."""

    kind: str
    path: tuple[str | int, ...]
    shape: tuple[int, ...]
    device: torch.device
    dtype: torch.dtype
    strength: str = ""


def _dynamo() -> Any:
    return sys.modules.get("torch._dynamo")


# What looks at each frame while compiled code runs, else None; on a torch that does not tell: dynamo, where loaded.
_compiler: Callable[[], Any] = getattr(torch._C._dynamo.eval_frame, "get_eval_frame_callback", _dynamo)


class _Generators(local):
    """One generator per device and thread: a draw is two calls, and another thread may come between them."""

    def __init__(self) -> None:
        self.by_device: dict[torch.device, torch.Generator] = {}


_GENERATORS = _Generators()


def opaque(function: F) -> F:
    """Keep ``torch.compile`` out of a function, as ``torch.compiler.disable`` does.

    That decorator loads all of dynamo (3 s) and costs several draws, so it is applied inside compiled code only.
    """
    disabled: list[Any] = []

    @wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        if not torch.compiler.is_compiling() and _compiler() is None:  # the first where this very frame is compiled
            return function(*args, **named)
        if not disabled:
            disabled.append(torch.compiler.disable(function))  # type: ignore[no-untyped-call]
        return disabled[0](*args, **named)

    call._torchdynamo_disable = True  # type: ignore[attr-defined]
    return call  # type: ignore[return-value]


@opaque
def _draw(kind: str, key: int, shape: Sequence[int], device: torch.device, dtype: torch.dtype) -> Tensor:
    generators = _GENERATORS.by_device
    generator = generators.get(device)
    if generator is None:
        generator = generators[device] = torch.Generator(device=device)
    generator.manual_seed(key & 0x7FFFFFFFFFFFFFFF)
    if kind == "uniform":
        return torch.rand(tuple(shape), generator=generator, device=device, dtype=dtype)
    if kind == "normal":
        return torch.randn(tuple(shape), generator=generator, device=device, dtype=dtype)
    if kind == "permutation":
        return torch.randperm(shape[0], generator=generator, device=device)
    return torch.empty(tuple(shape), device=device, dtype=dtype).exponential_(generator=generator)


def _noise(kind: str, key: Key, shape: Sequence[int], device: torch.device, dtype: torch.dtype) -> Tensor:
    if isinstance(key, int):
        return _draw(kind, key, shape, device, dtype)  # type: ignore[no-any-return]
    return _play(Request(kind, key.parts, tuple(shape), device, dtype))


def _play(request: Request) -> Tensor:
    tape = _TAPE.get()
    if tape is None:
        raise RuntimeError("noise was asked for by path outside a population step")
    return tape.play(request)


def uniform(key: Key, shape: Sequence[int], device: torch.device, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return U(0, 1) of ``shape``."""
    return _noise("uniform", key, shape, device, dtype)


def normal(key: Key, shape: Sequence[int], device: torch.device, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return N(0, 1) of ``shape``."""
    return _noise("normal", key, shape, device, dtype)


def exponential(key: Key, shape: Sequence[int], device: torch.device, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return Exp(1) of ``shape``."""
    return _noise("exponential", key, shape, device, dtype)


def permutation(key: Key, count: int, device: torch.device) -> Tensor:
    """Return a random order of 0 … count − 1, int64 (count,)."""
    return _noise("permutation", key, (count,), device, torch.int64)


def beta(key: Key, alpha: Tensor | float, device: torch.device, *, strength: str = "") -> Tensor:
    """Return λ ~ Beta(α, α), float32 (); exactly 1 where α = 0 (no mixing).

    Args:
        key: key of the draw.
        alpha: α; in a population each member's own value is looked up instead.
        device: where λ is needed.
        strength: address of the strength that holds α, e.g. ``mixup.alpha``; empty where α is a fixed setting.

    """
    if isinstance(key, int):
        return torch.full((), beta_number(key, float(alpha)), dtype=torch.float32, device=device)
    return _play(Request("beta", key.parts, (), device, torch.float32, strength or f"={float(alpha)!r}"))


class Tape:
    """The noise of one population step: first it records what is asked for, then it plays what was drawn."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.noise: dict[Request, Tensor] | None = None

    def play(self, request: Request) -> Tensor:
        """Return the noise asked for; while recording, a stand-in of the right shape."""
        if self.noise is not None:
            return self.noise[request]
        if request not in self.requests:
            self.requests.append(request)
        if request.kind == "permutation":
            return torch.arange(request.shape[0], device=request.device)
        return torch.full(request.shape, 0.5, device=request.device, dtype=request.dtype)

    def draw(self, keys: Sequence[int], strengths: Mapping[str, Any]) -> list[Tensor]:
        """Draw every request for every member: tensors (k, *shape) in the order of ``requests``.

        Args:
            keys: one per member.
            strengths: values (k,) by address.

        """
        return [torch.stack([_answer(r, key, strengths, i) for i, key in enumerate(keys)]) for r in self.requests]


def _answer(request: Request, key: int, strengths: Mapping[str, Any], member: int) -> Tensor:
    own = fold(key, *request.path)
    if request.kind == "beta":
        named = request.strength
        alpha = float(named[1:]) if named.startswith("=") else strengths[named][member]
        return beta(own, alpha, request.device)
    return _draw(request.kind, own, request.shape, request.device, request.dtype)  # type: ignore[no-any-return]


_TAPE: ContextVar[Tape | None] = ContextVar("temperance_tape", default=None)


@contextmanager
def playing(tape: Tape) -> Iterator[None]:
    """Answer all requests by path from ``tape``."""
    before = _TAPE.set(tape)
    try:
        yield
    finally:
        _TAPE.reset(before)


class Pulse:
    """The key of a pass, for modules inside the model; each site is counted, so its calls differ.

    The running pulse is a context variable: passes in other threads have pulses of their own.

    Attributes:
        key: what every site folds its name and the number of its call into.
        calls: how often each site was called so far.
        handed: what techniques hand to their hooks in this pass, by address.
        kept: what sites computed once and must not compute anew when a part of the pass runs again.

    """

    __slots__ = ("calls", "handed", "kept", "key")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.calls: dict[str, int] = {}
        self.handed: dict[str, Any] = {}
        self.kept: dict[tuple[str, int], Any] = {}

    def at(self, site: str) -> Key:
        """Return the key of the next call of ``site``."""
        return fold(self.key, site, self.count(site))  # type: ignore[no-any-return]

    def count(self, site: str) -> int:
        """Return the number of this call of ``site``, from 0."""
        call = self.calls.get(site, 0)
        self.calls[site] = call + 1
        return call

    def copy(self) -> Pulse:
        """Return a pulse that goes on from here by itself: what runs again under it draws what is drawn next here."""
        again = Pulse(self.key)
        again.calls, again.handed, again.kept = dict(self.calls), dict(self.handed), self.kept
        return again


_PULSE: ContextVar[Pulse | None] = ContextVar("temperance_pulse", default=None)


def running() -> Pulse | None:
    """Return the pulse of the running pass; None outside a pass."""
    return _PULSE.get()


class pulsing:  # noqa: N801 (a context manager, used as a verb; a generator would cost each step twice as much)
    """Run under a given pulse."""

    __slots__ = ("_before", "_one")

    def __init__(self, one: Pulse) -> None:
        self._one = one

    def __enter__(self) -> None:
        self._before = _PULSE.set(self._one)

    def __exit__(self, *fault: object) -> None:
        _PULSE.reset(self._before)


def pulse(key: Key) -> pulsing:
    """Make ``key`` the key of the running pass (a context manager); every site counts from its first call."""
    return pulsing(Pulse(key))


def once(site: str, make: Callable[[], T]) -> T:
    """Return ``make()``; where a checkpointed part of the pass runs again: what it gave in the forward pass."""
    now = _PULSE.get()
    if now is None:
        return make()
    place = site, now.count(site)
    if place not in now.kept:
        now.kept[place] = make()
    return now.kept[place]  # type: ignore[no-any-return]


def site_uniform(site: str, like: Tensor, shape: Sequence[int] | None = None) -> Tensor:
    """Return U(0, 1) shaped as ``like`` (or ``shape``) for a module's site; ``RecipeError`` outside a pass."""
    return _site_noise("uniform", site, like, shape)


def site_mask(site: str, like: Tensor, keep: Tensor, shape: Sequence[int] | None = None) -> Tensor:
    """Return m/keep with m = 1 with probability ``keep``, else 0, in the dtype of ``like``; all 1 where keep = 1.

    Solo works in place on its fresh draw, which makes a mask cheaper than ``nn.Dropout``'s.

    Shapes: keep (); that of ``like``, or ``shape``.
    """
    drawn = site_uniform(site, like, shape)
    if is_batched():
        return ((drawn < keep).to(drawn.dtype) / keep).to(like.dtype)
    return drawn.lt_(keep).div_(keep).to(like.dtype)


def site_factor(site: str, like: Tensor, size: Tensor | float) -> Tensor:
    """Return 1 + size·ε, ε ~ N(0, 1), in the shape and dtype of ``like``; all 1 where size = 0."""
    drawn = site_normal(site, like)
    if is_batched():
        return (1 + size * drawn).to(like.dtype)
    return drawn.mul_(size).add_(1).to(like.dtype)


def is_batched() -> bool:
    """Return whether the running pass is that of many members under ``vmap``, where nothing may follow a value."""
    # compiled code would be bound to the number of the key
    if torch.compiler.is_compiling():
        return False
    now = _PULSE.get()
    return now is not None and isinstance(now.key, KeyPath)


def site_normal(site: str, like: Tensor, shape: Sequence[int] | None = None) -> Tensor:
    """Return N(0, 1) shaped as ``like`` (or ``shape``) for a module's site; ``RecipeError`` outside a pass."""
    return _site_noise("normal", site, like, shape)


def _site_noise(kind: str, site: str, like: Tensor, shape: Sequence[int] | None) -> Tensor:
    wanted = like.shape if shape is None else shape
    dtype = like.dtype if like.dtype in (torch.float32, torch.float64) else torch.float32
    if torch.compiler.is_compiling():  # one node of the compiled graph, which draws when it runs
        return torch.ops.temperance.site_noise(kind, site, like.detach(), wanted, dtype)  # type: ignore[no-any-return]
    return _draw_for_site(kind, site, like, wanted, dtype)


def _draw_for_site(kind: str, site: str, like: Tensor, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    return _noise(kind, site_key(site), shape, like.device, dtype)


def site_key(site: str) -> Key:
    """Return the key of the next call of ``site`` in the running pass.

    Raises:
        RecipeError: no pass is running.

    """
    now = _PULSE.get()
    if now is not None:
        return now.at(site)
    if torch._C._current_graph_task_id() != -1:
        raise RecipeError(
            f"{site.split('/')[0]} was asked for noise in a backward pass that runs a part of the model again",
            "only torch.utils.checkpoint, outside torch.compile, gives the noise of the forward pass again",
            "Checkpoint with torch.utils.checkpoint.checkpoint in a model that is not compiled",
        )
    raise RecipeError(
        f"{site.split('/')[0]} was asked for noise, in training mode, outside a training step",
        "noise comes from the key of a step, so that a run can be repeated and resumed",
        "Call model.eval() to predict, session.step(batch) or session.loss(batch) to train, or probe the model in"
        " training mode inside `with session.noise():`",
    )


def _shape_for_site(kind: str, site: str, like: Tensor, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    return like.new_empty(tuple(shape), dtype=dtype)


_OPERATORS = torch.library.Library("temperance", "FRAGMENT")  # type: ignore[no-untyped-call]
_OPERATORS.define(  # type: ignore[no-untyped-call]
    "site_noise(str kind, str site, Tensor like, SymInt[] shape, ScalarType dtype) -> Tensor",
    tags=(torch.Tag.nondeterministic_seeded,),  # two calls are two draws, though their arguments are the same
)
_OPERATORS.impl("site_noise", _draw_for_site, "CompositeExplicitAutograd")  # type: ignore[no-untyped-call]
torch.library.register_fake("temperance::site_noise", _shape_for_site, lib=_OPERATORS)
