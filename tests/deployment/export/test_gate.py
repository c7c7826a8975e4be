"""The gate: losses, their paired interval, refusals in words."""

import numpy as np
import pytest

from temperance.deployment.export.forms import FORMS
from temperance.deployment.export.gate import Judge, losses, relative
from temperance.deployment.export.program.write import graph_of


def test_losses_by_hand():
    assert losses(np.array([[0.25, 0.75], [0.5, 0.5]]), np.array([1, 0])) == pytest.approx([-np.log(0.75), np.log(2)])
    assert losses(np.array([1.0, 2.0]), np.array([3.0, 2.0])).tolist() == [4.0, 0.0]


def test_the_relative_loss_by_hand():
    before, after = np.array([1.0, 3.0]), np.array([1.0, 3.2])
    value, low, high = relative(before, after, np.ones(2), squared=False)
    assert value == pytest.approx(0.05)
    assert low < value < high
    root, _, _ = relative(before, after, np.ones(2), squared=True)
    assert root == pytest.approx(1.05**0.5 - 1)
    assert relative(before, before, np.ones(2), squared=False) == (0.0, 0.0, 0.0)
    weighted, _, _ = relative(before, after, np.array([1.0, 0.0]), squared=False)
    assert weighted == 0.0


def test_the_interval_holds_the_truth_as_often_as_it_says():
    random = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        before = random.exponential(size=200)
        after = before * (1 + 0.02 * random.normal(1.0, 2.0, size=200))
        _, low, high = relative(before, after, np.ones(200), squared=False)
        held += low <= 0.02 <= high
    assert 0.9 <= held / 400 <= 0.99


def test_a_form_that_loses_nothing_passes_with_its_figures(net):
    judge = Judge(net.bundle, net.rows, net.truth)
    one = judge.judge(FORMS["float16 weights"], graph_of(net.bundle), ())
    assert one.refused == ""
    assert (one.n, one.metric) == (400, "log loss")
    assert abs(one.drop) < 0.005
    assert one.drop_low <= one.drop <= one.drop_high
    assert one.bytes > 0
    assert one.latency_1_ms > 0
    assert "graph" not in one.to_dict()


def test_a_form_that_loses_too_much_is_refused_with_the_figure(net):
    judge = Judge(net.bundle, net.rows, net.truth, most_drop=0.0)
    found = [judge.judge(FORMS[name], graph_of(net.bundle), ()) for name in ("int8 weights", "bfloat16 weights")]
    worse = [one for one in found if one.drop > 0]
    assert worse
    assert all("--max-drop" in one.refused for one in worse)


def test_changed_answers_are_refused(net, monkeypatch):
    from temperance.deployment.export import gate

    monkeypatch.setattr(gate, "MOST_CHANGED", -1.0)
    one = Judge(net.bundle, net.rows, net.truth, most_drop=1.0).judge(FORMS["int8 weights"], graph_of(net.bundle), ())
    assert "other classes" in one.refused


def test_without_answers_only_the_graph_as_it_is_may_ship(net):
    judge = Judge(net.bundle, None)
    assert judge.judge(FORMS["as it is"], graph_of(net.bundle), ()).refused == ""
    refused = judge.judge(FORMS["int8 weights"], graph_of(net.bundle), ())
    assert "--data" in refused.refused
    assert refused.difference > 0


def test_few_rows_do_not_judge(net):
    judge = Judge(net.bundle, net.rows.take(slice(0, 20)), net.truth[:20])
    assert "too few" in judge.judge(FORMS["float16 weights"], graph_of(net.bundle), ()).refused


def test_values_are_judged_by_their_squares(line):
    one = Judge(line.bundle, line.rows, line.truth).judge(FORMS["as it is"], graph_of(line.bundle), ())
    assert one.metric == "RMSE"
    expected = np.sqrt(np.mean((line.bundle.predict(line.rows) - line.truth) ** 2))
    assert one.score == pytest.approx(expected)


def test_a_form_that_fails_on_some_row_is_refused(net, monkeypatch):
    from temperance.deployment.write import Exported

    plain = Exported.predict

    def broken(self, rows):
        answers = np.array(plain(self, rows), dtype=np.float64)
        if rows.size == 600:  # not the few rows that are tried first
            answers[-1] = np.nan
        return answers

    monkeypatch.setattr(Exported, "predict", broken)
    rows = net.rows.take(np.resize(np.arange(net.rows.size), 600))
    judge = Judge(net.bundle, rows, np.resize(net.truth, 600))
    one = judge.judge(FORMS["float16 weights"], graph_of(net.bundle), ())
    assert np.isnan(one.drop)
    assert "no finite answer" in one.refused
