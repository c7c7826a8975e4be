"""The statement names data, command, seed, packages and files; its check finds every kind of change."""

import copy
import json

import pytest

from temperance.governance.provenance import PREDICATE, STATEMENT, Provenance, check, read

FILES = {"model.onnx": "cd" * 32, "bundle.json": "ef" * 32}
DATA = "ab" * 32


@pytest.fixture
def statement(study):
    return read(Provenance({**FILES, "manifest.json": "00" * 32, "provenance.json": "11" * 32}).render(study))


def states(*args, **kwargs):
    return {c.name: c.state for c in check(*args, **kwargs)}


def test_it_says_what_was_made_from_what(statement, study) -> None:
    assert statement["_type"] == STATEMENT
    assert statement["predicateType"] == PREDICATE
    assert [s["name"] for s in statement["subject"]] == ["bundle.json", "model.onnx"]
    definition = statement["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["command"] == study["command"]
    assert definition["externalParameters"]["seed"] == 0
    assert definition["internalParameters"]["recipe"] == "Recipe(Dropout(0.1))"
    assert definition["resolvedDependencies"][0]["digest"] == {"sha256": DATA}
    assert {"name": "torch", "uri": "pkg:pypi/torch@2.13.0"} in definition["resolvedDependencies"]


def test_an_unchanged_bundle_holds(statement) -> None:
    assert states(statement, {**FILES, "manifest.json": "x"}, data=DATA) == {"files": "holds", "data": "holds"}


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ({**FILES, "model.onnx": "00" * 32}, "changed since: model.onnx"),
        ({"bundle.json": "ef" * 32}, "missing: model.onnx"),
        ({**FILES, "more.bin": "00" * 32}, "not named by it: more.bin"),
    ],
)
def test_each_change_of_the_files_is_named(statement, files, word) -> None:
    (found, _) = check(statement, files, data=DATA)
    assert found.state == "fails"
    assert word in found.words


def test_other_data_fail_and_unknown_data_are_not_checked(statement) -> None:
    assert states(statement, FILES, data="12" * 32)["data"] == "fails"
    assert states(statement, FILES)["data"] == "not checked"


@pytest.mark.parametrize(
    "broken", [None, [], {}, {"_type": STATEMENT}, {"_type": STATEMENT, "predicateType": PREDICATE}]
)
def test_what_is_no_statement_fails(broken) -> None:
    assert states(broken, FILES) == {"provenance": "fails"}


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s["subject"].append(s["subject"][0]),
        lambda s: s["subject"][0].pop("digest"),
        lambda s: s["subject"].append("text"),
        lambda s: s.update(predicate=None),
        lambda s: s["predicate"]["buildDefinition"].update(resolvedDependencies=["x"]),
    ],
)
def test_a_statement_that_is_not_whole_fails_without_a_crash(statement, change) -> None:
    broken = copy.deepcopy(statement)
    change(broken)
    assert states(broken, FILES, data=DATA) == {"provenance": "fails"}


def test_a_text_that_is_no_json_is_nothing() -> None:
    assert read("{") is None
    assert read(json.dumps({"a": 1})) == {"a": 1}
