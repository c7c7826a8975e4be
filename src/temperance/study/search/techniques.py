"""Every technique that works on the tabular net, beside the usual two, in the order of what it gained per second."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from temperance.study.search.base import Proposer
from temperance.study.spec import TrialSpec


def known() -> dict[str, dict[str, Any]]:
    """Return by technique its measured gains (mean log ratio of losses; ``classes``, ``values``) and its ``price``.

    Written by ``benchmarks/folded_effects.py`` from development sets that are not looked at once.
    """
    found: dict[str, dict[str, Any]] = json.loads(
        (files("temperance.study.search") / "gains.json").read_text(encoding="utf-8")
    )
    return found


def in_order(task: str) -> list[str]:
    """Return the techniques for a task: gain per second, those that lost last."""
    kind = "values" if task == "regression" else "classes"
    fitting = {name: row for name, row in known().items() if kind in row}
    return sorted(fitting, key=lambda name: -fitting[name][kind] / fitting[name]["price"])


class Techniques(Proposer):
    """Proposes the base trial with one technique more, each once.

    Args:
        base: a folded run; its recipe holds the usual techniques.
        task: kind of the target.

    """

    def __init__(self, base: TrialSpec, *, task: str) -> None:
        self.base, self._left = base, in_order(task)

    def propose(self) -> TrialSpec | None:
        """Return the next, or None when all were proposed."""
        if not self._left:
            return None
        name = self._left.pop(0)
        away = known()[name]["instead_of"]
        usual = [one for one in (self.base.recipe or {}).get("regularizers", []) if one["name"] not in away]
        gone = {"WeightDecay": "weight_decay.", "Dropout": "dropout."}
        slots = tuple(
            {address: value for address, value in slot.items() if not address.startswith(tuple(gone[a] for a in away))}
            for slot in self.base.slots
        )
        recipe = {"regularizers": [*usual, {"name": name}]}
        return self.base.changed(id="", name=f"folded run with {name}", recipe=recipe, slots=slots)

    def observe(self, spec: TrialSpec, quality: float | None) -> None:
        """Hear nothing: the order is fixed."""


class Alternate(Proposer):
    """Asks several proposers in turn; one that has nothing left is passed over."""

    def __init__(self, *proposers: Proposer) -> None:
        self._proposers = list(proposers)

    def propose(self) -> TrialSpec | None:
        """Return the next proposal, or None when nobody has one."""
        for _ in range(len(self._proposers)):
            one = self._proposers.pop(0)
            self._proposers.append(one)
            found = one.propose()
            if found is not None:
                return found
        return None

    def observe(self, spec: TrialSpec, quality: float | None) -> None:
        """Tell all of them."""
        for one in self._proposers:
            one.observe(spec, quality)
