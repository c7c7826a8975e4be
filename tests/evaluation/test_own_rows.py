import numpy as np
import pytest
from tests.evaluation.aspects.conftest import knowing, subject_of

from temperance.evaluation.own_rows import of_marks, own_rows
from temperance.records.schema import Rows, Schema
from temperance.records.table import Table


@pytest.mark.parametrize(("learned", "tested", "said"), [
    (range(1000), (), "All 1,000 rows are rows that the model learned from"),
    (range(300), (), "300 of 1,000 rows are rows that the model learned from"),
    (range(980), (), "20 rows are too few"),
    ((), range(50), "50 of 1,000 rows are its own test rows"),
    ((), (), "None of the 1,000 rows"),
])  # fmt: skip
def test_what_is_said(binary, learned, tested, said) -> None:
    own = own_rows(knowing(binary, list(learned), list(tested)), binary[0])
    assert own.known
    assert own.learned.sum() == len(learned)
    assert own.tested.sum() == len(tested)
    assert any(said in text for text in own.sentences()), own.sentences()
    assert own.all_learned == (len(learned) == 1000)
    assert len(own.unseen) == (1000 if own.all_learned else 1000 - len(learned))
    assert own.to_dict()["learned"] == len(learned)


def test_a_model_without_marks_says_that_it_cannot_know(binary) -> None:
    table, model = binary
    own = own_rows(subject_of(table, model), table)
    assert not own.known
    assert "is not known" in own.sentences()[0]
    assert len(own.unseen) == 1000


def test_rows_without_a_column_of_the_training_are_not_called_new(binary) -> None:
    table, _ = binary
    subject = knowing(binary, list(range(100)))
    schema = Schema(table.schema.columns[1:], table.schema.target)
    fewer = Table(schema, Rows(table.rows.numeric[:, 1:], table.rows.categorical), table.target)
    own = of_marks(subject.training, fewer)
    assert not own.known
    assert "no column 'x0'" in own.why


def test_copies_among_the_training_rows_are_told(binary) -> None:
    twice = np.concatenate([np.arange(100), np.arange(100)])
    own = own_rows(knowing(binary, twice), binary[0])
    assert own.repeated == pytest.approx(0.5)
    assert any("50 of 100 are copies" in text for text in own.sentences())
