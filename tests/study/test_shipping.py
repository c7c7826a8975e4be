"""What lies in a bundle beside the model."""

from temperance.study.shipping import said, thin
from temperance.study.spec import TrialSpec
from temperance.study.state import Result


def test_long_traces_are_thinned_at_both_ends_kept():
    trace = [{"step": i} for i in range(5000)]
    few = thin(trace)
    assert len(few) <= 400
    assert (few[0], few[-1]) == (trace[0], trace[-1])


def test_a_trial_that_failed_says_nothing_of_its_recipe():
    assert said(Result(TrialSpec("a", "a", "plain", "Tabular"), {"status": "failed"}))["text"] == ""
