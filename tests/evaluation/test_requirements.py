import pytest

from temperance.evaluation.requirements import Requirement, judge, parse, value_meets
from temperance.records.errors import SettingError
from temperance.records.measurement import Measurement

FIGURES = {
    "accuracy": Measurement("accuracy", 0.92, 0.88, 0.95, 200),
    "ece": Measurement("ece", 0.03, 0.01, 0.06, 200, better="lower"),
    "mce": Measurement("mce", 0.1, None, None, 200, better="lower"),
    "robust@0.1": Measurement("robust@0.1", 0.7, 0.65, 0.75, 200, flags=("not trustworthy: zero gradients",)),
}


def test_requirements_are_read() -> None:
    assert parse("accuracy>=0.9, ece<=5%,robust@0.1>=6e-1,") == (
        Requirement("accuracy", ">=", 0.9), Requirement("ece", "<=", 0.05), Requirement("robust@0.1", ">=", 0.6),
    )  # fmt: skip
    assert str(parse("r2>=-0.5")[0]) == "r2>=-0.5"


@pytest.mark.parametrize(
    "text", ["", " , ", "accuracy>0.9", "accuracy>=x", "accuracy", ">=3", "a>=1.2.3", "a==1", "a<=1e999"]
)
def test_anything_else_is_refused(text) -> None:
    with pytest.raises(SettingError, match=r"requirement|bound"):
        parse(text)


@pytest.mark.parametrize(("text", "by", "met"), [
    ("accuracy>=0.88", "interval", True), ("accuracy>=0.9", "interval", False), ("accuracy>=0.9", "point", True),
    ("ece<=0.06", "interval", True), ("ece<=0.05", "interval", False), ("ece<=0.05", "point", True),
    ("accuracy<=0.95", "interval", True), ("accuracy<=0.93", "interval", False),
    ("mce<=0.2", "interval", False), ("mce<=0.2", "point", True), ("robust@0.1>=0.1", "point", False),
    ("nothing>=0", "point", False),
])  # fmt: skip
def test_the_cautious_end_or_the_point(text, by, met) -> None:
    (verdict,) = judge(parse(text), FIGURES, by=by)
    assert verdict.met is met
    assert verdict.why


def test_reasons() -> None:
    said = [v.why for v in judge(parse("accuracy>=0.9,mce<=0.2,robust@0.1>=0.1,acuracy>=0.5,x>=1"), FIGURES,
                                 missing={"x": "not possible from predictions"})]  # fmt: skip
    assert said[0] == "accuracy is 0.92 (between 0.88 and 0.95, from 200 rows); its lower end 0.88 is not >= 0.9."
    assert "--by point" in said[1]
    assert "not trustworthy" in said[2]
    assert "Did you mean 'accuracy'?" in said[3]
    assert said[4] == "x>=1: not possible from predictions."
    assert value_meets(1.0, Requirement("a", "<=", 1.0))
