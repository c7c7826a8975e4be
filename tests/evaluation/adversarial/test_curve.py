import json
import time

import pytest

from temperance.evaluation.adversarial.curve import curve
from temperance.evaluation.adversarial.victim import Victim
from temperance.records.errors import SettingError


@pytest.mark.parametrize(("norm", "dual"), [("Linf", 1), ("L2", 2)])
def test_the_curve_of_a_linear_model_is_exact_and_so_is_its_median(two_classes, norm, dual):
    exact = two_classes.distance(dual)
    budgets = [float(exact.quantile(q)) + 1e-6 for q in (0.1, 0.3, 0.5, 0.7, 0.9)]
    found = curve(Victim(two_classes), two_classes.x, two_classes.y, budgets, norm=norm, tier="quick")
    assert found.budgets == tuple(sorted(budgets))
    for one in found.attacked:
        assert one.accuracy == pytest.approx(float((exact > one.eps).double().mean()), abs=0.011)
        assert one.right.all()
    assert found.median == pytest.approx(float(exact.median()), rel=0.1)
    json.dumps(found.to_dict(), allow_nan=False)


def test_no_median_where_half_survives_and_what_there_was_no_time_for_is_named(two_classes):
    now = time.perf_counter()
    found = curve(Victim(two_classes), two_classes.x, two_classes.y, [1e-6, 0.5], tier="quick", deadline=now)
    assert found.median is None
    assert found.left_out == (("attacks within 0.5", "no time left"),)


def test_what_is_refused(two_classes):
    with pytest.raises(SettingError, match="no budgets"):
        curve(Victim(two_classes), two_classes.x, two_classes.y, [])
    with pytest.raises(SettingError, match="Did you mean 'Linf'"):
        curve(Victim(two_classes), two_classes.x, two_classes.y, [0.1], norm="linf")
