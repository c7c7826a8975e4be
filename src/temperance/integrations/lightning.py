"""Recipes inside Lightning's ``Trainer``: ``Trainer(callbacks=[RecipeCallback(recipe, loss=F.cross_entropy)])``.

Fabric needs nothing of this: ``recipe.attach(model, optimizer, fabric=fabric, …)`` takes what ``fabric.setup`` gave.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn

from temperance.core.recipe import Recipe, require_recipe
from temperance.core.session import Session
from temperance.integrations import lightning_limits as limits
from temperance.integrations.lightning_steps import AutomaticSteps, ManualSteps, OwnLoss, Replaced, without_joined
from temperance.integrations.loggers import send
from temperance.records.errors import RecipeError, SettingError

Loss = Callable[[Any, Any], Tensor]
Metrics = Callable[[Any, Any], Mapping[str, Tensor]]
_OURS = ("autocast", "scaler", "fabric", "backward", "scheduler", "epochs", "steps", "steps_per_epoch", "select")


class RecipeCallback(Callback):  # type: ignore[misc]
    """Attaches a recipe while ``Trainer.fit`` runs.

    With ``loss`` the session computes ``loss(module(inputs), targets)`` in place of ``training_step``, so that every
    stage of a step can act; ``train_loss`` is logged. Without it ``training_step`` is run as it is: techniques in
    layers, on gradients (two-pass ones too), on updates and averages act, and those of the objective are refused by
    name. Under manual optimization ``training_step`` calls ``session_of(self).step(batch)``.

    While Lightning validates, and in its checkpoints' ``state_dict``, stand the served weights (an average, say). The
    callback's own state in the checkpoint is the whole training: resuming goes on from the trained weights, bit for
    bit. When fit ends the served weights stay in the module and all changes to it are taken back.

    Args:
        recipe: what to attach.
        loss: ``loss(outputs, targets)`` → (b,), (b, …) or (); None: what ``training_step`` returns.
        metrics: ``metrics(outputs, targets)`` → numbers by name, logged as ``train_…``; outputs (b, …) are those of the
            training pass, so of mixed rows where the recipe mixes. Needs ``loss``.
        monitor: name of a held-out *loss* that ``validation_step`` logs; None: where controllers or techniques read
            held-out rows, they are measured once more after each validation.
        log: send strengths and signals to the trainer's loggers each ``log_every_n_steps``, as ``temperance/…``.
        optimizer: which of ``configure_optimizers`` this recipe is for (manual optimization has several).
        part: name of the submodule that this recipe is for (manual optimization); None: the whole module.
        seed: seed of all noise.
        **settings: more of ``Session``: ``nan``, ``collate``, ``outputs``, ``logits``, ``signals``, ``patience`` …

    Attributes:
        session: the session of the fit that runs, or of the last one; None before.

    Raises:
        SettingError: a setting that Lightning decides.

    """

    def __init__(
        self,
        recipe: Recipe,
        *,
        loss: Loss | None = None,
        metrics: Metrics | None = None,
        monitor: str | None = None,
        log: bool = True,
        optimizer: int = 0,
        part: str | None = None,
        seed: int = 0,
        **settings: Any,
    ) -> None:
        require_recipe(recipe, "RecipeCallback")
        decided = sorted(set(settings) & set(_OURS))
        if decided:
            raise SettingError(
                f"RecipeCallback got {', '.join(decided)}",
                "precision, epochs, schedulers and the choice of weights are Lightning's",
                "Give them to Trainer, configure_optimizers or ModelCheckpoint",
            )
        if metrics is not None and not callable(metrics):
            raise SettingError(
                f"RecipeCallback got metrics={metrics!r}",
                "one function metrics(outputs, targets) that returns numbers by name",
                "Write metrics=lambda outputs, targets: {'accuracy': …}",
            )
        if metrics is not None and loss is None:
            raise SettingError(
                "RecipeCallback got metrics= without loss=",
                "metrics are taken of the outputs, which training_step keeps to itself",
                "Log them in training_step, or give loss=",
            )
        self.recipe, self.loss, self.metrics, self.monitor = recipe, loss, metrics, monitor
        self.log_numbers, self.optimizer, self.part, self.seed = log, optimizer, part, seed
        self.settings = settings
        self.session: Session | None = None
        self._steps: AutomaticSteps | ManualSteps | None = None
        self._saving: Replaced | None = None
        self._serving: AbstractContextManager[nn.Module] | None = None
        self._names: set[str] = set()
        self._groups: list[int] = []
        self._has_rows = False  # whether the session computes the loss of rows itself
        self._loaded: dict[str, Any] | None = None
        self._last: dict[str, Any] = {}

    @property
    def state_key(self) -> str:
        """The name of this callback's state in checkpoints."""
        return "RecipeCallback" if self.part is None else f"RecipeCallback[{self.part}]"

    # -- begin --------------------------------------------------------------------------------------------------------

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Refuse what cannot act here, before anything is trained.

        Raises:
            RecipeError: naming it.

        """
        self._close()
        limits.refuse_strategy(trainer)
        if not pl_module.automatic_optimization:
            limits.refuse_manual(trainer)
            return
        if self.part is not None or self.optimizer:
            raise RecipeError(
                f"part={self.part!r} and optimizer={self.optimizer} under automatic optimization",
                "automatic optimization has one optimizer for the whole module",
                "Leave them out, or set self.automatic_optimization = False",
            )
        limits.refuse_two_pass(trainer, limits.two_pass(self.recipe))
        if self.loss is None:
            limits.refuse_without_loss(self.recipe, pl_module)
        else:
            limits.refuse_without_forward(pl_module)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Attach; go on from the checkpoint where there is one."""
        manual = not pl_module.automatic_optimization
        optimizer = trainer.optimizers[self.optimizer]
        self._names = set(pl_module.state_dict())
        self._groups = [len(group["params"]) for group in optimizer.param_groups]
        own: OwnLoss | None = None
        model: nn.Module = pl_module if self.part is None else pl_module.get_submodule(self.part)
        settings: dict[str, Any] = {"select": None, "seed": self.seed, **_plan(trainer), **self.settings}
        if manual:
            settings["backward"] = pl_module.manual_backward
        else:
            model = trainer.strategy.model or model
            if limits.two_pass(self.recipe):
                settings["backward"] = lambda loss: trainer.strategy.backward(loss, optimizer)
            if self.loss is None:
                own = model = OwnLoss(model, trainer.strategy.training_step)
                settings["clean_batches"] = 0
        session = self.recipe.attach(model, optimizer, loss=self.loss, **settings)
        self.session, self._has_rows = session, own is None
        try:
            limits.refuse_attached(trainer, session, manual=manual, has_rows=self._has_rows, monitor=self.monitor)
        except RecipeError:
            self._close()
            raise
        if manual:
            self._steps = ManualSteps(trainer, optimizer)
        else:
            self._steps = AutomaticSteps(
                trainer, session, own, two_pass=bool(limits.two_pass(self.recipe)), tell=self._tell
            )
        self._serve_checkpoints(trainer)
        if self._loaded is not None:
            session.load_state_dict(self._loaded)
            self._loaded = None

    # -- steps ----------------------------------------------------------------------------------------------------

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Begin a batch."""
        if self._steps is not None:
            self._steps.begin_batch(batch_idx)

    def _tell(self, session: Session, batch: Any) -> None:
        module = session.module
        passed = session.solo.pending[-1][0] if session.solo.pending else session.solo.made
        if not isinstance(module, LightningModule) or not hasattr(passed, "loss"):
            return  # a step that is left out has nothing to tell
        module.log("train_loss", passed.loss.detach(), prog_bar=True)  # type: ignore[union-attr]
        if self.metrics is not None:
            targets = session._reader.one(batch).targets
            found = self.metrics(passed.outputs, targets)  # type: ignore[union-attr]
            module.log_dict({f"train_{name}": value for name, value in found.items()})

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Send strengths and signals to the loggers, as often as Lightning does."""
        session = self.session
        if not (self.log_numbers and trainer.loggers and session is not None):
            return
        if trainer.global_step and trainer.global_step % trainer.log_every_n_steps == 0 and not session.solo.pending:
            self._send(trainer, session)

    def _send(self, trainer: Trainer, session: Session) -> None:
        send(session, *trainer.loggers, prefix="temperance/", step=trainer.global_step)

    # -- validation and checkpoints -----------------------------------------------------------------------------------

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Let the served weights stand in the module."""
        if self._open() and self._serving is None:
            assert self.session is not None
            self._serving = self.session.served_weights()
            self._serving.__enter__()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the trained weights back; let controllers hear what was measured."""
        self._stop_serving()
        if trainer.sanity_checking or not self._open():
            return
        session = self.session
        assert session is not None
        if self.monitor is not None:
            session.validate(valid_loss=_monitored(trainer, self.monitor))
        elif self._has_rows and self._reads_held_out(session):
            with trainer.precision_plugin.val_step_context():
                session.validate(_held_out(trainer))
        else:
            return
        trainer.should_stop = trainer.should_stop or session.stopped
        if self.log_numbers:
            self._send(trainer, session)

    def _reads_held_out(self, session: Session) -> bool:
        return session.wants_rows or session._meter.needs_batches or session._keeps

    def _serve_checkpoints(self, trainer: Trainer) -> None:
        strategy = trainer.strategy
        before = strategy.lightning_module_state_dict

        def state() -> dict[str, Any]:
            if not self._open():
                return dict(before())
            assert self.session is not None
            with nullcontext() if self._serving is not None else self.session.served_weights():
                found = dict(before())
                for one in self.recipe.regularizers:  # what finish will write into the weights
                    written = one.shipped(self.session.module)
                    found |= {f"{self.part}.{n}" if self.part else n: value for n, value in written.items()}
            lost = sorted(self._names - set(found))
            if lost:
                raise RecipeError(
                    f"the checkpoint would lack {lost[0]} and {len(lost) - 1} more: the recipe renames weights",
                    "a checkpoint holds the module's own names",
                    "Save after fit, or leave that technique out",
                )
            return {name: value for name, value in found.items() if name in self._names}

        self._saving = Replaced(strategy, "lightning_module_state_dict", state)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Leave out of the optimizer's state what attaching added; the callback's own state has it."""
        states = checkpoint.get("optimizer_states", [])
        if len(states) > self.optimizer and self._groups:
            states[self.optimizer] = without_joined(states[self.optimizer], self._groups)

    def state_dict(self) -> dict[str, Any]:
        """Return the session's state, or the one in which the last fit ended; empty before the first."""
        if not self._open():
            return self._last
        assert self.session is not None
        state = self.session.snapshot()
        if (
            self.loss is None
        ):  # calls of training_step hold whatever the loader gave; Lightning keeps no half step either
            state.pending, state.gradients = [], {}
        return state.to_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep a session's state for when fit attaches."""
        self._loaded = state_dict or None

    # -- end ----------------------------------------------------------------------------------------------------------

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the served weights in and take the surgery back."""
        if not self._open():
            return
        assert self.session is not None
        self._stop_serving()
        self._last = self.state_dict()
        self._undo()
        self.session.solo.pending = []
        averages = any(one.averages for one in self.recipe.regularizers)
        rows = _batches(trainer, trainer.train_dataloader, trainer.num_training_batches) if averages else None
        was_training = pl_module.training
        with trainer.precision_plugin.val_step_context():
            self.session.finish(rows)
        pl_module.train(was_training)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Leave the trained weights in a plain module."""
        if self._open():
            self._stop_serving()
            assert self.session is not None
            self.session.solo.pending = []  # half a step: a file may not hold it, and its error would hide the user's
            self._last = self.state_dict()
        self._close()

    def _open(self) -> bool:
        return self.session is not None and (self._serving is not None or not self.session._closed)

    def _stop_serving(self) -> None:
        serving, self._serving = self._serving, None
        if serving is not None:
            serving.__exit__(None, None, None)

    def _undo(self) -> None:
        for one in (self._steps, self._saving):
            if one is not None:
                one.undo()
        self._steps = self._saving = None

    def _close(self) -> None:
        self._stop_serving()
        self._undo()
        if self.session is not None:
            self.session.close()


def session_of(module: LightningModule, part: str | None = None) -> Session:
    """Return the session that a ``RecipeCallback`` attached to this module: for manual optimization and your own logs.

    Args:
        module: the module that is being fitted (``self`` in its methods).
        part: the ``part`` of the callback, where there are several.

    Raises:
        RecipeError: there is none.

    """
    found = [one for one in module.trainer.callbacks if isinstance(one, RecipeCallback) and one.part == part]  # type: ignore[attr-defined]
    if not found or found[0].session is None:
        raise RecipeError(
            f"no session for part={part!r} of {type(module).__name__}",
            "a RecipeCallback attaches when training starts",
            "Give Trainer(callbacks=[RecipeCallback(recipe, loss=…)]); ask from training_step on",
        )
    return found[0].session


def _plan(trainer: Trainer) -> dict[str, Any]:
    """Return epochs and steps as far as Lightning knows them."""
    steps, epochs = trainer.estimated_stepping_batches, trainer.max_epochs or 0
    batches = trainer.num_training_batches
    return {
        "steps": int(steps) if math.isfinite(steps) and steps > 0 else None,
        "epochs": epochs if epochs > 0 else None,
        "steps_per_epoch": math.ceil(batches / trainer.accumulate_grad_batches) if math.isfinite(batches) else None,
    }


def _monitored(trainer: Trainer, name: str) -> float:
    if name not in trainer.callback_metrics:
        raise RecipeError(
            f"monitor={name!r} was not logged",
            f"validation_step logs a held-out loss; known are {', '.join(trainer.callback_metrics) or 'none'}",
            f"Call self.log({name!r}, loss) in validation_step",
        )
    return float(trainer.callback_metrics[name])


def _held_out(trainer: Trainer) -> Iterator[Any]:
    loaders = trainer.val_dataloaders
    if isinstance(loaders, (list, tuple)) and len(loaders) == 1:
        loaders = loaders[0]
    if isinstance(loaders, (list, tuple, dict)):
        raise RecipeError(
            f"{len(loaders)} validation loaders, and the recipe reads held-out rows",
            "one loader, the same rows each time",
            "Give RecipeCallback(monitor='val_loss'), or one loader",
        )
    return _batches(trainer, loaders, trainer.num_val_batches[0])


def _batches(trainer: Trainer, loader: Any, count: float) -> Iterator[Any]:
    """Yield a loader's batches as Lightning would give them: limited, converted, on the device."""
    for batch in islice(loader, None if not math.isfinite(count) else int(count)):
        yield trainer.strategy.batch_to_device(trainer.precision_plugin.convert_input(batch))
