"""What one trial is: everything that decides its result, and nothing else."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from temperance.records.plain_names import check_plain
from temperance.records.restore import Restored

Kind = Literal["basic", "plain", "single", "cocktail", "folded", "ensemble"]


@dataclass(frozen=True)
class TrialSpec(Restored):
    """A trial before it runs; with the data, the seed and the executor it fixes the result bit for bit.

    Attributes:
        id: ``t003``.
        name: plain words.
        kind: what role it plays in the study.
        model: ``majority``, ``linear``, ``boosting``, ``Tabular``, ``ResNet``, ``user`` …
        recipe: ``Recipe.to_dict()``; None for basic models.
        settings: ``TrainSettings.to_dict()`` for nets, the fixed settings of a basic model for a refit.
        seed: seed of weights, order and noise.
        executor: ``solo`` or ``population``.
        adaptive: a controller moves strengths.
        architecture: settings of the net that differ from its sized defaults.
        slots: strengths by address that differ from the recipe's, one mapping per slot of a folded run.
        teacher: spec of the model that a net is distilled from, as ``to_dict`` gives it; None: it learns from labels.
        until: share of the planned training that is done; below 1 where the clock ended it.
        most_rows: training rows used at most, drawn by ``seed``; None: all.

    """

    id: str
    name: str
    kind: Kind
    model: str
    recipe: dict[str, Any] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    executor: str = "solo"
    adaptive: bool = False
    architecture: dict[str, Any] = field(default_factory=dict)
    most_rows: int | None = None
    until: float = 1.0
    slots: tuple[dict[str, float], ...] = ()
    teacher: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        """Refuse an id that could lead out of the study's folder: specs are read from ledgers and foreign bundles."""
        object.__setattr__(self, "slots", tuple(self.slots))
        if self.id != "":
            check_plain(self.id, "the id of a trial")
        if self.teacher is not None:
            TrialSpec.from_dict(self.teacher)

    def origins(self) -> tuple[str, ...]:
        """Return what is imported to train this: origins of models from outside, its teacher's too."""
        own = (str(self.settings.get("origin", "")),) if self.model.lower() == "outside" else ()
        return own if self.teacher is None else own + TrialSpec.from_dict(self.teacher).origins()

    @property
    def is_net(self) -> bool:
        """Whether a net is trained."""
        return self.kind != "basic" and self.kind != "ensemble"

    def changed(self, **values: Any) -> TrialSpec:
        """Return a copy with other values."""
        return replace(self, **values)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return asdict(self)
