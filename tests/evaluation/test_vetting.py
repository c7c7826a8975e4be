import json

import numpy as np
import pytest
from tests.evaluation.aspects.conftest import knowing, of_predictions, subject_of

from temperance.evaluation.harness import evaluate
from temperance.evaluation.vetting import vet
from temperance.records.measurement import Measurement


def test_figures_are_of_rows_that_were_not_learned(binary) -> None:
    table, model = binary
    done = vet(knowing(binary, range(400)), table)
    assert done.evaluation.n == 600
    assert done.evaluation.index.tolist() == list(range(400, 1000))
    plain = evaluate(model, table, np.arange(400, 1000))
    assert done.figures["accuracy"] == plain["accuracy"]
    assert {m.name: m.n for m in done.whole}["accuracy"] == 1000
    assert any(text.startswith("With the rows it learned from: the model is right") for text in done.sentences())


def test_all_rows_learned_is_said_first_and_nothing_is_compared(binary) -> None:
    subject = knowing(binary, range(1000))
    done = vet(subject, binary[0])
    assert done.sentences()[0].startswith("All 1,000 rows are rows that the model learned from")
    assert done.whole == ()
    assert done.changes == ()


def test_against_its_own_record(binary) -> None:
    table, model = binary
    how = evaluate(model, table)["accuracy"].convention
    record = {"accuracy": Measurement("accuracy", 0.99, 0.98, 0.995, 2000, convention=how)}
    done = vet(subject_of(table, model, record=record), table)
    assert done.changes[0].verdict == "worse"
    assert any(text.startswith("Worse than when it was made: accuracy") for text in done.sentences())


def test_a_file_of_predictions_gives_what_it_can(binary) -> None:
    table, model = binary
    done = vet(of_predictions(binary), table, tier="standard")
    assert done.figures["accuracy"].value == pytest.approx(evaluate(model, table)["accuracy"].value)
    assert done.evaluation.robustness is None
    assert ("robustness to damaged inputs", "not possible from predictions") in done.not_done
    alone = of_predictions(binary, reasons={"probabilities": "the file holds answers without probabilities"})
    few = vet(alone, table)
    assert "log_loss" not in few.figures
    assert "accuracy" in few.figures
    assert few.evaluation.abstention == ()


def test_one_value_that_is_plain_json(regression, binary) -> None:
    for table, model in (regression, binary):
        done = vet(subject_of(table, model), table, labels=np.repeat(["a", "b"], len(table) // 2), seed=3)
        row = json.loads(json.dumps(done.to_dict(), allow_nan=False))
        assert {"measurements", "own_rows", "against_record", "aspects", "sentences", "left_out"} <= set(row)
        assert row["aspects"]["predictive"]["seed"] == 3
        assert row["aspects"]["domain_gap"]["details"]["by_domain"]


@pytest.mark.slow
def test_same_seed_same_figures_and_a_budget_is_kept(binary) -> None:
    table, model = binary
    first, second = (vet(subject_of(table, model), table, seed=1, tier="standard").figures for _ in "ab")
    assert first == second
    hurried = vet(subject_of(table, model), table, tier="publish", budget_seconds=1e-6)
    assert ("quality of the answers", "no time left") in hurried.not_done
    assert "accuracy" in hurried.figures


def test_what_a_model_gives_away_is_asked_with_the_rows_it_learned_from(binary) -> None:
    table, model = binary
    learned = np.arange(0, len(table), 2)
    done = vet(knowing((table, model), learned), table, names=["predictive", "membership"])
    assert done.evaluation.n == len(table) - len(learned)
    reading = next(one for one in done.readings if one.aspect == "membership")
    assert reading["leakage/loss/auc"].n == len(table)
    assert reading.examples["learned"].sum() == len(learned)
    assert reading.index.tolist() == list(range(len(table)))
