"""Recipes inside skorch: ``NeuralNetClassifier(Net, callbacks=[RecipeCallback(recipe)])``."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch
from skorch import NeuralNet, NeuralNetBinaryClassifier, NeuralNetClassifier
from skorch.callbacks import Callback
from skorch.dataset import unpack_data
from skorch.utils import TeeGenerator, to_tensor
from torch import Tensor, nn

from temperance.core.recipe import Recipe, require_recipe
from temperance.core.session import Session
from temperance.records.errors import RecipeError, SettingError

_OURS = ("fabric", "backward", "epochs", "steps", "steps_per_epoch", "seed", "loss", "outputs", "select")
_STOCK = (NeuralNet, NeuralNetClassifier, NeuralNetBinaryClassifier)


class RecipeCallback(Callback):  # type: ignore[misc]
    """Attaches a recipe while ``fit`` (or ``partial_fit``) runs.

    The session takes the net's module, optimizer and criterion and makes its training steps; all stages act, two-pass
    techniques too. ``on_grad_computed`` is called between gradient and update, so ``GradientNormClipping`` acts.

    From the end of an epoch's training to the next one's begin the served weights (an average, say) stand in the
    module: ``valid_loss``, scores, ``Checkpoint`` and ``EarlyStopping`` all see them. Training goes on from the trained
    ones; ``f_session`` is the file that holds these, for resuming bit for bit.

    Args:
        recipe: what to attach.
        f_session: file that gets the whole training state after each epoch; None: none.
        resume: go on from ``f_session`` where that file exists.
        seed: seed of all noise.
        settings: more of ``Session`` by name: ``nan``, ``autocast``, ``signals``, ``logits``, ``collate`` …

    Attributes:
        session_: the session of the fit that runs, or of the last one; None before.

    """

    def __init__(
        self,
        recipe: Recipe,
        f_session: str | os.PathLike[str] | None = None,
        resume: bool = False,
        seed: int = 0,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.recipe, self.f_session, self.resume, self.seed, self.settings = recipe, f_session, resume, seed, settings
        self.session_: Session | None = None
        self.serving_: AbstractContextManager[nn.Module] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the session out: a net that was pickled or cloned has none."""
        return {**self.__dict__, "session_": None, "serving_": None}

    # -- begin and end ------------------------------------------------------------------------------------------------

    def on_train_begin(self, net: NeuralNet, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Put the hooks in; what cannot act is refused.

        Shapes: X (b, …), y (b, …), as skorch takes them.
        """
        require_recipe(self.recipe, "RecipeCallback")
        self._stop_serving()
        if self.session_ is not None:  # of a fit that ended in an error
            self.session_.module.__dict__.pop(PlainPickle.NAME, None)
            self.session_.close()
        self.session_ = None
        self._check(net)
        for name in ("train_step", "run_single_epoch", "on_train_end"):
            net.__dict__[name] = Hook(self, net, name)

    def _check(self, net: NeuralNet) -> None:
        wrong = sorted(set(self.settings or {}) & set(_OURS))
        if wrong:
            raise SettingError(
                f"RecipeCallback got settings {', '.join(wrong)}",
                "epochs, loss and the choice of weights are skorch's",
                "Give them to the net (max_epochs, criterion) or to Checkpoint",
            )
        changed = [
            name
            for name in ("train_step", "train_step_single", "infer")
            if getattr(type(net), name) not in [getattr(one, name) for one in _STOCK]
        ]
        if changed:
            raise RecipeError(
                f"{type(net).__name__} has a {', '.join(changed)} of its own",
                "the session makes the training steps of the net",
                "Leave that method out; or attach by hand in it: recipe.attach(self.module_, self.optimizer_, …)",
            )
        if list(net._optimizers) != ["optimizer"] or list(net._modules) != ["module"]:
            raise RecipeError(
                f"the net has optimizers {net._optimizers} and modules {net._modules}",
                "one module and one optimizer",
                "Attach a session for each in your own train_step",
            )

    def _attach(self, net: NeuralNet, iterator: Any) -> Session:
        loss, outputs = _criterion(net)
        settings: dict[str, Any] = {"select": None, **(self.settings or {})}
        if outputs is not None:
            settings["outputs"] = outputs
        session = self.recipe.attach(
            net.module_, net.optimizer_, loss=loss, seed=self.seed, epochs=net.max_epochs,
            steps_per_epoch=len(iterator) if hasattr(iterator, "__len__") else None, **settings,
        )  # fmt: skip
        net.module_.__dict__[PlainPickle.NAME] = PlainPickle(net.module_)
        if self.resume and self.f_session is not None and os.path.exists(self.f_session):
            session.load_state_dict(torch.load(self.f_session, weights_only=True))
        return session

    def end(self, net: NeuralNet, *args: Any, **kwargs: Any) -> None:
        """Put the served weights in and take the surgery back, before other callbacks look at the end.

        Raises:
            RecipeError: averaged weights meet BatchNorm, and the net cannot make its training batches again.

        """
        for name in ("train_step", "run_single_epoch", "on_train_end"):
            net.__dict__.pop(name, None)
        self._stop_serving()
        net.module_.__dict__.pop(PlainPickle.NAME, None)
        if self.session_ is not None:
            averages = any(one.averages for one in self.recipe.regularizers)
            self.session_.finish(self._rows(net, kwargs) if averages else None)
        net.on_train_end(net, *args, **kwargs)

    def _rows(self, net: NeuralNet, given: Mapping[str, Any]) -> Iterator[Any]:
        train, _ = net.get_split_datasets(given.get("X"), given.get("y"))
        return _batches(net, net.get_iterator(train, training=True))

    # -- an epoch -----------------------------------------------------------------------------------------------------

    def run_epoch(self, net: NeuralNet, iterator: Any, training: bool, *args: Any, **kwargs: Any) -> None:
        """Run skorch's own epoch: training on the trained weights, everything after it on the served ones."""
        if training:
            self._stop_serving()
            if self.session_ is None:
                self.session_ = self._attach(net, iterator)
        elif self.session_ is not None:
            session = self.session_
            if iterator is not None and (session.wants_rows or session._meter.needs_batches or session._keeps):
                session.validate(_batches(net, iterator))
            self.serving_ = session.served_weights()
            self.serving_.__enter__()
        NeuralNet.run_single_epoch(net, iterator, training, *args, **kwargs)

    def step(self, net: NeuralNet, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Make one training step and return its loss () and the answer of the model.

        Raises:
            RecipeError: ``fit`` was given parameters for the module's ``forward``.

        """
        if fit_params:
            raise RecipeError(
                f"fit got {', '.join(fit_params)} for the module's forward",
                "a step's inputs are those of the batch",
                "Put them into X (a dict of arrays goes to forward by name)",
            )
        assert self.session_ is not None
        net._set_training(True)
        passed = self.session_.gradients(_moved(net, batch))
        net.notify("on_grad_computed", named_parameters=TeeGenerator(net.get_all_learnable_params()), batch=batch)
        self.session_.update()
        only = isinstance(passed.raw, tuple) and not passed.raw  # the answer has no other parts
        return {"loss": passed.loss.detach(), "y_pred": passed.outputs if only else passed.raw}

    def on_epoch_end(self, net: NeuralNet, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any) -> None:
        """Write strengths and signals into the history, and the state into its file; stop where the recipe says so."""
        session = self.session_
        if session is None:
            return
        for name, value in session.log().items():
            if name.startswith(("strength/", "signal/")):
                net.history.record(name, value)
        if self.f_session is not None:
            torch.save(session.state_dict(), self.f_session)
        if session.stopped:
            raise KeyboardInterrupt  # how skorch's own EarlyStopping ends a fit

    def _stop_serving(self) -> None:
        serving, self.serving_ = self.serving_, None
        if serving is not None:
            serving.__exit__(None, None, None)


class Hook:
    """A method of a net, replaced on this object; in a pickled net, which has no session, it is the net's own again.

    Args:
        callback: whose session it is.
        net: the net.
        name: of the method.

    """

    _ours = {"train_step": "step", "run_single_epoch": "run_epoch", "on_train_end": "end"}  # noqa: RUF012
    _before_attach = ("run_single_epoch", "on_train_end")

    def __init__(self, callback: RecipeCallback, net: NeuralNet, name: str) -> None:
        self.callback, self.net, self.name, self.is_live = callback, net, name, True

    def __getstate__(self) -> dict[str, Any]:
        """Be the net's own method where it is read back."""
        return {**self.__dict__, "is_live": False}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        if not self.is_live:
            return getattr(type(self.net), self.name)(self.net, *args, **kwargs)
        given = args[1:] if self.name == "on_train_end" else args  # skorch hands the net itself to its own callbacks
        return getattr(self.callback, self._ours[self.name])(self.net, *given, **kwargs)


class PlainPickle:
    """Lets a module that a session is attached to be pickled as the plain module that it will be again.

    Args:
        module: the module.

    """

    NAME = "__reduce_ex__"  # pickle asks the object, not its class

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __call__(self, protocol: int) -> Any:
        """Return what pickle needs of a plain copy."""
        del self.module.__dict__[self.NAME]
        try:
            return copy.deepcopy(self.module).__reduce_ex__(protocol)
        finally:
            self.module.__dict__[self.NAME] = self


def _criterion(net: NeuralNet) -> tuple[Callable[[Any, Any], Tensor], Callable[[Any], Any] | None]:
    """Return the net's loss, and how its answers are read where skorch takes their logarithm."""
    own = type(net).get_loss
    if own not in [one.get_loss for one in _STOCK]:
        return (lambda outputs, targets: net.get_loss(outputs, targets, training=True)), None
    if isinstance(net, NeuralNetClassifier) and isinstance(net.criterion_, nn.NLLLoss):
        return net.criterion_, _log
    if isinstance(net, NeuralNetBinaryClassifier):
        return net.criterion_, _flat
    return net.criterion_, None


def _log(probabilities: Any) -> Tensor:
    """Return logarithms (b, c) as skorch takes them; they are logits too."""
    first: Tensor = probabilities[0] if isinstance(probabilities, tuple) else probabilities
    return torch.log(first + torch.finfo(first.dtype).eps)


def _flat(logits: Any) -> Tensor:
    """Return the one logit of each row, (b, 1) → (b,), as skorch takes it."""
    first: Tensor = logits[0] if isinstance(logits, tuple) else logits
    return first.reshape(-1)


def _moved(net: NeuralNet, batch: Any) -> tuple[Any, Any]:
    inputs, targets = unpack_data(batch)
    return to_tensor(inputs, device=net.device), to_tensor(targets, device=net.device)


def _batches(net: NeuralNet, iterator: Iterable[Any]) -> Iterator[Any]:
    for batch in iterator:
        yield _moved(net, batch)
