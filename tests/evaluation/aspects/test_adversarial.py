import numpy as np
import pytest

from temperance.evaluation.aspects.adversarial import Adversarial
from temperance.evaluation.aspects.base import Case, Subject
from temperance.records.schema import Column, Rows, Schema, Target
from temperance.records.table import Table


def test_numbers_texts_and_predictions_say_why_not(regression, binary):
    table, model = regression
    found = Adversarial().measure(Case(Subject(model), table, np.arange(50)))
    assert found.not_done == ((Adversarial.title, "attacks are built for classes, not for numbers"),)
    schema = Schema((Column("c", "series", "c"),), Target("y", "binary", ("a", "b")))
    empty = np.zeros((4, 0))
    waves = Table(
        schema, Rows(empty, empty.astype(np.int32), None, None, np.zeros((4, 1, 9), np.float32)), np.zeros(4, np.int64)
    )
    found = Adversarial().measure(Case(Subject(model.__class__(schema, None)), waves, np.arange(4)))
    assert "series are not attacked" in found.not_done[0][1]
    table, model = binary
    found = Adversarial().measure(Case(Subject(model, "predictions"), table, np.arange(50)))
    assert "not possible from predictions" in found.not_done[0][1]


@pytest.mark.parametrize(
    ("name", "mine"),
    [
        ("robust@0.1", True),
        ("robust_l2@0.5", True),
        ("robust_columns@1", True),
        ("robust_words@2", True),
        ("robustness", False),
        ("accuracy", False),
    ],
)
def test_required_figures(name, mine):
    assert Adversarial().claims(name) is mine
