"""A recipe for those who keep their own Trainer: what a callback can do, and by name what it cannot."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import torch
from transformers import TrainerCallback

from temperance.core.batch import Pass
from temperance.core.joining import begin_again
from temperance.core.random import fold, pulse
from temperance.core.recipe import Recipe, require_recipe
from temperance.core.regularizer import Regularizer
from temperance.core.session import Session
from temperance.records.errors import RecipeError

STATE = "temperance.pt"


class RecipeCallback(TrainerCallback):
    """Lets techniques of layers and of the update, averages too, act in a Trainer that stays as it is.

    A callback never sees the loss, so techniques of the objective and of the gradient (label smoothing, mixing, SAM …)
    are refused by name: they need ``RecipeTrainer``. Where the recipe averages, evaluation and saved models are those
    of the average, and a checkpoint holds the trained weights beside it. Give it to Trainer as the last callback.

    Args:
        recipe: what to train with.
        seed: seed of all noise; None: that of ``TrainingArguments``.

    Attributes:
        session: that of the latest training; None before.

    Raises:
        RecipeError: a technique that needs more than a callback; in training, averages with ``save_strategy="best"``.

    Example:
        >>> Trainer(model, args, callbacks=[RecipeCallback(Recipe(Dropout(0.1), EMA()))])  # doctest: +SKIP

    """

    def __init__(self, recipe: Recipe, *, seed: int | None = None) -> None:
        require_recipe(recipe, "RecipeCallback")
        late = [a for a, one in recipe.by_address.items() if {"objective", "gradient"} & set(one.stages())]
        if late:
            raise RecipeError(
                f"{', '.join(late)} in a callback",
                "a callback never sees the loss: layers, decay, averages and other techniques of the update",
                "Use RecipeTrainer, or class Mine(RecipeTraining, YourTrainer)",
            )
        written = [a for a, one in recipe.by_address.items() if type(one).shipped is not Regularizer.shipped]
        if written:
            raise RecipeError(
                f"{', '.join(written)} in a callback",
                "Trainer saves weights as they stand in the model, and this technique ships others",
                "Use RecipeTrainer",
            )
        self.recipe, self.seed = recipe, seed
        self.session: Session | None = None
        self._averages = any("served" in one.stages() for one in recipe.regularizers)
        self._noise, self._serving = ExitStack(), ExitStack()
        self._part, self._awaited = 0, set[str]()
        self._take_back: Callable[[], None] = lambda: None

    # -- a training begins and ends -----------------------------------------------------------------------------------

    def on_train_begin(
        self, args: Any, state: Any, control: Any, *, model: Any = None, optimizer: Any = None, **_: Any
    ) -> None:
        """Attach; go on from the checkpoint's own state where a training is resumed.

        Raises:
            RecipeError: something that a callback cannot do here, or no state to go on from.

        """
        if self._averages and args.save_strategy == "best":
            raise RecipeError(
                "save_strategy='best' and a recipe that averages",
                "a callback must know before the evaluation whether its weights will be saved",
                "Use 'steps' or 'epoch', or RecipeTrainer",
            )
        self._end(Session.close)  # a training that broke off
        steps, epochs = state.max_steps, state.num_train_epochs
        self.session = self.recipe.attach(
            model, _Inner(optimizer), loss=None, steps=steps, epochs=epochs if epochs < steps else None,
            steps_per_epoch=max(1, round(steps / epochs)), seed=args.seed if self.seed is None else self.seed,
            select=None, nan="ignore",
        )  # fmt: skip
        self._take_back = _redirect(optimizer, self._update)
        if state.global_step:
            self._restore(_folder(args, state))

    def on_train_end(self, args: Any, state: Any, control: Any, *, train_dataloader: Any = None, **_: Any) -> None:
        """Put the served weights in, unless Trainer has put its best ones in; take all changes away."""
        best = args.load_best_model_at_end and state.best_model_checkpoint is not None
        self._end(Session.close if best else lambda session: session.finish(batches=train_dataloader))

    def _end(self, how: Callable[[Session], Any]) -> None:
        self._noise.close()
        self._serving.close()
        self._take_back()
        self._take_back = lambda: None
        if self.session is not None and self.session.is_open:
            how(self.session)

    # -- a step -------------------------------------------------------------------------------------------------------

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Give the step's noise to the model."""
        self._part = 0
        self._give_noise()

    def on_substep_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Give the next micro-batch noise of its own."""
        self._part += 1
        self._give_noise()

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """End the passes of the step."""
        self._noise.close()

    def _give_noise(self) -> None:
        session = self._open()
        begin_again(session)  # the callback runs no step of the session, which would look for loaded weights itself
        key = fold(session.seed, session.steps)
        key = fold(key, self._part) if self._part else key
        self._noise.close()
        self._noise.enter_context(pulse(fold(key, session.solo.rank) if session.solo.rank else key))

    def _update(self) -> None:
        session = self._open()
        unknown = torch.full((), torch.nan, device=session.solo.device)  # a callback does not see the loss
        session.solo.made = Pass(unknown, (), {}, {}, {})
        session.update()

    def _open(self) -> Session:
        assert self.session is not None
        return self.session

    # -- evaluation, checkpoints --------------------------------------------------------------------------------------

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Let the average stand in the model where an evaluation or a checkpoint comes next."""
        if self._open().stopped:
            control.should_training_stop = True
        self._await(control)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Do as after a step."""
        self._await(control)

    def _await(self, control: Any) -> None:
        self._awaited = {n for n in ("evaluate", "save") if getattr(control, f"should_{n}")}
        if self._averages and self._awaited and not self._open().is_serving:
            self._serving.enter_context(self._open().served_weights())

    def on_prediction_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Refuse an evaluation of the trained weights where the average is meant."""
        self._require_served("evaluates")

    def on_evaluate(self, args: Any, state: Any, control: Any, *, metrics: Any = None, **named: Any) -> None:
        """Tell the session the held-out loss; its controllers move."""
        if self.session is None or not self.session.is_open:
            return
        self._serving.close()
        session, told = self.session, dict[str, Any]()
        if session.wants_rows:
            told["batches"] = list(named["eval_dataloader"])
        elif metrics and "eval_loss" in metrics:
            told["valid_loss"] = metrics["eval_loss"]
        if told:
            session.validate(**told)
        if session.stopped:
            control.should_training_stop = True
        self._awaited.discard("evaluate")
        if self._averages and self._awaited:
            self._serving.enter_context(session.served_weights())

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Put the session's state beside what Trainer saved."""
        self._require_served("saves")
        self._serving.close()
        folder = _folder(args, state)
        if not args.save_only_model and args.should_save:
            torch.save(self._open().state_dict(), os.path.join(folder, STATE))

    def on_log(self, args: Any, state: Any, control: Any, *, logs: Any = None, **_: Any) -> None:
        """Log strengths and signals beside the training's own numbers."""
        if self.session is not None and self.session.is_open and logs is not None and "loss" in logs:
            found = {n: v for n, v in self.session.log().items() if n.startswith(("strength/", "signal/"))}
            logs.update(found)
            state.log_history[-1].update(found)

    def _require_served(self, what: str) -> None:
        session = self.session
        if self._averages and session is not None and session.is_open and not session.is_serving:
            raise RecipeError(
                f"Trainer {what} the trained weights, and the recipe averages",
                "the average is put in when a step ends; another callback asked for this later",
                "Give RecipeCallback as the last callback, or use RecipeTrainer",
            )

    def _restore(self, folder: str) -> None:
        path = os.path.join(folder, STATE)
        if not os.path.isfile(path):
            raise RecipeError(
                f"a training is resumed at a step that {path} does not hold",
                "a checkpoint in output_dir that was written with this callback, with save_only_model=False",
                "Resume from such a one, or begin anew",
            )
        session = self._open()
        session.load_state_dict(torch.load(path, map_location=session.solo.device, weights_only=True))


class _Inner:
    """The optimizer as the session sees it: its step is the optimizer's own, whatever Trainer's loop calls."""

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = getattr(optimizer, "optimizer", optimizer)  # without accelerate's wrapper
        self.step = self.optimizer.step

    def __getattr__(self, name: str) -> Any:
        return getattr(self.optimizer, name)


def _redirect(optimizer: Any, update: Callable[[], None]) -> Callable[[], None]:
    """Let an optimizer's step be the session's update; return what takes that back."""
    plain = getattr(optimizer, "optimizer", optimizer)
    before = vars(plain).get("step")

    def step(closure: Any = None) -> None:
        update()

    def take_back() -> None:
        if before is None:
            vars(plain).pop("step", None)
        else:
            plain.step = before

    plain.step = step
    return take_back


def _folder(args: Any, state: Any) -> str:
    return os.path.join(args.output_dir, f"checkpoint-{state.global_step}")
