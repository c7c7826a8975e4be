"""Second passes of a step leave the running statistics of normalization layers as the first pass left them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn

from temperance.core.recomputation import looking

_NAMES = ("running_mean", "running_var", "num_batches_tracked")


def tracking(model: nn.Module) -> tuple[nn.Module, ...]:
    """Return the layers of ``model`` that keep running statistics."""
    return tuple(m for m in model.modules() if getattr(m, "running_mean", None) is not None)


def every(model: nn.Module) -> list[nn.Module]:
    """Return the module and all inside it, as the slower ``modules()``; shared ones as often as they stand there."""
    found = [model]
    for inner in model._modules.values():
        if inner is not None:
            found += every(inner) if inner._modules else (inner,)
    return found


class unchanged:  # noqa: N801 (context managers, used as verbs; generators would cost each step twice as much)
    """Let the layers normalize as they do in training, without moving their running statistics.

    Works in both executors, because no tensor is touched: the layers are told not to track. Those in evaluation mode
    are left alone: they track nothing, and an InstanceNorm that is told so would stop using its statistics.
    """

    __slots__ = ("_before",)

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        self._before = [(m, m.track_running_stats, m.momentum) for m in layers if m.training] if layers else []

    def __enter__(self) -> None:
        # past Module.__setattr__, which asks at each write whether a value is a parameter, module or buffer
        for m, _, _ in self._before:
            vars(m).update(track_running_stats=False, momentum=0.0)

    def __exit__(self, *fault: object) -> None:
        for m, track, momentum in self._before:
            vars(m).update(track_running_stats=track, momentum=momentum)


class resting:  # noqa: N801
    """Let these modules be in evaluation mode meanwhile, each by itself: no ``train`` of theirs is called.

    Set past ``Module.__setattr__``, which costs each step; a scripted module has no mode of its own there.
    """

    __slots__ = ("_training",)

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        self._training = [m for m in modules if m.training]

    def __enter__(self) -> None:
        _put(self._training, False)

    def __exit__(self, *fault: object) -> None:
        _put(self._training, True)


def _put(modules: Sequence[nn.Module], mode: bool) -> None:
    for m in modules:
        own = vars(m)
        if "training" in own:
            own["training"] = mode
        else:
            m.training = mode


def buffers_of(layer: nn.Module) -> list[Tensor]:
    """Return the running statistics of a layer and its count of batches, as far as it has them.

    Shapes: those of the layers.
    """
    return [b for name in _NAMES if isinstance(b := getattr(layer, name, None), Tensor)]


class Kept:
    """Running statistics as they were at one moment, to put them back."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        self._layers = list(layers)
        self._kept = [[b.clone() for b in buffers_of(layer)] for layer in self._layers]

    def put_back(self) -> None:
        """Make them what they were."""
        for layer, kept in zip(self._layers, self._kept, strict=True):
            for b, old in zip(buffers_of(layer), kept, strict=True):
                b.copy_(old)


class Moved(Kept):
    """The same, and which of them moved since; to know that, a GPU is waited for.

    A layer that the user keeps in evaluation mode while training moves none; its statistics are not ours to estimate.
    """

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__(layers)
        self._tracked = [_tracked(layer) for layer in self._layers]

    def layers(self) -> list[nn.Module]:
        """Return the layers that tracked a batch since; those that count no batches are among them."""
        pairs = zip(self._layers, self._tracked, strict=True)
        return [layer for layer, before in pairs if before < 0 or _tracked(layer) != before]

    def counts(self) -> list[int]:
        """Return the batches that each layer had tracked then, -1 where it does not count them."""
        return list(self._tracked)

    def take_counts(self, counts: Sequence[int]) -> None:
        """Compare with these counts from now on: those of the run that is resumed."""
        self._tracked = list(counts)


def _tracked(layer: nn.Module) -> int:
    count = getattr(layer, "num_batches_tracked", None)
    return int(count) if isinstance(count, Tensor) else -1


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put every submodule in evaluation mode and each one back as it was."""
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    try:
        with looking():
            yield
    finally:
        for m, mode in modes:
            m.training = mode
