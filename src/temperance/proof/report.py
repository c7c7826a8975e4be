"""What a watch says: what is there, whether it acted, and what did nothing though it seems to be meant."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Presence:
    """One kind of regularization that the run holds.

    Attributes:
        what: ``dropout``, ``decay``, ``averaging``, ``smoothing``, ``clipping`` …
        said: where and how strong, in words.
        acted: whether it did anything; None where that cannot be seen.

    """

    what: str
    said: str
    acted: bool | None


@dataclass(frozen=True)
class Notice:
    """Something that does nothing though it seems to be meant, or does what nobody means.

    Attributes:
        rule: name of the rule.
        said: what was seen.
        remedy: what to do.

    """

    rule: str
    said: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.said}. {self.remedy}."


@dataclass(frozen=True)
class Report:
    """What a watch has seen so far.

    Attributes:
        steps: optimizer steps.
        passes: forward passes that something was trained on and that were listened to.
        present: what the run holds.
        warnings: what is wrong with it.

    """

    steps: int
    passes: int
    present: tuple[Presence, ...]
    warnings: tuple[Notice, ...]

    def __str__(self) -> str:
        words = {True: "acted", False: "did nothing", None: "not seen"}
        lines = [f"{self.steps} steps, {self.passes} training passes listened to."]
        if self.steps and not self.passes:
            lines.append("The watched model itself was not run: watch the part that your code calls, say model.net.")
        lines += [f"- {one.what}: {one.said} ({words[one.acted]})" for one in self.present]
        if not self.present:
            lines.append("- no regularization was found")
        lines += [f"Warning: {one}" for one in self.warnings]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return asdict(self)
