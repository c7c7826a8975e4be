"""Out-of-fold answers of a basic model in a worker."""

import time

import numpy as np
import pytest

from temperance.study import crossfit
from temperance.study.bench import BasicPredictor
from temperance.study.spec import TrialSpec

NEVER = float("inf")


def run(bench, spec, until=NEVER, robust=False):
    folder = bench.folder / "trials" / spec.id
    folder.mkdir(parents=True, exist_ok=True)
    return crossfit.run(bench, spec, folder, until, lambda event: {"continue": True}, robust)


@pytest.mark.parametrize("model", ["Majority", "Linear", "Boosting", "ExtraTrees"])
def test_out_of_fold_answers_cost_and_one_choice_for_all_folds(bench, model):
    result = run(bench, TrialSpec(f"o_{model}", model, "basic", model), robust=model == "Linear")
    answer = np.load(bench.folder / "trials" / f"o_{model}" / result["files"]["selection"])
    assert np.isfinite(answer[bench.roles.refit]).all()
    assert result["status"] == "done"
    assert result["cost"]["latency_1_ms"] > 0
    assert result["cannot_export"] == ""
    assert (result["robustness"] is not None) == (model == "Linear")
    spec = TrialSpec("r", "r", "basic", model, settings=result["chosen"])
    refit = bench.fit(spec, bench.roles.refit, np.empty(0, int))
    assert isinstance(refit.predictor, BasicPredictor)
    assert refit.chosen == result["chosen"]


def test_a_model_that_cannot_be_exported_is_priced_as_it_is(bench):
    spec = TrialSpec("o_knn", "knn", "basic", "Outside", settings={"origin": "sklearn.neighbors:KNeighborsClassifier"})
    result = run(bench, spec)
    assert "KNeighborsClassifier" in result["cannot_export"]
    assert result["cost"]["latency_1_ms"] > 0


def test_the_clock_ends_it(bench):
    result = run(bench, TrialSpec("o_late", "late", "basic", "Linear"), until=time.monotonic() - 1)
    assert (result["status"], result["why"]) == ("discarded", "out of time")
