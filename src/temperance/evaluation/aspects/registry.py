"""Aspects by name, in the order in which they are asked and told: the cheap and basic ones first."""

from __future__ import annotations

from collections.abc import Sequence

from temperance.evaluation.aspects.adversarial import Adversarial
from temperance.evaluation.aspects.base import Aspect, Tier
from temperance.evaluation.aspects.calibration import CalibrationAspect
from temperance.evaluation.aspects.conformal import Conformal
from temperance.evaluation.aspects.corruption import CorruptionAspect
from temperance.evaluation.aspects.cost import Cost
from temperance.evaluation.aspects.domain_gap import DomainGap
from temperance.evaluation.aspects.membership import Membership
from temperance.evaluation.aspects.ood import OutOfDistribution
from temperance.evaluation.aspects.predictive import Predictive
from temperance.evaluation.aspects.selective import Selective
from temperance.evaluation.aspects.slices import Slices
from temperance.records.errors import SettingError, nearest

ASPECTS: tuple[type[Aspect], ...] = (
    Predictive,
    CalibrationAspect,
    Selective,
    Cost,
    Slices,
    DomainGap,
    Conformal,
    CorruptionAspect,
    OutOfDistribution,
    Adversarial,
    Membership,
)


def aspects(tier: Tier, *, names: Sequence[str] | None = None, required: Sequence[str] = ()) -> tuple[Aspect, ...]:
    """Return the aspects of a suite, or those named, and those that measure a required figure.

    Raises:
        SettingError: there is none of a name.

    """
    known = {one.name: one for one in ASPECTS}
    for name in names or ():
        if name not in known:
            raise SettingError(f"there is no aspect {name!r}", f"known are {', '.join(known)}", nearest(name, known))
    made = [one() for one in ASPECTS]
    return tuple(
        one
        for one in made
        if (one.name in names if names is not None else tier in one.tiers) or any(map(one.claims, required))
    )
