"""Look at the operations of a forward pass, one by one, without loading torch's compiler, which takes seconds."""

from __future__ import annotations

from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode


class Watched(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A dispatch mode whose operations nobody compiles: torch then need not load its compiler to keep it away.

    Subclasses say in ``__torch_dispatch__`` what is done with an operation.
    """

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)  # type: ignore[no-untyped-call]

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def smaller(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Run an operation as the smaller ones that it is made of, which are watched too, or ``NotImplemented``."""
        with self:
            return func.decompose(*args, **kwargs)
