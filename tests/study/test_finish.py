"""Refit, reopen, calibrate, test and export give one consistent model."""

import numpy as np
import pytest

from temperance.deployment import load
from temperance.deployment.opening.of_bundle import open_bundle, own_rows_of
from temperance.study import finish
from temperance.study.finish import EnsemblePredictor
from temperance.study.jobs import trial
from temperance.study.runner import BasicPredictor
from temperance.study.spec import TrialSpec

NET = TrialSpec("net", "net", "plain", "Tabular", {"regularizers": []}, {"epochs": 4.0, "batch_size": 64, "lr": 0.03})
LINEAR = TrialSpec("lin", "linear", "basic", "Linear", settings={"grid": (0.01,)})


@pytest.fixture(scope="module")
def refitted(large_bench):
    for spec in (NET, LINEAR):
        finish.refit(large_bench, {"spec": spec.to_dict()}, None)
    return large_bench


def test_a_reopened_model_is_the_refitted_one(refitted):
    rows = refitted.table.rows.take(refitted.roles.test[:50])
    first, second = (finish.reopen(refitted, NET).predictor.predict(rows) for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert isinstance(finish.reopen(refitted, LINEAR).predictor, BasicPredictor)
    assert len(finish.refit_rows(refitted)) == len(refitted.table) - len(refitted.roles.test) - len(
        refitted.roles.calibration
    )


def test_a_basic_model_without_a_refit_is_the_one_of_its_trial(refitted):
    spec = LINEAR.changed(id="asis")
    done = trial(refitted, {"spec": spec.to_dict(), "robustness": False}, None)
    assert done["weights"] == "model.pickle"
    rows = refitted.table.rows.take(refitted.roles.selection)
    answer = np.load(refitted.folder / "trials" / "asis" / "selection.npy")
    assert finish.reopen(refitted, spec).predictor.predict(rows) == pytest.approx(answer)
    assert len(finish.learned_rows(refitted, spec)) == len(refitted.roles.train)
    assert len(finish.learned_rows(refitted, LINEAR)) == len(refitted.roles.refit)


def test_an_ensemble_is_the_weighted_mean(refitted):
    members = tuple(finish.reopen(refitted, spec).predictor for spec in (NET, LINEAR))
    rows = refitted.table.rows.take(refitted.roles.test[:20])
    mixed = EnsemblePredictor(members, (0.25, 0.75)).predict(rows)
    assert mixed == pytest.approx(0.25 * members[0].predict(rows) + 0.75 * members[1].predict(rows))


def test_the_bundle_answers_like_the_tested_model(refitted, tmp_path):
    job = {
        "members": [NET.to_dict(), LINEAR.to_dict()], "weights": [0.5, 0.5], "seed": 0, "name": "both",
        "out_of_fold": "", "bundle": str(tmp_path / "bundle"), "recipe": {"trial": "x"}, "details": {},
    }  # fmt: skip
    event = finish.finish(refitted, job, None)
    bundle = load(tmp_path / "bundle")
    rows = refitted.roles.test
    answer = bundle.predict(refitted.table.rows.take(rows))
    right = (answer.argmax(axis=1) == refitted.table.target[rows]).mean()
    assert event["evaluation"]["measurements"]["accuracy"]["value"] == pytest.approx(right)
    assert event["calibration"]["n"] > 0
    assert bundle.card["calibrator"] == event["calibration"]["calibrator"]
    assert event["served"]["latency_1_ms"] > 0


def test_only_the_winner_is_looked_into_and_in_a_part_of_the_time(refitted):
    job = {"members": [LINEAR.to_dict()], "weights": [1.0], "seed": 0, "out_of_fold": ""}
    looked = finish.finish(refitted, {**job, "name": "winner"}, None)["insight"]
    assert looked["influence"]
    assert looked["mistakes"]["confusion"]
    assert looked["left_out"] == []
    hurried = finish.finish(refitted, {**job, "name": "winner", "seconds": 0.0}, None)["insight"]
    assert hurried["mistakes"]["confusion"]
    assert hurried["left_out"] == [{"what": "importance of columns", "why": "no time left"}]
    assert finish.finish(refitted, {**job, "name": "simple"}, None)["insight"] is None


def test_pace_measures_a_step(refitted):
    event = finish.pace(refitted, {"spec": NET.to_dict()}, None)
    assert 0 < event["step_seconds"] < 1


def test_audit_runs_within_its_share(refitted):
    findings = finish.audit(refitted, {"seed": 0, "seconds": 3.0}, None)["findings"]
    assert {"duplicates", "leaks"} <= {f["check"] for f in findings}
    assert np.isfinite([f["cost_seconds"] for f in findings]).all()


def test_costs_reach_the_test_and_the_bundle_and_leave_the_probabilities(refitted, tmp_path):
    job = {
        "members": [LINEAR.to_dict()], "weights": [1.0], "seed": 0, "name": "dear", "out_of_fold": "",
        "recipe": {"trial": "x"}, "details": {},
    }  # fmt: skip
    names = refitted.schema.target.classes
    dear = {**job, "costs": [[names[1], names[0], 30.0]], "bundle": str(tmp_path / "dear")}
    event = finish.finish(refitted, dear, None)
    finish.finish(refitted, {**job, "bundle": str(tmp_path / "plain")}, None)
    careful, plain = load(tmp_path / "dear"), load(tmp_path / "plain")
    rows = refitted.table.rows.take(refitted.roles.test)
    chances = careful.predict(rows)
    assert chances.tobytes() == plain.predict(rows).tobytes()
    assert plain.decision is None
    assert careful.decision.n == len(refitted.roles.calibration)
    answers, truth = careful.answers(chances), refitted.table.target[refitted.roles.test]
    assert (answers == 1).sum() > (chances.argmax(axis=1) == 1).sum()
    told = event["evaluation"]
    paid = careful.decision.costs.of_rows(truth, answers).mean()
    assert (
        told["measurements"]["expected_cost"]["value"] == pytest.approx(paid) == told["decision"]["expected"]["value"]
    )
    assert told["measurements"]["accuracy"]["value"] == pytest.approx((answers == truth).mean())


def test_the_bundle_knows_its_rows_and_its_record(refitted, tmp_path):
    job = {
        "members": [LINEAR.to_dict()], "weights": [1.0], "seed": 0, "name": "winner", "out_of_fold": "",
        "bundle": str(tmp_path / "bundle"), "recipe": {"trial": "x"}, "details": {},
    }  # fmt: skip
    event = finish.finish(refitted, job, None)
    subject, table, roles = open_bundle(tmp_path / "bundle"), refitted.table, refitted.roles
    seen = subject.training.seen(table.rows, table.schema, table.target)
    assert seen.tested[roles.test].all()
    assert seen.learned[roles.refit].all()
    assert seen.learned[roles.calibration].all()
    assert not seen.learned[roles.test].any()
    own = own_rows_of(load(tmp_path / "bundle"), table)
    assert len(own.unseen) == len(roles.test)
    figures = event["evaluation"]["measurements"]
    assert subject.record["accuracy"].value == figures["accuracy"]["value"]
    assert set(subject.record) == set(figures)


def test_marks_can_be_left_out(refitted, tmp_path):
    job = {
        "members": [LINEAR.to_dict()], "weights": [1.0], "seed": 0, "name": "winner", "out_of_fold": "",
        "bundle": str(tmp_path / "bundle"), "recipe": {"trial": "x"}, "details": {}, "marks": False,
    }  # fmt: skip
    finish.finish(refitted, job, None)
    assert not (tmp_path / "bundle" / "training_rows.npz").exists()
    assert "--no-marks" in open_bundle(tmp_path / "bundle").why_not("training_rows")


def test_marks_of_another_model_cannot_be_matched(refitted):
    first, again, other = (finish._marks(refitted, name) for name in ("a", "a", "b"))
    assert np.array_equal(first.learned, again.learned)
    assert not np.isin(first.learned, other.learned).any()
