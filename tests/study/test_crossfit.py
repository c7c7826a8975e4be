"""Out-of-fold answers of a basic model in a worker."""

import time

import numpy as np
import pytest

from temperance.study import crossfit
from temperance.study.runner import BasicPredictor
from temperance.study.spec import TrialSpec

NEVER = float("inf")


def run(runner, spec, until=NEVER, robust=False):
    folder = runner.folder / "trials" / spec.id
    folder.mkdir(parents=True, exist_ok=True)
    return crossfit.run(runner, spec, folder, until, lambda event: {"continue": True}, robust)


@pytest.mark.parametrize("model", ["Majority", "Linear", "Boosting", "ExtraTrees"])
def test_out_of_fold_answers_cost_and_one_choice_for_all_folds(runner, model):
    result = run(runner, TrialSpec(f"o_{model}", model, "basic", model), robust=model == "Linear")
    answer = np.load(runner.folder / "trials" / f"o_{model}" / result["files"]["selection"])
    assert np.isfinite(answer[runner.roles.refit]).all()
    assert result["status"] == "done"
    assert result["cost"]["latency_1_ms"] > 0
    assert result["cannot_export"] == ""
    assert (result["robustness"] is not None) == (model == "Linear")
    spec = TrialSpec("r", "r", "basic", model, settings=result["chosen"])
    refit = runner.fit(spec, runner.roles.refit, np.empty(0, int))
    assert isinstance(refit.predictor, BasicPredictor)
    assert refit.chosen == result["chosen"]


def test_a_model_that_cannot_be_exported_is_priced_as_it_is(runner):
    spec = TrialSpec("o_knn", "knn", "basic", "Outside", settings={"origin": "sklearn.neighbors:KNeighborsClassifier"})
    result = run(runner, spec)
    assert "KNeighborsClassifier" in result["cannot_export"]
    assert result["cost"]["latency_1_ms"] > 0


def test_the_clock_ends_it(runner):
    result = run(runner, TrialSpec("o_late", "late", "basic", "Linear"), until=time.monotonic() - 1)
    assert (result["status"], result["why"]) == ("discarded", "out of time")
