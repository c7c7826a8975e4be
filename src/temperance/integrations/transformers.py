"""Hugging Face's Trainer with a recipe. Needs ``pip install temperance[transformers]``.

``RecipeTrainer`` is a ``Trainer``; ``RecipeTraining`` makes one of any other subclass, ``class Mine(RecipeTraining,
Seq2SeqTrainer)``; ``RecipeCallback`` serves those who must keep their Trainer, for recipes that act in layers and on
the update alone.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import Trainer
from transformers.training_args import OptimizerNames, ParallelMode

from temperance.core.batch import Batch, measure, per_row
from temperance.core.criterion import Criterion
from temperance.core.heldout import Tally
from temperance.core.recipe import Recipe, require_recipe
from temperance.core.session import Session
from temperance.core.wrappers import bare
from temperance.integrations.transformers_callback import STATE, RecipeCallback
from temperance.records.errors import RecipeError, SettingError

__all__ = ("RecipeCallback", "RecipeTrainer", "RecipeTraining")

_HEADS = ("ForSequenceClassification", "ForImageClassification", "ForVideoClassification", "ForAudioClassification")
_SETTINGS = ("clean_batches", "collate", "logits", "member_strengths", "nan", "outputs", "seed", "signals")
_MANY_EPOCHS = 1_000_000  # what Trainer says of a stream without end


_Before: Any = object  # another Trainer stands after it


class RecipeTraining(_Before):  # type: ignore[misc]
    """Makes a ``Trainer`` train by a recipe; stands before it: ``class Mine(RecipeTraining, Seq2SeqTrainer)``.

    The session runs the passes of a step, then Trainer clips (``max_grad_norm``), then the session updates.
    Accumulation, schedulers, bf16, callbacks, ``global_step`` and logs are Trainer's own. Evaluation and saving see the
    weights that would be served (an average, say); a checkpoint holds the trained ones beside them and resumes bit for
    bit.

    Args:
        *args: Trainer's.
        recipe: what to train with; may be set anew between two calls of ``train``.
        loss: ``auto``: for heads that classify one label per row the cross-entropy that they compute, by row, so that
            mixed and softened targets work; else the model's own. None: always the model's own. Or
            ``loss(outputs, labels)`` → (b,), (b, …) or ().
        settings: more of ``Session``'s settings: nan, seed (``TrainingArguments.seed``), signals, clean_batches,
            outputs, logits, collate, member_strengths.
        **named: Trainer's.

    Attributes:
        session: that of the latest training; None before.

    Raises:
        RecipeError: something of Trainer's that a recipe cannot go along with, by name.
        SettingError: unknown settings.

    """

    session: Session | None = None
    _live: Session | None = None
    _tally: Tally | None = None

    def __init__(
        self,
        *args: Any,
        recipe: Recipe,
        loss: Callable[[Any, Any], Tensor] | str | None = "auto",
        settings: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> None:
        require_recipe(recipe, type(self).__name__)
        super().__init__(*args, **named)
        strange = sorted(set(settings or {}) - set(_SETTINGS))
        if strange:
            raise SettingError(f"settings={strange}", f"known are {', '.join(_SETTINGS)}", "Drop the others")
        if isinstance(loss, str) and loss != "auto":
            raise SettingError(f"loss={loss!r}", "'auto', None or a function loss(outputs, labels)", "Pick one")
        self.recipe, self.loss, self.settings = recipe, loss, dict(settings or {})
        self._parts: list[Batch] = []
        _refuse(self)

    # -- a training begins and ends -----------------------------------------------------------------------------------

    def train(self, *args: Any, **named: Any) -> Any:
        """Train as ``Trainer.train`` does; whatever breaks it off, the model is given back plain."""
        try:
            return super().train(*args, **named)
        except BaseException:
            self._leave(Session.close)
            raise

    def set_initial_training_values(self, *args: Any, **named: Any) -> Any:
        """Note what the training will be."""
        found = super().set_initial_training_values(*args, **named)
        self._planned = found[:2]
        return found

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Attach the recipe, while training begins: the scheduler must see parameters that techniques bring."""
        if self.is_in_train:
            self._leave(Session.close)  # a training that ran out of memory begins again with smaller batches
            self._attach(num_training_steps)
        return super().create_scheduler(num_training_steps, optimizer)

    def _attach(self: Any, steps: int) -> None:
        epochs, per_epoch = self._planned
        loss = self.loss
        if loss == "auto":
            loss = nn.CrossEntropyLoss(reduction="none") if _is_classifier(self.model) else None
        self._checks_labels = self.loss == "auto" and loss is not None
        self._parts = []
        self.session = self.recipe.attach(
            self._prepared, self.optimizer, loss=loss, steps=steps, steps_per_epoch=per_epoch,
            epochs=epochs if epochs < _MANY_EPOCHS else None, select=None, **{"seed": self.args.seed, **self.settings},
        )  # fmt: skip
        self._live = self.session

    def _prepare_for_training(self: Any, *args: Any, **named: Any) -> Any:
        prepare = self.accelerator.prepare

        def noted(*things: Any, **also: Any) -> Any:
            """Note the wrapped model (DDP, compiled), which Trainer keeps to itself until the scheduler is made."""
            made = prepare(*things, **also)
            for one in made if isinstance(made, tuple) else (made,):
                self._prepared = one if isinstance(one, nn.Module) else self._prepared
            return made

        self._prepared, self.accelerator.prepare = self.model, noted
        try:
            found = super()._prepare_for_training(*args, **named)
        finally:
            del self.accelerator.prepare
        self.optimizer = _Stepper(self.optimizer, self._update)
        return found

    def _finalize_training(self: Any, *args: Any, **named: Any) -> Any:
        self._leave(lambda session: session.finish(batches=self._rows(self.get_train_dataloader)))
        return super()._finalize_training(*args, **named)

    def _leave(self: Any, how: Callable[[Session], Any]) -> None:
        session, self._live = self._live, None
        if isinstance(self.optimizer, _Stepper):
            self.optimizer = self.optimizer.inner
        if session is not None:
            how(session)

    # -- a step -------------------------------------------------------------------------------------------------------

    def training_step(self: Any, model: nn.Module, inputs: Any, num_items_in_batch: Any = None) -> Tensor:
        """Gather micro-batches; with the last of them run the passes of the step, so that ``.grad`` is there to clip.

        Returns:
            The regularized loss of the whole step, (), with the last micro-batch; 0 with those before it.

        """
        model.train()
        self.optimizer.train()
        batch = self._live._reader.one(self._prepare_inputs(inputs))
        if self._checks_labels:
            _require_classes(batch)
        self._parts.append(batch)
        if not self.accelerator.gradient_state.sync_gradients:
            return torch.zeros((), device=self.args.device)
        parts, self._parts = self._parts, []
        loss: Tensor = self._live.gradients(parts).loss.detach()
        return loss

    def _update(self: Any) -> None:
        self._live.update()
        if self._live.stopped:
            self.control.should_training_stop = True

    # -- evaluation, logs ---------------------------------------------------------------------------------------------

    @contextmanager
    def _served(self: Any) -> Iterator[None]:
        """Let the weights that would be served stand in the model, while a training runs."""
        if self._live is None or self._live.is_serving:
            yield
        else:
            with self._live.served_weights():
                yield

    def evaluation_loop(self: Any, *args: Any, **named: Any) -> Any:
        """Evaluate the weights that would be served."""
        with self._served():
            return super().evaluation_loop(*args, **named)

    def compute_loss(
        self: Any, model: nn.Module, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the loss for evaluation: Trainer's, or the mean of the user's own."""
        if callable(self.loss):
            rest = dict(inputs)
            labels, named = rest.pop("labels"), {n: self.settings.get(n) for n in ("outputs", "logits")}
            outputs, reads = model(**rest), Criterion(self.loss, model, **named)
            value = measure(reads, outputs, Batch(rest, labels, None, None, reads.convention))
        else:
            value, outputs = super().compute_loss(model, inputs, True, num_items_in_batch)
        if self._tally is not None:
            batch, reads = self._live._reader.one(inputs), self._live.solo.loss
            rows = per_row(reads(outputs, batch.targets).detach().float(), batch)
            self._tally.add(rows, batch, reads.row_counts(batch))
        return (value, outputs) if return_outputs else value

    def _evaluate(self: Any, trial: Any, ignore_keys_for_eval: Any, skip_scheduler: bool = False) -> dict[str, float]:
        looks = self._live is not None and not skip_scheduler  # else it is the look before the first step
        self._tally = Tally() if looks and not isinstance(self.eval_dataset, dict) else None
        try:
            metrics: dict[str, float] = super()._evaluate(trial, ignore_keys_for_eval, skip_scheduler)
            if looks:
                self._validate(metrics)
        finally:
            self._tally = None
        return metrics

    def _validate(self: Any, metrics: Mapping[str, float]) -> None:
        """Tell the session what was measured; its controllers move."""
        name = self.args.metric_for_best_model or "loss"
        key = name if name.startswith("eval_") else f"eval_{name}"
        told: dict[str, Any] = {}
        if key in metrics and not key.endswith("_loss"):
            told = {"value": metrics[key], "better": "higher" if self.args.greater_is_better else "lower"}
        if self._live.wants_rows:
            told["batches"] = list(self._rows(self.get_eval_dataloader))
        elif self._tally is not None and self._tally.count:
            told["valid_loss"] = (self._tally.mean, self._tally.error)
        elif key.endswith("_loss") and key in metrics:
            told["valid_loss"] = metrics[key]
        if not told:
            return  # nothing was measured: controllers that waited for it say so at the end
        self._live.validate(**told)
        if self._live.stopped:
            self.control.should_training_stop = True
        self.log({})

    def _rows(self: Any, loader: Callable[[], Any]) -> Iterator[Any]:
        for inputs in loader():
            yield self._prepare_inputs(inputs)

    def log(self: Any, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log strengths and signals beside the training's own numbers."""
        if self._live is not None and (not logs or "loss" in logs):
            logs.update({n: v for n, v in self._live.log().items() if n.startswith(("strength/", "signal/"))})
        if logs:
            super().log(logs, start_time)

    # -- checkpoints --------------------------------------------------------------------------------------------------

    def save_model(self: Any, *args: Any, **named: Any) -> None:
        """Save the weights that would be served."""
        with self._served():
            super().save_model(*args, **named)

    def _save(self: Any, output_dir: str | None = None, state_dict: Any = None) -> None:
        if self._live is not None and state_dict is None:
            own = self.model.state_dict()  # parameters that techniques brought are the session's, not the model's
            state_dict = {n: t for n, t in own.items() if not n.rsplit(".", 1)[-1].startswith("temperance_")}
            for one in self.recipe.regularizers:
                state_dict |= one.shipped(self._live.module)
        super()._save(output_dir, state_dict)

    def _save_optimizer_and_scheduler(self: Any, output_dir: str) -> None:
        super()._save_optimizer_and_scheduler(output_dir)
        if self._live is not None:
            os.makedirs(output_dir, exist_ok=True)
            state = self._live.state_dict()
            state["optimizer"] = {}  # that is in Trainer's own file
            torch.save(state, self._state_path(output_dir))

    def _load_optimizer_and_scheduler(self: Any, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is None or self._live is None:
            return
        path = self._state_path(checkpoint)
        if not os.path.isfile(path):
            raise RecipeError(
                f"{checkpoint} has no {os.path.basename(path)}, and its weights may be averaged ones",
                "a checkpoint that a RecipeTrainer wrote, with save_only_model=False and as many processes",
                "Resume from such a one, or load its weights into the model and train anew",
            )
        state = torch.load(path, map_location=self._live.solo.device, weights_only=True)
        state["optimizer"] = self.optimizer.state_dict()
        self._live.load_state_dict(state)

    def _state_path(self: Any, folder: str) -> str:
        rank = self.args.process_index  # each keeps batches of its own
        return os.path.join(folder, STATE if not rank else STATE.replace(".pt", f"_{rank}.pt"))


class RecipeTrainer(RecipeTraining, Trainer):  # type: ignore[misc]
    """Hugging Face's ``Trainer`` with a recipe: ``RecipeTrainer(model, args, recipe=Recipe(…), train_dataset=…)``.

    Everything else is said at ``RecipeTraining``.

    Example:
        >>> trainer = RecipeTrainer(model, args, recipe=recipe, train_dataset=rows)  # doctest: +SKIP
        >>> trainer.train()  # doctest: +SKIP

    """


class _Stepper:
    """The optimizer as Trainer's loop sees it: its step is the session's update. Everything else is the optimizer's."""

    def __init__(self, inner: Any, update: Callable[[], None]) -> None:
        self.inner, self._update = inner, update

    def step(self, closure: Any = None) -> None:
        """Update."""
        self._update()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def _is_classifier(model: nn.Module) -> bool:
    """Return whether the model's own loss is the cross-entropy of one label per row."""
    inner: Any = bare(model)
    inner = inner.get_base_model() if hasattr(inner, "get_base_model") else inner  # that of adapters
    config = getattr(inner, "config", None)
    if getattr(inner, "loss_type", None) not in _HEADS or config is None:
        return False
    return config.problem_type == "single_label_classification" or (
        config.problem_type is None and config.num_labels > 1
    )


def _require_classes(batch: Batch) -> None:
    labels = batch.targets
    if not isinstance(labels, Tensor) or labels.is_floating_point() or labels.dim() != 1:
        got = f"{labels.dtype} {tuple(labels.shape)}" if isinstance(labels, Tensor) else type(labels).__name__
        raise RecipeError(
            f"the labels are {got}, and the model's problem_type is not set",
            "class numbers, int64 (b,), where the head classifies one label per row",
            "Set model.config.problem_type ('multi_label_classification', 'regression'), or give loss=",
        )


def _refuse(trainer: Any) -> None:
    """Refuse what a recipe cannot go along with, and tell what it doubles.

    Raises:
        RecipeError: names it.

    """
    args, eps = trainer.args, trainer.args.label_smoothing_factor
    split = trainer.get_cp_size() * trainer.get_sp_size() * trainer.get_tp_size() > 1
    ranks = args.parallel_mode in (ParallelMode.NOT_PARALLEL, ParallelMode.NOT_DISTRIBUTED, ParallelMode.DISTRIBUTED)
    lomo = args.optim in (OptimizerNames.LOMO, OptimizerNames.ADALOMO) or "layerwise" in args.optim
    for there, what, remedy in (
        (args.fp16, "fp16=True", "Use bf16=True"),
        (eps, f"label_smoothing_factor={eps}", f"Leave it 0 and put LabelSmoothing({eps}) into the recipe"),
        (
            trainer.compute_loss_func,
            "compute_loss_func",
            "Give RecipeTrainer(loss=…), a function loss(outputs, labels)",
        ),
        (args.n_gpu > 1, "several GPUs in one process (DataParallel)", "Start one process per GPU with torchrun"),
        (trainer.is_deepspeed_enabled, "DeepSpeed", "Use DDP"),
        (trainer.is_fsdp_enabled, "FSDP", "Use DDP"),
        (trainer.is_distributed_loading_by_transformers, "a model that is sharded when loaded", "Use DDP"),
        (split, "one model or sequence in several processes", "Use DDP"),
        (not ranks, f"the parallel mode {args.parallel_mode.value}", "Use DDP"),
        (lomo, f"optim={args.optim!s}, which steps inside the backward pass", "Use another optimizer"),
    ):
        if there:
            raise RecipeError(f"{what} beside a recipe", "the session runs the passes of a step", remedy)
    for name in ("compute_loss", "training_step"):
        own = next(c for c in type(trainer).__mro__ if name in vars(c) and c is not RecipeTraining)
        if own is not Trainer and not callable(trainer.loss):
            raise RecipeError(
                f"{own.__name__}.{name} would not be called in training",
                "the session runs the model and the loss",
                "Say the loss: loss=…, a function loss(outputs, labels)",
            )
    clips = [type(one).__name__ for one in trainer.recipe.regularizers if "clips gradients" in one.roles]
    if clips and args.max_grad_norm:
        told = f"{clips[0]} and max_grad_norm={args.max_grad_norm:g} both clip; max_grad_norm=0 leaves it to the recipe"
        warnings.warn(told, UserWarning, stacklevel=4)
