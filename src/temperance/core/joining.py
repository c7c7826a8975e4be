"""Between two steps: what may not be asked now is refused, and what the user changed since is gone along with.

Changed are loaded weights, frozen and unfrozen layers, new parameter groups, a scheduler that brings a second decay.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from temperance.core.attached import Attached
from temperance.core.batch import Pass
from temperance.core.finite import NotFinite, refusal
from temperance.core.leaves import Leaves
from temperance.core.origin import cause
from temperance.core.readings import NeverBegan, NotNumbers
from temperance.core.recipe import Recipe
from temperance.core.regularizer import Context
from temperance.core.replicas import require_same
from temperance.core.serving import closed
from temperance.core.steering import probe
from temperance.records.errors import RecipeError, SettingError

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


BESIDE = (
    "optimizer.step() was called after session.step(), which had updated the weights already: each batch counts twice, "
    "and no technique acts on the second update. Leave optimizer.step() and zero_grad() out, or use "
    "session.loss(batch).backward() and session.update()"
)

PAST = (
    "The weights were updated past the session: session.update() was not called after session.loss(). So no step is "
    "counted, and no decay, average or other technique of the update acts. Call session.update() in place of "
    "optimizer.step()"
)
UNTRAINED = (
    "The model was trained after attach, and the session made no step: its recipe did not act. Call "
    "session.step(batch) in the loop, in place of loss.backward() and optimizer.step()"
)


class Noticed(UserWarning):
    """The user changed what is trained; the session goes along, and says so once."""


def context_of(session: Attached, device: torch.device) -> Context:
    """Return what techniques may know of this training."""
    return Context(
        session.module, session._lr_max, session.steps_per_epoch, session.epochs, device, session.planned_steps or None,
        session.optimizer, session.model,
    )  # fmt: skip


def ready(session: Attached) -> None:
    """Check what the user may have changed since the last step; a microsecond where nothing was.

    Raises:
        RecipeError: parameters were moved, cast or replaced, or the session is closed.

    """
    if session._closed:
        require_open(session)
    solo = session.solo
    if session._start is not None:
        begin_again(session)
    leaves = solo.home.tensors
    if leaves and (solo.holdings.replaced() or leaves[0].device != solo.device or leaves[0].dtype != solo.dtype):
        raise RecipeError(
            "the model's parameters were moved, cast or replaced after a recipe was attached",
            "the order is model.to(device), load_state_dict, the optimizer, torch.compile or DDP, then attach",
            "Call finish and attach after that; load_state_dict without assign=True may also come later",
        )
    if session._beside is not None:
        unwatch(session)
    if solo.holdings.grew():
        take_in(session)
    if not session.model.training:
        _say(
            session,
            "The model is in evaluation mode in a training step: its dropout and techniques in its layers are silent, "
            "normalization does not learn. If that is not meant, call model.train() after evaluating it",
        )


def require_one_pass(recipe: Recipe) -> None:
    """Refuse techniques that run the backward pass themselves, by name.

    Raises:
        RecipeError: there is one.

    """
    parts = recipe.by_address.items()
    two_pass = [a for a, one in parts if one.cost.backwards > 1 and "gradient" in one.stages()]
    if two_pass:
        raise RecipeError(
            f"{', '.join(two_pass)} needs more than one backward pass per step",
            "session.loss() serves techniques with one pass",
            "Use session.step(batch), or leave the technique out",
        )


def before_loss(session: Attached) -> None:
    """Refuse techniques of two passes; tell once that the user updates past the session.

    Raises:
        RecipeError: there is one of two passes.

    """
    require_one_pass(session.recipe)
    written = _writes(session)
    if session.solo.pending and session._written != written:
        _say(session, PAST)
    session._written = written


def _writes(session: Attached) -> int:
    """Return how often the first leaf was written in place."""
    leaves = session.solo.home.tensors
    return leaves[0]._version if leaves else -1


def tell_untrained(session: Attached) -> None:
    """Warn at the end of a session that made no step although its model was trained."""
    if session.steps:
        return
    if session.solo.pending or session.solo.made is not None:
        if session._written != _writes(session):  # else nobody trained: a loss was looked at
            warnings.warn(PAST, NeverBegan, stacklevel=3)
    elif session._start is not None and session._start != fingerprint(session.module):
        warnings.warn(UNTRAINED, NeverBegan, stacklevel=3)


def require_open(session: Attached) -> None:
    """Refuse a session that is finished, or that serves other weights just now.

    Raises:
        RecipeError: it is one of these.

    """
    if session._closed:
        raise closed(session)


def require_loss(session: Attached) -> Pass | NotFinite | None:
    """Return what ``session.gradients`` made, None where ``session.loss`` was called; refuse an update without either.

    Raises:
        SettingError: no loss was asked for since the last update.

    """
    require_open(session)
    made, session.solo.made = session.solo.made, None
    if made is None and not session.solo.pending:
        raise SettingError(
            "session.update() was called without a loss",
            "first loss, then backward, then update; or gradients, then update",
            "Call session.loss(batch) or session.gradients(batch)",
        )
    if made is None:
        _tell_of_left_gradients(session)
    return made


def _tell_of_left_gradients(session: Attached) -> None:
    """Say once that the user's backward passes added to gradients which an earlier step has used.

    A tensor counts what is written into it: after n more backward passes alone, nothing but these touched it.
    """
    solo = session.solo
    first = next((p for p in solo.home.tensors if p.grad is not None and not p.grad._is_view()), None)
    if first is None or first.grad is None:
        return
    written = first.grad._version
    if solo.left == (id(first), written - len(solo.pending)):
        _say(
            session,
            "The last step's gradients were still there when this step's were added, so they pile up. Call "
            "optimizer.zero_grad() after session.update()",
        )
    solo.left = (id(first), written)


def before_reading(session: Attached) -> None:
    """Look again for weights that were loaded since attach, and for a second decay, which a scheduler may bring."""
    if session._start is not None and not session.steps:
        begin_again(session)
        session._start = fingerprint(session.module)  # others may come before the first step
    for one in session.recipe.regularizers:
        if "decays" in one.roles:
            one.check(context_of(session, session.solo.device), session.optimizer)


def fingerprint(module: nn.Module) -> list[float]:
    """Return the norms of all weights and statistics of a module, frozen ones too; other weights have others."""
    kinds: dict[tuple[torch.device, torch.dtype], list[Tensor]] = {}
    for tensor in module.state_dict(keep_vars=True).values():
        if isinstance(tensor, Tensor) and tensor.dtype in _FLOATS and not tensor.is_meta:
            kinds.setdefault((tensor.device, tensor.dtype), []).append(tensor.detach())
    return [float(Leaves(map(str, range(len(some))), some, owned=True).norm()) for some in kinds.values()]


def begin_again(session: Attached) -> None:
    """Let techniques start from the weights of the first step, should others have been loaded since attach."""
    start, session._start, session._written = session._start, None, _writes(session)
    if start is not None and start != fingerprint(session.module):
        context = context_of(session, session.solo.device)
        for address, one in session.recipe.by_address.items():
            session._memory[address].update(one.begin(session.solo.home, context))
        session._meter.begin(lambda: probe(session, (), {}))


def take_in(session: Attached) -> None:
    """Train and regularize what the user unfroze, or gave the optimizer, since the last step; tell it once."""
    new, context = session.solo.look_again(), context_of(session, session.solo.device)
    if new:
        for address, one in session.recipe.by_address.items():
            one.check(context, session.optimizer)
            memory = session._memory[address]
            memory.plan, old = one.plan(context), memory.plan
            begun = one.begin(session.solo.home, context)
            memory.update(grown(dict(memory), begun, one.weights(old), one.weights(memory.plan), one.by_weight))
        session.solo.compose()
        session.readings.take_in(session.solo.home)
        _say(session, f"{new[0]} and {len(new) - 1} more parameters are trained and regularized from here on")
    tell_of_others(session)


def tell_of_others(session: Attached) -> None:
    """Say once that the optimizer holds parameters of others."""
    count = session.solo.holdings.elsewhere
    if count:
        _say(
            session,
            f"The optimizer holds {count} parameters that are not the model's (a loss's own, say): they are "
            "trained, no technique acts on them",
        )


def after_first_steps(session: Attached, *, is_whole: bool) -> None:
    """Tell what the first step showed; after the second, compare the replicas.

    Args:
        session: the session.
        is_whole: ``session.step`` made the step, so an ``optimizer.step()`` of the user's before the next is one too
            many.

    """
    session._uncompared -= 1
    if is_whole and session._uncompared:
        session._beside = watch_beside(session)
    if session.solo.opening is not None:
        for sentence, kind in session.solo.opening.told():
            _say(session, sentence, kind)
        session.solo.opening = None
    if not session._uncompared:  # all replicas began alike, so what differs now was never synchronised
        require_same(session.solo.home)


def watch_beside(session: Attached) -> RemovableHandle | None:
    """Let the optimizer tell, until the second step begins, that the user calls its ``step`` besides."""
    optimizer = getattr(session.optimizer, "optimizer", session.optimizer)  # that of accelerate's and Fabric's wrappers
    if not isinstance(optimizer, torch.optim.Optimizer):
        return None

    def tell(*_: Any) -> None:
        if not _is_within("temperance.core.solo"):  # a proof or a fork runs steps of the session's own
            _say(session, BESIDE)

    return optimizer.register_step_post_hook(tell)


def unwatch(session: Attached) -> None:
    """Take the hook of ``watch_beside`` away."""
    handle, session._beside = session._beside, None
    if handle is not None:
        handle.remove()


def _is_within(module: str) -> bool:
    """Return whether a function of this module is being run."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__") != module:
        frame = frame.f_back
    return frame is not None


def _say(session: Attached, sentence: str, kind: type[UserWarning] = Noticed) -> None:
    if sentence not in session._told:
        session._told.append(sentence)
        warnings.warn(sentence, kind, stacklevel=5)


def refuse(session: Attached, fault: NotFinite) -> Pass:
    """Leave the step out, or raise, as ``nan=`` says."""
    why = cause(session.solo, fault)
    if session.solo.on_nan != "skip":
        raise refusal(session.steps + 1, why) from None
    session.solo.leave_out()
    session.steps += 1
    if not session.left_out:
        warnings.warn(f"step {session.steps} is left out: {why}", NotNumbers, stacklevel=4)
    session.left_out.append(session.steps)
    return fault.passed


def grown(
    memory: Mapping[str, Any], begun: Mapping[str, Any], old: tuple[str, ...], new: tuple[str, ...],
    by_weight: frozenset[str],
) -> dict[str, Any]:  # fmt: skip
    """Return what a technique remembers when leaves have joined: of old leaves what it knew, of new ones the start.

    Args:
        memory: what it remembers.
        begun: what it would remember at its start now.
        old: names of the weights it acted on.
        new: names of the weights it acts on now.
        by_weight: entries that hold one number for each of these.

    """
    made = dict(memory)
    for name, start in begun.items():
        kept = memory.get(name)
        if isinstance(start, Leaves) and isinstance(kept, Leaves):
            both = {leaf: kept[leaf] if leaf in kept else start[leaf] for leaf in start}
            made[name] = Leaves.of(both, owned=True)
        elif name in by_weight:
            made[name] = start.clone()
            for place, weight in enumerate(new):
                if weight in old:
                    made[name][place] = memory[name][old.index(weight)]
    return made
