"""Serve the bundle that lies in the folder now, without a lost request: ``POST /admin/reload``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from temperance.deployment.bundle import Bundle, load
from temperance.deployment.serve.answering import Answering
from temperance.deployment.serve.keep import Keep
from temperance.deployment.serve.parts import Level, Parts, parts
from temperance.records.errors import RequestError, SettingError, TemperanceError

if TYPE_CHECKING:
    from temperance.deployment.serve.metrics import Metrics


class Renewal:
    """Loads and checks the new bundle beside the old one, then puts it in its place between two requests.

    Requests that were being answered end with the old one. Where the new one is damaged, the old one stays.

    Args:
        folder: of the bundle; what lies there is replaced from outside, e.g. by ``temperance retrain --out``.
        level, state, token: as in ``parts``.
        others: told once the new one stands, e.g. to let workers follow; returns what is said of them.

    """

    def __init__(
        self, folder: Path, *, level: Level, state: str | Path | None, token: str,
        others: Callable[[str], Awaitable[dict[str, Any]]] | None = None,
    ) -> None:  # fmt: skip
        self.folder, self.level, self.state, self.token, self.others = folder, level, state, token, others
        self._lock = asyncio.Lock()

    async def __call__(self, served: Any) -> dict[str, Any]:
        """Serve what lies in the folder; ``served`` is the application.

        Returns:
            ``{"reloaded", "model", "version", "before", "columns_changed"}``.

        Raises:
            RequestError: status 409; the new bundle is damaged or cannot be watched at this level.

        """
        async with self._lock:
            old: Answering = served.answering
            try:
                bundle = await asyncio.to_thread(load, self.folder)
                if bundle.manifest == old.bundle.manifest:
                    return self._told(False, old.bundle, old.bundle)
                new = await asyncio.to_thread(self._built, bundle, old, served.metrics)
            except TemperanceError as error:
                raise RequestError(
                    f"the bundle in the folder cannot be served: {error}", "a whole bundle for this level",
                    f"Version {old.bundle.version} goes on", status=409,
                ) from error  # fmt: skip
            served.take(new)
            served.metrics.serves(bundle.name, bundle.version)
            told = self._told(True, bundle, old.bundle)
            return told if self.others is None else {**told, **await self.others(bundle.version)}

    def _built(self, bundle: Bundle, old: Answering, metrics: Metrics) -> Answering:
        """Build the new one; the folder of the state is held by one at a time."""
        if old.keep is not None:
            old.keep.save()
            old.keep.close()
        try:
            found: Parts = parts(bundle, level=self.level, state=self.state, token=self.token)
            if old.admin is not None and not found:
                raise SettingError(
                    "a bundle without reference statistics", "one that can be watched", "Export it again"
                )
        except TemperanceError:
            if old.keep is not None:
                old.keep = Keep(old.keep.folder, old.keep.version, old.keep.parts)
            raise
        return Answering(bundle, metrics=metrics, **found)

    @staticmethod
    def _told(reloaded: bool, now: Bundle, before: Bundle) -> dict[str, Any]:
        return {
            "reloaded": reloaded, "model": now.name, "version": now.version, "before": before.version,
            "columns_changed": [c.name for c in now.schema.columns] != [c.name for c in before.schema.columns],
        }  # fmt: skip
