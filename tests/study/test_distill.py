"""Students: what they are told, and that they learn it."""

import numpy as np
import pytest

from temperance.data import Preprocess
from temperance.models.basic import BASIC
from temperance.study.distill import INNER_FOLDS, LABEL_SHARE, inner_folds, lessons, taught
from temperance.study.spec import TrialSpec

TEACHER = TrialSpec("t1", "forest", "basic", "ExtraTrees", settings={"trees": 10, "least_rows": [3]}, seed=2)
NONE = np.empty(0, dtype=np.int64)


def test_each_answer_is_from_a_teacher_that_did_not_see_the_row(runner):
    rows = runner.roles.folds[0][0]
    sample = runner.sample(rows)
    answers = taught(sample, TEACHER, schema=runner.schema)
    (inner, held), *_ = inner_folds(sample.target, "binary", seed=2)
    first = BASIC["ExtraTrees"](**TEACHER.settings)
    alone = first.fit(sample.rows.take(inner), sample.target[inner], schema=runner.schema, valid=None, seed=2)
    np.testing.assert_allclose(answers[held], alone.predict(sample.rows.take(held)))


def test_lessons_mix_labels_and_answers(runner):
    rows = runner.roles.folds[0][0]
    sample = runner.sample(rows)
    told = lessons(sample, TEACHER, schema=runner.schema, preprocess=Preprocess.fit(runner.table, rows)).numpy()
    answers = taught(sample, TEACHER, schema=runner.schema)
    expected = LABEL_SHARE * np.eye(2)[sample.target] + (1 - LABEL_SHARE) * answers
    np.testing.assert_allclose(told, expected, atol=1e-6)
    np.testing.assert_allclose(told.sum(axis=1), 1, atol=1e-6)


def test_a_student_comes_near_its_teacher_and_is_a_net_that_can_be_refitted(runner):
    rows, held = runner.roles.folds[0]
    spec = TrialSpec(
        "s", "student", "single", "Tabular", {"regularizers": []}, {"epochs": 12.0, "batch_size": 32, "lr": 0.02},
        architecture={"members": 4}, teacher=TEACHER.to_dict(),
    )  # fmt: skip
    fitted = runner.fit(spec, rows, NONE, measure=False)
    answer = fitted.predictor.predict(runner.table.rows.take(held))
    again = runner.fit(spec, rows, NONE, measure=False).predictor.predict(runner.table.rows.take(held))
    assert answer.tobytes() == again.tobytes()
    truth = runner.table.target[held]
    assert (answer.argmax(axis=1) == truth).mean() > 0.65


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_inner_folds_hold_each_row_out_once(task):
    target = np.arange(20) % 4 if task == "multiclass" else np.linspace(0, 1, 20)
    folds = inner_folds(target, task, seed=0)
    assert len(folds) == INNER_FOLDS
    assert sorted(np.concatenate([held for _, held in folds]).tolist()) == list(range(20))
    rare = inner_folds(np.array([0] * 19 + [1]), "binary", seed=0)
    assert sorted(np.concatenate([held for _, held in rare]).tolist()) == list(range(20))
