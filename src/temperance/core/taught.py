"""What micro-batches taught techniques in a step that is left out, or breaks off, is forgotten again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from temperance.core.regularizer import Memory


class Taught:
    """Memories as they were before a step; what is written into their tables meanwhile is noted, to be undone.

    Args:
        memory: by address.

    """

    def __init__(self, memory: Mapping[str, Memory]) -> None:
        self._memory = memory
        self._kept: list[tuple[Memory, dict[str, Any]]] = []

    def begin(self) -> None:
        """Note what is remembered now, unless this step did already."""
        if not self._kept:
            self._kept = [(one, dict(one)) for one in self._memory.values()]
            for one, _ in self._kept:
                one.journal = []

    def keep(self) -> None:
        """Let what was learnt stand."""
        if self._kept:
            for one, _ in self._kept:
                one.journal = None
            self._kept = []

    def put_back(self) -> None:
        """Make the memories what they were when the step began."""
        for one, before in self._kept:
            for table, where, rows in reversed(one.journal or ()):
                table.index_copy_(0, where, rows)
            one.clear()
            one.update(before)
        self.keep()
