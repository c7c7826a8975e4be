"""What happens to a model after its first day: streams, retraining, challenger against champion, a registry."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from temperance.lifecycle.base import Decision, Policy
    from temperance.lifecycle.better_only import BetterOnly
    from temperance.lifecycle.not_worse import NotWorse
    from temperance.lifecycle.registry import Registry
    from temperance.lifecycle.retraining import retrain
    from temperance.lifecycle.streaming.run import Plan, stream

_HOMES = {
    "BetterOnly": "better_only",
    "Decision": "base",
    "NotWorse": "not_worse",
    "Plan": "streaming.run",
    "Policy": "base",
    "Registry": "registry",
    "retrain": "retraining",
    "stream": "streaming.run",
}
__all__ = ["BetterOnly", "Decision", "NotWorse", "Plan", "Policy", "Registry", "retrain", "stream"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
