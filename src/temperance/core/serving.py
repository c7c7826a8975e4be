"""Which weights stand in the model: the trained ones, or for a while those that are served."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from temperance.core import averaging
from temperance.core.attached import Attached
from temperance.core.statistics import Moved
from temperance.records.errors import RecipeError


@contextmanager
def served(session: Attached, batches: Iterable[Any] | None) -> Iterator[nn.Module]:
    """Serve: see ``Session.served_weights``."""
    solo, weights = session.solo, session.served
    first = None if batches is None else averaging.first_of(map(session._reader.one, batches))
    own, kept = solo.home.like([p.data for p in solo.home.tensors]), Moved(solo.statistics)
    with solo.at(weights):
        try:
            if first is not None and weights is not solo.home:
                averaging.refresh_statistics(session.model, session._moved.layers(), first)
            session._own, session._closed = (own, kept), "has its served weights in the model"
            yield session.model
        finally:
            session._own, session._closed = None, ""
            kept.put_back()


@contextmanager
def trained(session: Attached) -> Iterator[None]:
    """Let the trained weights stand in the model, also inside ``served_weights``."""
    if session._own is None:
        yield
        return
    (own, kept), now = session._own, Moved(session.solo.statistics)
    with session.solo.at(own):
        kept.put_back()
        try:
            yield
        finally:
            now.put_back()


def require_attached(session: Attached) -> None:
    """Refuse a session that is finished or closed; one that serves other weights just now is attached still.

    Raises:
        RecipeError: its model is no longer attached.

    """
    if session._closed and session._own is None:
        raise closed(session)


def closed(session: Attached) -> RecipeError:
    """Return the error of a session that cannot be asked this now."""
    return RecipeError(
        f"this session {session._closed}",
        "a session trains from attach to finish, on its trained weights",
        "Attach the recipe again to train on; ask for a proof and the like before finish, from a callback where a "
        "framework runs the loop; call this outside of served_weights()",
    )
