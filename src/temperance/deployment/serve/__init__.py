"""The server of a bundle: JSON rows, the Open Inference Protocol v2, health and metrics. It loads no torch.

``app(bundle)`` is an ASGI application; ``run(folder)`` serves it.
"""

from __future__ import annotations

from typing import Any

__all__ = ["app", "run"]


def __getattr__(name: str) -> Any:
    if name == "app":
        from temperance.deployment.serve.application import app

        return app
    if name == "run":
        from temperance.deployment.serve.launch import run

        return run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
