import pytest

from temperance.evaluation.aspects.base import Aspect
from temperance.evaluation.aspects.registry import ASPECTS, aspects
from temperance.records.errors import SettingError


def test_suites_names_and_claims(monkeypatch) -> None:
    quick = {one.name for one in aspects("quick")}
    assert {"predictive", "calibration", "selective", "slices"} <= quick
    assert "conformal" not in quick
    assert "conformal" in {one.name for one in aspects("standard")}
    assert [one.name for one in aspects("quick", names=["cost"])] == ["cost"]
    monkeypatch.setattr(dict(zip([a.name for a in ASPECTS], ASPECTS, strict=True))["conformal"], "claims",
                        lambda self, name: name == "coverage@0.9")  # fmt: skip
    assert "conformal" in {one.name for one in aspects("quick", required=["coverage@0.9"])}
    with pytest.raises(SettingError, match="no aspect 'costs'"):
        aspects("quick", names=["costs"])


def test_names_are_unique_and_titles_are_there() -> None:
    assert len({one.name for one in ASPECTS}) == len(ASPECTS)
    assert all(issubclass(one, Aspect) and one.title and one.tiers for one in ASPECTS)
