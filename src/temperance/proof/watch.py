"""The watch: hooks on a model and its optimizer that see a run and change nothing in it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from temperance.core.wrappers import bare, is_compiled
from temperance.proof import calls
from temperance.proof.decay import Decay
from temperance.proof.passes import Listener, Pass, looked_at, on_return
from temperance.proof.report import Report
from temperance.proof.rules import judged
from temperance.proof.seen import Seen
from temperance.proof.weights import Weights
from temperance.records.errors import SettingError, nearest

EXPECTED = ("dropout", "decay", "averaging", "smoothing", "clipping")
_MODES = 1_000  # passes between two steps that are remembered
_LISTENED = {True: 12, False: 6}  # passes with and without gradient that are listened to; the others cost a counter


def watch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    loss: Any = None,
    average: nn.Module | None = None,
    expects: Iterable[str] = (),
) -> Watch:
    """Watch a run that uses no recipe: one line, no change to the run; ask ``.report()`` at any time.

    It says which regularizers are there (dropout of all kinds, stochastic depth, weight decay per parameter, averages
    of the weights, label smoothing, clipped gradients), whether each acted in training and is silent otherwise, and
    whether the weights that were scored are the ones that were saved.

    Args:
        model: the model that is trained; it may be wrapped by ``torch.compile`` or DDP.
        optimizer: its optimizer.
        loss: the loss module, where one is built: its label smoothing must be heard of.
        average: an averaged copy of the model that the run keeps, where it is never called before it is saved.
        expects: what the run is meant to have, out of ``EXPECTED``; what is missing is then a warning.

    Raises:
        SettingError: an unknown word in ``expects``.

    Example:
        >>> from temperance import proof
        >>> net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))
        >>> seen = proof.watch(net, torch.optim.AdamW(net.parameters(), weight_decay=0.1))
        >>> seen.report().steps
        0

    """
    return Watch(model, optimizer, loss=loss, average=average, expects=expects)


class Watch:
    """See ``watch``; ``close`` takes the hooks off again."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        loss: Any = None,
        average: nn.Module | None = None,
        expects: Iterable[str] = (),
    ) -> None:
        for word in (expects := tuple(expects)):
            if word not in EXPECTED:
                raise SettingError(
                    f"watch expects {word!r}", f"it knows {', '.join(EXPECTED)}", nearest(word, EXPECTED) or "Pick one"
                )
        module = bare(model)
        names = {m: name for name, m in module.named_modules()}
        weights = Weights(module, None if average is None else getattr(bare(average), "module", bare(average)))
        self.seen = Seen(module, names, weights, Decay.of(optimizer), loss, tuple(expects))
        self.optimizer = optimizer
        self._left = dict(_LISTENED)
        self._modes: deque[bool] = deque(maxlen=_MODES)  # of passes that a gradient came back through since a step
        self._stack: list[tuple[Pass, Listener | None, ExitStack]] = []
        self._inner: list[Callable[[], None]] = []
        self._undo = [
            module.register_forward_pre_hook(self._enter).remove,
            module.register_forward_hook(self._leave, always_call=True).remove,
            optimizer.register_step_pre_hook(self._before_step).remove,
            optimizer.register_step_post_hook(self._after_step).remove,
        ]
        if not is_compiled(model):
            for m in list(names)[1:]:
                self._inner += [
                    m.register_forward_pre_hook(self._enter_inner).remove,
                    m.register_forward_hook(self._leave_inner, always_call=True).remove,
                ]
        calls.listen(self)

    def close(self) -> None:
        """Take everything off; the report stays."""
        for undo in (*self._undo, *self._inner):
            undo()
        self._undo, self._inner = [], []
        self.seen.weights.close()
        calls.forget(self)

    def report(self) -> Report:
        """Return what was seen up to now."""
        return judged(self.seen)

    # -- what is heard ------------------------------------------------------------------------------------------------

    def _enter(self, module: nn.Module, inputs: Any) -> None:
        if not looked_at():
            return
        one, stack, listener = Pass(module.training, torch.is_grad_enabled()), ExitStack(), None
        if self._inner and self._left[one.with_grad] > 0:
            self._left[one.with_grad] -= 1
            one.called = set()
            listener = Listener(one, self.seen.names)
            stack.enter_context(listener)
            self.seen.passes.append(one)
        self._stack.append((one, listener, stack))

    def _leave(self, module: nn.Module, inputs: Any, outputs: Any) -> None:
        if not self._stack:
            return
        one, _, stack = self._stack.pop()
        stack.close()
        if one.with_grad:
            on_return(outputs, partial(self._back, one))
        else:
            self.seen.weights.score(module)
        if self._inner and not any(self._left.values()):
            for undo in self._inner:
                undo()
            self._inner = []

    def _enter_inner(self, module: nn.Module, inputs: Any) -> None:
        listener = self._stack[-1][1] if self._stack else None
        if listener is not None:
            listener.enter(module)

    def _leave_inner(self, module: nn.Module, inputs: Any, outputs: Any) -> None:
        listener = self._stack[-1][1] if self._stack else None
        if listener is not None and listener.running:
            listener.leave()

    def heard_module(self, module: nn.Module) -> None:
        """Hear of averages and teachers: modules of the same class and parameters."""
        if type(module) is not type(self.seen.model) or module is self.seen.model or module in self.seen.names:
            return
        if not torch.is_grad_enabled() and looked_at() and self.seen.weights.is_kin(module):
            self.seen.weights.score(module)

    def _back(self, one: Pass, gradient: Tensor) -> None:
        seen = self.seen
        seen.fresh = seen.came_back = True
        if not one.trained:  # the first of its outputs that a gradient reaches
            one.trained = True
            self._modes.append(one.training)

    def _before_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        self.seen.weights.before_step()
        self.seen.decay.look(self.optimizer)

    def _after_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        self.seen.weights.after_step()
        self.seen.fresh = False
        if self._modes:  # gradients that no step took, of an attack, train nothing
            self.seen.resting = 0 if any(self._modes) else self.seen.resting + len(self._modes)
            self._modes.clear()

    def heard_entropy(self, smoothing: float, *, learns: bool, soft: bool) -> None:
        """Take note of a cross-entropy, its label smoothing, and whether a gradient can come back through it.

        ``soft``: whether its targets are shares of classes.
        """
        self.seen.soft |= soft and learns
        if len(self.seen.smoothing) < 10_000:
            self.seen.smoothing.append((smoothing, learns))

    def heard_clip(self, parameters: list[Tensor]) -> None:
        """Take note of a clipping of these parameters' gradients.

        Shapes: any.
        """
        mine = any(id(p) in self.seen.decay.held for p in parameters)
        self.seen.clips["foreign" if not mine else "held" if self.seen.fresh else "late"] += 1

    def heard_norm(self, parameters: list[Tensor], share: Tensor) -> None:
        """Take note of the norm of these parameters' gradients, as a share of the largest that is let through.

        Shapes: share ().
        """
        longest = self.seen.longest
        if any(id(p) in self.seen.decay.held for p in parameters):
            self.seen.longest = share if longest is None else torch.maximum(longest, share.to(longest.device))
