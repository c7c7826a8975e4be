"""Which weights are kept: the best reading, or the mean of those that earned it."""

import math

import pytest
import torch

from temperance.core.heldout import ask
from temperance.core.leaves import Leaves
from temperance.core.selection import Readings, Within, is_statistic
from temperance.records.errors import RecipeError, SettingError


def point(*values):
    return Leaves.of({"w": torch.tensor(values)}, owned=True)


def judged(value, joined=math.nan, select="average", patience=3, **kept):
    made = Readings(select, patience)
    made.better, made.signal = kept.pop("better", "lower"), "valid_loss"
    return made, value, joined


def feed(kept, weights, value, joined=math.nan):
    trial = kept.trial(weights)
    return kept.take(weights, {}, trial, value, joined)


def test_a_reading_joins_where_the_mean_is_no_worse_than_both_and_a_better_one_begins_anew():
    kept, *_ = judged(0)
    feed(kept, point(0.0), 1.0)
    assert kept.readings == (1,)
    feed(kept, point(4.0), 1.1, joined=0.9)
    assert (kept.readings, kept.score, float(kept.weights["w"])) == ((1, 2), 0.9, 2.0)
    feed(kept, point(8.0), 2.0, joined=0.95)
    assert kept.readings == (1, 2)
    feed(kept, point(5.0), 0.8, joined=0.7)
    assert (kept.readings, float(kept.weights["w"])) == ((1, 2, 4), 3.0)
    feed(kept, point(9.0), 0.1, joined=0.5)
    assert (kept.readings, float(kept.weights["w"])) == ((5,), 9.0)
    assert kept.chosen.to_dict() == {"readings": [5], "signal": "valid_loss", "value": 0.1, "single": 0.1}


def test_the_best_alone_where_no_average_is_wanted_and_higher_where_that_is_better():
    kept, *_ = judged(0, select="best", better="higher")
    for value, weights in ((0.5, point(1.0)), (0.9, point(2.0)), (0.7, point(3.0))):
        assert kept.trial(weights) is None
        feed(kept, weights, value)
    assert (kept.score, float(kept.weights["w"]), kept.readings) == (0.9, 2.0, (2,))


def test_it_stops_after_patience_readings_without_a_better_one():
    kept, *_ = judged(0, patience=3)
    ends = [feed(kept, point(0.0), value, joined=9.0) for value in (1.0, 2.0, 0.5, 0.6, 0.5, 0.7)]
    assert ends == [False] * 5 + [True]


def test_no_number_is_never_kept():
    kept, *_ = judged(0)
    for value in (math.nan, math.inf):
        feed(kept, point(1.0), value)
        assert kept.weights is None
    feed(kept, point(2.0), 1.0)
    feed(kept, point(3.0), math.nan, joined=math.nan)
    assert float(kept.weights["w"]) == 2.0
    assert kept.unknown == 2


def test_unknown_settings_and_a_change_of_measure_are_refused():
    with pytest.raises(SettingError, match="'average', 'best', Within"):
        Readings("mean", 3)
    with pytest.raises(SettingError, match="patience=0"):
        Readings("best", 0)
    kept, *_ = judged(0)
    with pytest.raises(SettingError, match="Keep to one measure"):
        kept.agree_on(ask("accuracy", None, None))


def test_running_statistics_are_averaged_with_the_weights_and_counts_are_not():
    kept, *_ = judged(0)
    kept.take(point(0.0), {"1.running_mean": torch.zeros(2), "1.steps": torch.tensor(3)}, None, 1.0, math.nan)
    mean = kept.blend({"1.running_mean": torch.full((2,), 4.0), "1.steps": torch.tensor(5)})
    assert mean["1.running_mean"].tolist() == [2.0, 2.0]
    assert int(mean["1.steps"]) == 5
    assert is_statistic("1.running_var")
    assert not is_statistic("1.num_batches_tracked")


def test_limits_admit_readings_whose_signals_are_known_and_within():
    limits = Within(forgetting=0.1, gap=0.5)
    assert limits.admits({"forgetting": 0.1, "gap": 0.0})
    assert not limits.admits({"forgetting": 0.11, "gap": 0.0})
    assert not limits.admits({"forgetting": 0.0})
    assert not limits.admits({"forgetting": math.nan, "gap": 0.0})
    with pytest.raises(SettingError, match="forgetting"):
        Within(forgetting=math.nan)


def test_with_limits_one_reading_is_kept_and_one_outside_never():
    kept = Readings(Within(gap=0.5), 3)
    kept.better, kept.signal = "lower", "valid_loss"
    assert kept.limited == {"gap"}
    assert not feed(kept, point(1.0), math.inf)  # what a reading outside the limits counts as
    assert (kept.chosen, kept.refused_all) == (None, "gap ≤ 0.5")
    feed(kept, point(2.0), 1.0)
    feed(kept, point(4.0), 1.0)
    assert (kept.readings, float(kept.weights["w"]), kept.refused_all) == ((2,), 2.0, "")


def test_a_limit_on_what_nothing_measures_names_the_nearest_and_a_short_list():
    with pytest.raises(RecipeError, match=r"signals are edge_…, forgetting\. Did you mean 'forgetting'"):
        Readings(Within(forgeting=0.5), 3).check(frozenset({"forgetting", *(f"edge_{i:02d}" for i in range(9))}))
