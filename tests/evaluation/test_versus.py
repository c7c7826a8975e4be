from dataclasses import replace

import numpy as np
import pytest
from tests.evaluation.aspects.conftest import knowing, of_predictions, subject_of

from temperance.evaluation.versus import versus
from temperance.records.errors import DataError, SettingError
from temperance.records.schema import Target


class Noisy:
    """A model with noise of its own on the log odds."""

    def __init__(self, model, noise, seed=0):
        self.schema, self.model, self.noise, self.seed = model.schema, model, noise, seed

    def predict(self, rows):
        p = np.clip(self.model.function(rows), 1e-6, 1 - 1e-6)
        z = np.log(p[:, 1] / p[:, 0]) + self.noise * np.random.default_rng(self.seed).normal(size=rows.size)
        q = 1 / (1 + np.exp(-z))
        return np.stack([1 - q, q], axis=1)


def test_the_better_model_is_found(binary) -> None:
    table, model = binary
    good, bad = subject_of(table, model), replace(subject_of(table, Noisy(model, 6.0)), name="noisy")
    done = versus(good, bad, (table, table))
    assert done.verdict == "better"
    assert versus(bad, good, (table, table)).verdict == "worse"
    assert done.sentences()[0].startswith("formula is better than noisy: accuracy +0.")
    d = done.comparisons["accuracy"].difference
    assert d.low <= d.value <= d.high
    assert d.value == pytest.approx(done.figures["accuracy"][0].value - done.figures["accuracy"][1].value)
    assert "log_loss" in done.comparisons


def test_a_model_against_itself_is_equivalent(binary, regression) -> None:
    for table, model in (binary, regression):
        same = subject_of(table, model)
        assert versus(same, same, (table, table)).verdict == "equivalent"


def test_few_rows_tell_nothing(binary) -> None:
    table, model = binary
    few = table.take(np.arange(60))
    done = versus(subject_of(few, model), subject_of(few, Noisy(model, 1.0)), (few, few), margin=0.0)
    assert done.verdict == "no evidence of difference"
    assert "do not tell" in done.sentences()[0]


def test_rows_that_either_learned_from_do_not_count(binary) -> None:
    table = binary[0]
    done = versus(knowing(binary, range(300)), knowing(binary, range(200, 500)), (table, table))
    assert done.index.tolist() == list(range(500, 1000))
    with pytest.raises(DataError, match="training rows of one"):
        versus(knowing(binary, range(600)), knowing(binary, range(600, 1000)), (table, table))


def test_classes_in_another_order_are_matched(binary) -> None:
    table, model = binary
    turned = replace(table.schema, target=Target("y", "binary", ("yes", "no")))

    class Turned:
        schema = turned

        def predict(self, rows):
            return model.function(rows)[:, ::-1]

    other = replace(table, schema=turned, target=1 - table.target)
    done = versus(subject_of(table, model), subject_of(other, Turned()), (table, other))
    assert done.verdict == "equivalent"
    assert done.comparisons["log_loss"].difference.value == pytest.approx(0.0, abs=1e-12)


def test_what_cannot_be_compared_is_refused(binary) -> None:
    table, model = binary
    subject = subject_of(table, model)
    with pytest.raises(DataError, match="same answers"):
        versus(subject, subject, (table, replace(table, target=1 - table.target)))
    alone = of_predictions(binary, reasons={"probabilities": "answers alone"})
    assert set(versus(subject, alone, (table, table)).comparisons) == {"accuracy", "balanced_accuracy", "macro_f1"}
    with pytest.raises(SettingError, match="log_loss"):
        versus(subject, alone, (table, table), name="log_loss")
