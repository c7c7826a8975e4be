"""How a session's step runs inside Lightning's: its loss, its update, and the weights that go into checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from lightning.pytorch import Trainer
from torch import Tensor, nn

from temperance.core.batch import Batch
from temperance.core.session import Session
from temperance.core.wrappers import Around, bare
from temperance.records.errors import RecipeError

_MISSING: Any = object()


class Skipped(Exception):
    """``training_step`` gave no loss, which in Lightning leaves the batch out."""


class OwnLoss(Around):
    """The module whose answer is the loss that the user's ``training_step`` gives; a pass of it runs the last ``call``.

    The session is given ``batch``, one row that stands for whatever the loader gave: nobody reads it, since techniques
    that look at inputs or targets are refused, and as micro-batches all count alike, which is Lightning's mean.

    Args:
        module: the one that is trained, as the strategy wraps it.
        run: ``training_step`` as the strategy runs it.

    Attributes:
        call: arguments, by position and by name, that Lightning gave ``training_step`` last.
        said: what it gave in the first pass of this step; None before.

    """

    def __init__(self, module: nn.Module, run: Callable[..., Any]) -> None:
        super().__init__(module)
        self.run = run
        self.batch = Batch(torch.zeros(1), None)
        self.call: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})
        self.said: Any = None

    def forward(self, row: Tensor) -> dict[str, Any]:
        """Return ``{"loss": …}``.

        Shapes: row (1,), which is not looked at.

        Raises:
            Skipped: there is none.

        """
        args, kwargs = self.call
        if self.said is None:
            self.said = said = self.run(*args, **kwargs)
        else:  # a further pass of the same step, at other weights: what it would log is not the loss of the model
            silence = Replaced(bare(self.module), "log", _nothing)
            try:
                said = self.run(*args, **kwargs)
            finally:
                silence.undo()
        loss = said.get("loss") if isinstance(said, Mapping) else said
        if loss is None:
            raise Skipped
        return {"loss": loss}

    def answer(self, loss: Tensor) -> Any:
        """Return what ``training_step`` gave, with this loss in it.

        Shapes: loss ().
        """
        said, self.said = self.said, None
        return {**said, "loss": loss} if isinstance(said, Mapping) else loss


class Replaced:
    """A method of one object replaced for the time of a training.

    Args:
        owner: the object.
        name: of the method.
        method: the new one.

    """

    def __init__(self, owner: Any, name: str, method: Callable[..., Any]) -> None:
        self.owner, self.name, self.method = owner, name, method
        self.before = owner.__dict__.get(name, _MISSING)
        setattr(owner, name, method)

    def undo(self) -> None:
        """Put the old one back; where somebody else has replaced it since, theirs stays."""
        if self.owner.__dict__.get(self.name) is not self.method:
            return
        if self.before is _MISSING:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, self.before)


class AutomaticSteps:
    """Runs a session where Lightning owns the loop: loss in ``training_step``, update in ``optimizer.step``.

    One-pass recipes leave backward, accumulation, scaling and clipping to Lightning. Two-pass ones run all their passes
    where the loss is asked for; clipping follows, then the update.

    Args:
        trainer: the trainer that is fitting.
        session: attached to what the strategy trains.
        own: the model of the session where the loss is ``training_step``'s; None where the session computes it.
        two_pass: whether the recipe runs backward itself.
        tell: called with the loss () and the batch after each loss.

    """

    def __init__(
        self, trainer: Trainer, session: Session, own: OwnLoss | None, *, two_pass: bool,
        tell: Callable[[Session, Any], None],
    ) -> None:  # fmt: skip
        self.trainer, self.session, self.own, self.two_pass, self.tell = trainer, session, own, two_pass, tell
        self._updating = False
        strategy, optimizer = trainer.strategy, session.optimizer
        self._step_before = optimizer.step
        step = _like(self._optimizer_step, optimizer.step)
        self._replaced = [Replaced(strategy, "training_step", self._training_step), Replaced(optimizer, "step", step)]
        trainer.fit_loop._skip_backward = two_pass

    def undo(self) -> None:
        """Give Lightning its own steps back."""
        for one in self._replaced:
            one.undo()
        self.trainer.fit_loop._skip_backward = False

    def begin_batch(self, index: int) -> None:
        """Forget passes whose update never came: an overflow made the scaler leave the optimizer's step out."""
        if self.session.solo.pending and index % self.trainer.accumulate_grad_batches == 0:
            self.session.solo.pending = []
            self.session.steps += 1

    def _training_step(self, *args: Any, **kwargs: Any) -> Any:
        run = self._all_passes if self.two_pass else self.session.loss
        if self.own is None:
            with self.trainer.precision_plugin.train_step_context():
                loss = run(args[0])
            self.tell(self.session, args[0])
            return loss
        try:
            self.own.call, self.own.said = (args, kwargs), None
            loss = run(self.own.batch)  # the strategy's own training_step sets the precision
        except Skipped:
            return None
        return self.own.answer(loss)

    def _all_passes(self, batch: Any) -> Tensor:
        return self.session.gradients(batch).loss.detach()

    def _optimizer_step(self, closure: Callable[[], Any] | None = None, **settings: Any) -> Any:
        if self._updating:
            return self._step_before(**settings)
        with torch.enable_grad():
            result = None if closure is None else closure()
        solo = self.session.solo
        if not solo.pending and solo.made is None:  # training_step gave no loss
            self._step_before(**settings)
            self.session.steps += 1
            return result
        self._updating = True
        try:
            self.session.update()
        finally:
            self._updating = False
        return result


class ManualSteps:
    """Counts the updates of a session in ``trainer.global_step`` where the user's ``training_step`` owns the loop.

    Args:
        trainer: the trainer that is fitting.
        optimizer: the session's.

    """

    def __init__(self, trainer: Trainer, optimizer: torch.optim.Optimizer) -> None:
        self.trainer = trainer
        self._step_before = optimizer.step
        self._replaced = Replaced(optimizer, "step", _like(self._optimizer_step, optimizer.step))

    def undo(self) -> None:
        """Give the optimizer its own step back."""
        self._replaced.undo()

    def begin_batch(self, index: int) -> None:
        """Do nothing: here the user says what belongs together."""

    def _optimizer_step(self, closure: Callable[[], Any] | None = None, **settings: Any) -> Any:
        if closure is not None:
            raise RecipeError(
                "training_step called self.optimizers().step(), past the session",
                "the session of this optimizer makes its steps, so that the recipe acts",
                "Call session_of(self).step(batch); or session.loss(batch), self.manual_backward, session.update()",
            )
        loop = self.trainer.fit_loop.epoch_loop.manual_optimization
        loop._on_before_step()
        result = self._step_before(**settings)
        loop._on_after_step()
        return result


def _like(step: Callable[..., Any], before: Any) -> Callable[..., Any]:
    """Return ``step`` with the mark by which schedulers see that they know this optimizer; else they warn."""

    def marked(closure: Callable[[], Any] | None = None, **settings: Any) -> Any:
        return step(closure, **settings)

    for name in ("_wrapped_by_lr_sched",):
        if hasattr(before, name):
            setattr(marked, name, getattr(before, name))
    return marked


def _nothing(*args: Any, **kwargs: Any) -> None:
    """Log nothing."""


def without_joined(state: dict[str, Any], sizes: Sequence[int]) -> dict[str, Any]:
    """Return an optimizer's state dict without the parameters that attaching added, as a fresh optimizer can load it.

    Args:
        state: the optimizer's.
        sizes: how many parameters each group had before.

    """
    pairs = zip(state["param_groups"], sizes, strict=False)
    kept = [{**group, "params": group["params"][:size]} for group, size in pairs]
    known = {place for group in kept for place in group["params"]}
    return {**state, "param_groups": kept, "state": {i: v for i, v in state["state"].items() if i in known}}
