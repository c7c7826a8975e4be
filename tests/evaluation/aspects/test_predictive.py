import numpy as np
import pytest

from temperance.evaluation.aspects.predictive import Predictive
from temperance.evaluation.harness import evaluate


def test_figures_follow_from_the_rows(binary, make) -> None:
    reading = Predictive().measure(make.case(binary))
    rows = reading.examples
    assert reading["accuracy"].value == pytest.approx(np.mean(rows["truth"] == rows["answer"]))
    assert reading["log_loss"].value == pytest.approx(rows["log_loss"].mean())
    assert rows["probability_yes"] + rows["probability_no"] == pytest.approx(np.ones(1000))
    assert "of 100 rows" in reading.sentences[0]


def test_values_and_what_the_harness_measured_already(regression, make) -> None:
    table, model = regression
    case = make.case(regression)
    again = case.but(evaluation=evaluate(model, table))
    assert Predictive().measure(again)["rmse"] == Predictive().measure(case)["rmse"]
    assert Predictive().measure(case).examples["error"].std() == pytest.approx(0.5, rel=0.1)


def test_answers_alone_have_no_figures_of_chances(binary, make) -> None:
    case = make.case(binary).but(subject=make.predictions(binary, reasons={"probabilities": "answers alone"}))
    names = {m.name for m in Predictive().measure(case).measurements}
    assert "accuracy" in names
    assert not {"log_loss", "brier", "ece", "roc_auc"} & names
