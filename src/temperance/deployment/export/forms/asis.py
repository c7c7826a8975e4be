"""The graph as the study wrote it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from temperance.deployment.export.forms.base import Feed, Form, copied


@dataclass(frozen=True)
class AsIs(Form):
    """Nothing is changed; what every other form is compared with."""

    name: ClassVar[str] = "as it is"
    says: ClassVar[str] = "the graph that the study wrote"

    def convert(self, model: Any, feed: Feed | None) -> Any:
        return copied(model)
