import json

import pytest

from temperance.cli.catalogue import catalogue, describe, entry
from temperance.records.errors import SettingError
from temperance.regularizers import Dropout


def test_each_technique_has_what_other_tools_read() -> None:
    rows = catalogue()
    assert len(rows) >= 12
    for row in rows:
        assert {"name", "family", "stage", "strengths", "cost", "references"} <= set(row)
        assert row["stage"]
        assert row["references"], f"{row['name']} names no source"
        assert json.loads(json.dumps(row)) == row


def test_they_are_sorted_by_family_and_name() -> None:
    rows = catalogue()
    assert rows == sorted(rows, key=lambda row: (row["family"], row["name"]))


def test_one_by_name_however_it_is_written() -> None:
    assert entry("label_smoothing")["name"] == entry("LabelSmoothing")["name"] == "LabelSmoothing"
    assert describe(Dropout)["strengths"]["p"]["neutral"] == 0.0


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(SettingError, match="Dropout"):
        entry("Dropuot")
