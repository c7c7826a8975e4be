"""Sends what a session tells to TensorBoard, MLflow, Weights & Biases and whatever logs alike; none is imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from temperance.core.session import Session
from temperance.records.errors import SettingError


def send(session: Session, *loggers: Any, prefix: str = "", step: int | None = None) -> dict[str, float]:
    """Send ``session.log()``, a flat dict of finite numbers, to each logger; return what was sent.

    Args:
        session: an attached recipe.
        *loggers: a ``SummaryWriter`` (``add_scalar``), ``mlflow`` or one of Lightning's loggers (``log_metrics``), a
            Weights & Biases run or alike (``log``), or ``function(numbers, step)``.
        prefix: stands before each name, e.g. ``temperance/``.
        step: the step to log at; the session's where None.

    Raises:
        SettingError: a logger of another kind.

    """
    numbers = {f"{prefix}{name}": value for name, value in session.log().items()}
    for one in loggers:
        _way(one)(numbers, session.steps if step is None else step)
    return numbers


def _way(logger: Any) -> Callable[[Mapping[str, float], int], Any]:
    """Return how numbers reach this logger."""
    if callable(getattr(logger, "add_scalar", None)):
        return lambda numbers, step: [logger.add_scalar(name, value, step) for name, value in numbers.items()]
    for verb in ("log_metrics", "log"):
        if callable(getattr(logger, verb, None)):
            return lambda numbers, step: getattr(logger, verb)(dict(numbers), step=step)
    if callable(logger):
        return logger  # type: ignore[no-any-return]
    raise SettingError(
        f"a logger of type {type(logger).__name__}",
        "one with add_scalar(name, value, step), log_metrics(numbers, step=…) or log(numbers, step=…), or a function",
        "Wrap it: send(session, lambda numbers, step: …)",
    )
