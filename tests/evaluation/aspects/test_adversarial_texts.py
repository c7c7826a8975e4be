import json

import numpy as np

from temperance.evaluation.aspects.adversarial import Adversarial
from temperance.evaluation.aspects.base import Case, Subject
from temperance.records.schema import Column, Rows, Schema, Target
from temperance.records.table import Table


class Reader:
    """Looks for three words of praise, and a little at a number."""

    def __init__(self, schema):
        self.schema = schema

    def predict(self, rows):
        praise = np.array([sum(w in ("great", "lovely", "fine") for w in t[0].split()) for t in rows.text])
        z = praise - 0.5 + (0.1 * np.nan_to_num(rows.numeric[:, 0]) if rows.numeric.shape[1] else 0.0)
        p = 1 / (1 + np.exp(-4 * z))
        return np.stack([1 - p, p], axis=1)


def reviews(numeric=False):
    g = np.random.default_rng(0)
    y = np.arange(80) % 2
    text = np.array(
        [[f"the room was {g.choice(['great', 'lovely']) if k else 'poor'} and near"] for k in y], dtype=object
    )
    columns = (Column("stars", "numeric", "stars"),) if numeric else ()
    schema = Schema((*columns, Column("note", "text", "note")), Target("y", "binary", ("bad", "good")))
    x = g.normal(size=(80, 1)) if numeric else np.zeros((80, 0))
    return Table(schema, Rows(x, np.zeros((80, 0), np.int32), None, text), y), Subject(Reader(schema))


def test_slips_in_one_word():
    table, subject = reviews()
    found = Adversarial().measure(
        Case(subject, table, np.arange(80), settings={"adversarial": {"synonyms": {"poor": ["fine"]}}})
    )
    assert [m.name for m in found.measurements] == ["robust_words@1"]
    assert found["robust_words@1"].value == 0.0  # a slip breaks praise, the user's word breaks the others
    assert found["robust_words@1"].n == 60
    assert "changes the answer" in found.sentences[1]
    json.dumps(found.to_dict(), allow_nan=False)


def test_numbers_and_texts_side_by_side():
    table, subject = reviews(numeric=True)
    found = Adversarial().measure(Case(subject, table, np.arange(80)))
    names = {m.name for m in found.measurements}
    assert {"robust@0.1", "robust_words@1"} <= names
    assert len(found.examples["robust_words@1"]) == len(found.index) == 80
    assert (found.examples["robust_words@1"] == -1).sum() == 20
