"""Means over held-out rows, streamed."""

import math

import pytest
import torch

from temperance.core import heldout
from temperance.core.batch import Batch
from temperance.records.errors import SettingError


def batch(values, weight=None):
    x = torch.tensor(values)
    return Batch(x, torch.ones(len(values), dtype=torch.int64), weight)


def rows(b):
    return torch.stack([-b.inputs, b.inputs], 1), b.inputs


def test_rows_count_alike_whatever_batch_they_came_in():
    whole = heldout.measure([batch([1.0, 2.0, 3.0, 6.0])], [rows], "loss")[0]
    parts = heldout.measure(iter([batch([1.0, 2.0, 3.0]), batch([6.0])]), [rows], "loss")[0]
    assert (whole.loss, whole.error) == pytest.approx((3.0, 2.160246899 / 2))
    assert (parts.loss, parts.error) == pytest.approx((whole.loss, whole.error))
    assert math.isnan(whole.metric)


def test_weights_count():
    found = heldout.measure([batch([1.0, 5.0], torch.tensor([3.0, 1.0]))], [rows], "loss")[0]
    assert found.loss == pytest.approx(2.0)


def test_one_number_per_batch_counts_as_often_as_it_has_rows_and_has_no_error():
    tally = heldout.Tally()
    tally.add(torch.tensor([1.0]), batch([0.0] * 3))
    tally.add(torch.tensor([5.0]), batch([0.0]))
    assert tally.mean == pytest.approx(2.0)
    assert math.isnan(tally.error)


def test_each_batch_is_asked_for_once_and_let_go():
    alive = []

    def stream():
        for i in range(5):
            alive.append(i)
            yield batch([float(i)])

    seen = []
    heldout.measure(stream(), [lambda b: (seen.append(len(alive)), (b.inputs, b.inputs))[1]] * 2, "loss")
    assert seen == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_accuracy_and_a_function_of_all_rows():
    data = [batch([1.0, -1.0, 2.0]), batch([3.0])]
    assert heldout.measure(data, [rows], "accuracy")[0].metric == pytest.approx(0.75)
    told = heldout.measure(data, [rows], lambda o, t: (o.shape == (4, 2)) + len(t))[0].metric
    assert told == 5.0
    logits = heldout.measure(data, [lambda b: (b.inputs, b.inputs)], "accuracy")[0].metric
    assert logits == pytest.approx(0.75)


def test_what_cannot_be_measured_says_what_to_do():
    with pytest.raises(SettingError, match="no batches"):
        heldout.measure([], [rows], "loss")
    with pytest.raises(SettingError, match=r"metric\(outputs, targets\)"):
        heldout.measure([batch([1.0])], [lambda b: (torch.ones(1, 3, 3), b.inputs)], "accuracy")
    with pytest.raises(SettingError, match="value="):
        heldout.measure([batch([1.0])], [lambda b: ({"a": 1}, b.inputs)], "accuracy")
    with pytest.raises(SettingError, match="Did you mean 'accuracy'"):
        heldout.ask("acuracy", None, None)
    with pytest.raises(SettingError, match="which way is better"):
        heldout.ask("loss", 0.8, None)
    with pytest.raises(SettingError, match="'sideways'"):
        heldout.ask(len, None, "sideways")
    assert heldout.ask("accuracy", None, None).better == "higher"
    assert heldout.ask("loss", 0.5, "lower") == ("loss", 0.5, "lower")
    assert [heldout.ask("loss", None, None).signal, heldout.ask("accuracy", None, None).signal] == [
        "valid_loss",
        "metric",
    ]


@pytest.mark.parametrize(("metric", "better"), [("accuracy", "lower"), ("loss", "higher")])
def test_a_known_measure_is_not_turned_round(metric, better):
    with pytest.raises(SettingError, match=f"metric='{metric}' and better='{better}'"):
        heldout.ask(metric, None, better)
    assert heldout.ask("accuracy", None, "higher").better == "higher"


def test_a_row_whose_class_is_left_out_is_neither_right_nor_wrong():
    def some(b):
        return torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]), torch.zeros(4)

    labels = torch.tensor([0, 0, -100, -100])
    plain = Batch(torch.zeros(4), labels)
    weighed = Batch(torch.zeros(4), labels, torch.tensor([3.0, 1.0, 9.0, 9.0]))
    assert heldout.measure([plain], [some], "accuracy")[0].metric == 0.5
    assert heldout.measure([weighed], [some], "accuracy")[0].metric == 0.75


def test_of_one_score_per_row_minus_one_is_the_other_class():
    def some(b):
        return torch.tensor([2.0, 1.0, -1.0, -1.0]), torch.zeros(4)

    labels = torch.tensor([1, -1, -1, 1])
    assert heldout.measure([Batch(torch.zeros(4), labels)], [some], "accuracy")[0].metric == 0.5
