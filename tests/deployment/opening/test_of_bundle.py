import pytest

from temperance.deployment import load
from temperance.deployment.basic import basic_part
from temperance.deployment.opening.of_bundle import open_bundle, training_rows
from temperance.deployment.write import TRAINING_ROWS, Extras, write_bundle
from temperance.records.errors import TemperanceError
from temperance.records.row_marks import Known, row_marks


@pytest.fixture
def marked(linear, binary, tmp_path):
    learned = Known(linear.rows.take(slice(0, 300)), linear.target[:300])
    marks = row_marks(binary, learned=learned, tested=None, salt=b"0123456789")
    part = basic_part(linear.fitted, binary)
    write_bundle(
        tmp_path / "b", part=part, schema=binary, predictor=linear, rows=linear.rows, extras=Extras(marks=marks)
    )
    return tmp_path / "b"


def test_a_bundle_knows_its_rows(marked, linear, binary) -> None:
    subject = open_bundle(marked)
    assert subject.kind == "bundle"
    assert subject.version == load(marked).version
    seen = subject.training.seen(linear.rows, binary, linear.target)
    assert seen.learned.tolist() == [True] * 300 + [False] * 100
    assert subject.why_not("training_rows") == ""


def test_an_older_bundle_says_that_it_cannot_know(shipped) -> None:
    assert training_rows(load(shipped)) is None
    assert "holds no marks of its rows" in open_bundle(shipped).why_not("training_rows")
    assert open_bundle(shipped).record == {}


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 cut", b"no archive"])
def test_damaged_marks_with_a_matching_manifest_end_in_the_packages_own_error(marked, change, data) -> None:
    (marked / TRAINING_ROWS).write_bytes(data)
    change(marked, TRAINING_ROWS)
    with pytest.raises(TemperanceError):
        open_bundle(marked)


def test_groups_of_the_study_are_told_since_marks_know_single_rows(linear, binary, tmp_path) -> None:
    part = basic_part(linear.fitted, binary)
    for name, details in (("plain", {}), ("grouped", {"group": "who"})):
        write_bundle(
            tmp_path / name,
            part=part,
            schema=binary,
            predictor=linear,
            rows=linear.rows,
            extras=Extras(details=details),
        )
    assert open_bundle(tmp_path / "plain").notes == ()
    (said,) = open_bundle(tmp_path / "grouped").notes
    assert "all rows of one 'who' together" in said
