from types import SimpleNamespace

import pytest

from temperance.cli.vetting import (
    Asked,
    check_out,
    given,
    judged,
    make_folder,
    named,
    propose_rules,
    seconds_of,
    settings_of,
    with_scale,
    write_results,
)
from temperance.data.choices import choose
from temperance.evaluation.requirements import parse
from temperance.evaluation.vetting import vet
from temperance.records.errors import BudgetError, DataError, SettingError

ALL = choose(())


def test_a_bundle_with_its_rows(classes) -> None:
    with given([str(classes.folder)], Asked(str(classes.table), ALL, group="colour")) as (one,):
        assert set(one.labels) == {"red", "green"}
        assert one.places.tolist() == list(range(240))
        assert any("they are told apart as domains" in note for note in one.notes)
        assert one.reading.table.group is None
        assert with_scale(one.subject) is one.subject
        done = vet(one.subject, one.reading.table)
    (met,) = judged(done, parse("accuracy>=0.5"), "interval")
    assert met.met
    (absent,) = judged(done, parse("conformal_coverage/lac>=0.5"), "interval")
    assert not absent.met


def test_options_that_do_not_fit_are_named(classes, values) -> None:
    for asked, said in (
        (Asked(str(classes.table), ALL, target="size"), "the model predicts 'answer'"),
        (Asked(str(classes.table), ALL, group="nothing"), "no column 'nothing'"),
    ):
        with pytest.raises((DataError, SettingError), match=said), given([str(classes.folder)], asked):
            pass
    with given([str(values.folder)], Asked(str(values.table), ALL)) as (one,):
        with pytest.raises(SettingError, match="--cost"):
            settings_of(["a->b=2"], one.subject)
        assert settings_of(None, one.subject) == {}
        assert one.labels is None


def test_rules_are_written_corrected_and_read(classes, tmp_path) -> None:
    path = tmp_path / "rules.toml"
    with given([str(classes.folder)], Asked(str(classes.table), ALL)) as (one,):
        assert propose_rules(one.reading.table, path) == str(path)
        with pytest.raises(DataError, match="exists"):
            propose_rules(one.reading.table, path)
        with pytest.raises(DataError, match="could not be written"):
            propose_rules(one.reading.table, tmp_path / "no" / "rules.toml")
        rules = settings_of(None, one.subject, path)["adversarial"]["rules"]
    assert set(rules.columns) == {"size", "weight", "colour"}
    assert rules.columns["size"].change == "free"


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("1.5m", 90), ("1h", 3600), ("5", 5), (None, None)])
def test_budgets(text, seconds) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "fast", "0s", "12trials", "-3s"])
def test_other_budgets_are_refused(text) -> None:
    with pytest.raises(BudgetError, match="budget of"):
        seconds_of(text)


def test_results_are_written_or_the_folder_is_named(tmp_path) -> None:
    paths = write_results(tmp_path / "new" / "out", "gate", {"met": True}, "# page\n")
    assert sorted(p.name for p in (tmp_path / "new" / "out").iterdir()) == ["gate.json", "gate.md"]
    assert set(paths) == {"page", "gate"}
    (tmp_path / "file").write_text("x")
    check_out(tmp_path / "new")
    check_out(None)
    with pytest.raises(DataError, match="is a file"):
        check_out(tmp_path / "file")
    with pytest.raises(DataError, match="--out"):
        make_folder(tmp_path / "file")


def test_a_file_is_known_by_what_it_holds(classes, tmp_path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("prediction\nno\n")
    subject = SimpleNamespace(version="", place=str(path))
    before = named(subject)
    assert before.startswith("p.csv ")
    path.write_text("prediction\nyes\n")
    assert named(subject) != before
    assert named(SimpleNamespace(version="", place="mine:model")) == "mine:model"
    assert named(SimpleNamespace(version="abc", place=str(path))) == "abc"
