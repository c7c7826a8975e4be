"""A bundle's graph by NumPy alone: slower than ONNX Runtime, and 30 MB lighter, for small machines."""

from __future__ import annotations

from temperance.deployment.plain.session import PlainSession

__all__ = ["PlainSession"]
