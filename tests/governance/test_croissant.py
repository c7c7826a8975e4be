"""croissant.json: what the specification asks for, nothing invented, and MLCommons' own reader finds no fault."""

import copy
import hashlib
import json

import pytest

from temperance.governance.croissant import CONFORMS, NOT_STATED, Croissant, describe


def test_what_is_known_is_filled_and_the_rest_is_not_stated(study) -> None:
    study["data"]["path"] = "/srv/someone/churn.csv"
    found = describe(study)
    assert found["conformsTo"] == CONFORMS
    assert found["license"] == "https://spdx.org/licenses/CC-BY-4.0.html"
    assert found["rai:dataCollection"] == NOT_STATED
    assert "contact data" in found["rai:personalSensitiveInformation"]
    assert found["distribution"][0]["sha256"] == study["data"]["sha256"]
    assert "/srv" not in json.dumps(found)
    fields = found["recordSet"][0]["field"]
    assert [f["name"] for f in fields] == ["age", "city", "churned"]
    assert [f["dataType"] for f in fields] == ["sc:Float", "sc:Text", "sc:Text"]


def test_an_empty_study_is_described_without_guesses() -> None:
    found = describe({})
    assert found["license"] == NOT_STATED
    assert "distribution" not in found
    assert "recordSet" not in found


@pytest.mark.parametrize("path", ["in memory", "sklearn:digits", "book.xlsx", "folder", "a.csv.gz"])
def test_what_is_no_single_plain_table_has_no_file(study, path) -> None:
    study["data"]["path"] = path
    assert "distribution" not in describe(study)


def test_columns_made_of_several_rows_are_no_fields(study) -> None:
    study["data"]["path"] = "churn.csv"
    study["data"]["schema"]["forecast"] = {"horizon": 1}
    found = describe(study)
    assert found["distribution"]
    assert "recordSet" not in found


def test_a_licence_that_is_no_single_name_stays_as_written(study) -> None:
    study["data"]["licence"] = {"expression": "MIT AND ODbL-1.0", "source": "LICENSE"}
    assert describe(study)["license"] == "MIT AND ODbL-1.0"


@pytest.mark.parametrize("licence", ["CC-BY-4.0", None])
def test_mlcroissant_finds_no_fault_and_reads_the_rows(study, tmp_path, licence) -> None:
    mlcroissant = pytest.importorskip("mlcroissant", reason="pip install mlcroissant")
    text = "age,city,churned\n31,Bonn,no\n54,Kiel,yes\n"
    (tmp_path / "churn.csv").write_text(text)
    study = copy.deepcopy(study)
    study["data"] |= {"path": "churn.csv", "sha256": hashlib.sha256(text.encode()).hexdigest(), "licence": licence}
    place = Croissant().write(study, tmp_path)
    dataset = mlcroissant.Dataset(jsonld=str(place))
    assert not dataset.metadata.issues.errors
    rows = list(dataset.records("rows"))
    assert len(rows) == 2
    assert float(rows[0]["rows/0"]) == 31.0
    assert rows[1]["rows/1"] in (b"Kiel", "Kiel")
