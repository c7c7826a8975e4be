"""Subjects and cases made from the room's small tables."""

from types import SimpleNamespace

import numpy as np
import pytest

from temperance.evaluation.aspects.base import Case, Subject
from temperance.evaluation.base import outcome
from temperance.records.row_marks import Known, row_marks


def subject_of(table, model, **changes):
    return Subject(model, name="formula", **changes)


def case_of(pair, tier="quick", **changes):
    table, model = pair
    index = np.arange(len(table))
    return Case(subject_of(table, model), table, index, tier, **changes)


def of_predictions(pair, **changes):
    """Return the same model as a file of answers."""
    table, model = pair
    seen = outcome(model.predict(table.rows), target=table.target, spec=table.schema.target)
    return Subject(model, kind="predictions", observed=seen, **changes)


def knowing(pair, learned, tested=()):
    """Return a subject that holds the marks of some rows."""
    table, model = pair
    parts = [np.asarray(part, dtype=np.int64) for part in (learned, tested)]
    known = [Known(table.rows.take(part), table.target[part]) for part in parts]
    marks = row_marks(table.schema, learned=known[0], tested=known[1], salt=b"x" * 16)
    return Subject(model, name="formula", training=marks)


@pytest.fixture
def make():
    return SimpleNamespace(case=case_of, subject=subject_of, predictions=of_predictions, knowing=knowing)
