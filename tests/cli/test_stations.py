import json
import signal

import pytest

from temperance.cli.console import Console
from temperance.cli.guard import Interrupted
from temperance.cli.stations import Publisher, kept, publish, read_study, run_study, study_folder, write_cards
from temperance.deployment import load
from temperance.records.errors import BundleError, DataError, StudyError, TaskError
from temperance.testing.study_example import study_example

QUIET = Console(quiet=True)


def write_study(folder) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "study.json").write_text(json.dumps(study_example()))


def test_a_new_folder_is_named_after_the_data(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert str(study_folder(None, "sklearn:iris")) == "temperance-iris"
    (tmp_path / "temperance-my-data").mkdir()
    assert str(study_folder(None, "some/where/my data.csv")) == "temperance-my-data-2"


@pytest.mark.parametrize("trace", ["study.json", "ledger.jsonl"])
def test_a_study_is_never_written_over(tmp_path, trace: str) -> None:
    (tmp_path / trace).write_text("{}")
    with pytest.raises(StudyError, match="--resume"):
        study_folder(tmp_path, "x")


def test_a_file_is_no_folder(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match="is a file"):
        study_folder(tmp_path / "file", "x")


def test_the_parts_are_joined(tmp_path) -> None:
    def action(_, then) -> None:
        write_study(tmp_path / "s")
        then(tmp_path / "s")

    document = run_study(action, tmp_path / "s", console=QUIET)
    names = {path.name for path in (tmp_path / "s").iterdir()}
    papers = {"model_card.md", "dataset_card.md", "croissant.json", "annex_iv.md"}
    assert names == {"study.json", "report.html", *papers}
    assert json.loads((tmp_path / "s" / "study.json").read_text()) == document
    assert document["budget"]["spent"]["publishing"] > 0


def test_a_report_that_was_prepared_compiles_no_template(tmp_path, monkeypatch) -> None:
    Publisher().prepare()
    monkeypatch.setattr("jinja2.environment.Environment.compile", lambda *_, **__: pytest.fail("compiled"))
    write_study(tmp_path / "s")
    Publisher("de")(tmp_path / "s")
    assert (tmp_path / "s" / "report.html").exists()


def test_bad_data_leave_no_folder_behind(tmp_path) -> None:
    folder = tmp_path / "s"

    def action(_, then) -> None:
        (folder / "work").mkdir(parents=True)
        (folder / "ledger.jsonl").write_text('{"event": "study"}\n')
        raise DataError("no such column")

    with pytest.raises(DataError):
        run_study(action, folder, console=QUIET)
    assert not folder.exists()


def test_a_stop_in_the_first_seconds_leaves_nothing_in_the_way(tmp_path) -> None:
    folder = tmp_path / "s"

    def action(_, then) -> None:
        (folder / "work").mkdir(parents=True)
        (folder / "ledger.jsonl").write_text('{"event": "study"}\n{"event": "failed"}\n')
        (folder / "lock").write_text("")
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="Nothing was written"):
        run_study(action, folder, console=QUIET)
    assert not folder.exists()


def test_a_folder_of_a_study_that_was_killed_at_once_can_be_used_again(tmp_path) -> None:
    (tmp_path / "ledger.jsonl").write_text('{"event": "study"}\n')
    (tmp_path / "work").mkdir()
    (tmp_path / "mine.txt").write_text("kept")
    assert study_folder(tmp_path, "x") == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_folder_of_a_running_study_is_left_alone(tmp_path) -> None:
    from temperance.study.lock import FolderLock

    (tmp_path / "ledger.jsonl").write_text('{"event": "study"}\n')
    held = FolderLock(tmp_path)
    with pytest.raises(StudyError, match="holds a study"):
        study_folder(tmp_path, "x")
    held.release()


def started(folder, *rows, fault):
    """Return an action that reads its data, tells these events and fails."""

    def action(_, then) -> None:
        (folder / "work").mkdir(parents=True)
        (folder / "work" / "data.json").write_text("{}")
        (folder / "ledger.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ({"event": "study"}, *rows)))
        raise fault

    return action


DONE = {"event": "trial", "spec": {"id": "t0", "model": "Linear"}, "result": {"status": "done"}}


def test_what_was_trained_is_never_taken_away(tmp_path) -> None:
    for name, fault in (("full", DataError("the disk is full")), ("limits", StudyError("no trial is within"))):
        folder = tmp_path / name
        with pytest.raises(type(fault)):
            run_study(started(folder, DONE, fault=fault), folder, console=QUIET)
        assert (folder / "work" / "data.json").exists()
        with pytest.raises(StudyError, match="--resume"):
            study_folder(folder, "x")


def test_a_start_that_fails_after_its_data_were_read_leaves_nothing_in_the_way(tmp_path) -> None:
    folder, failed = tmp_path / "s", {**DONE, "result": {"status": "failed"}}
    with pytest.raises(TaskError):
        run_study(started(folder, failed, fault=TaskError("a candidate fails")), folder, console=QUIET)
    assert not folder.exists()


def test_one_that_is_stopped_then_can_go_on_or_begin_anew(tmp_path) -> None:
    folder = tmp_path / "s"
    with pytest.raises(Interrupted, match="--resume"):
        run_study(started(folder, {"event": "data"}, fault=KeyboardInterrupt()), folder, console=QUIET)
    assert (folder / "work" / "data.json").exists()
    assert study_folder(folder, "x") == folder
    assert not folder.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_says_how_to_go_on(tmp_path, number: int) -> None:
    folder = tmp_path / "my study"

    def action(_, then) -> None:
        folder.mkdir()
        rows = [
            {"event": "trial", "spec": {"id": f"t{i}"}, "result": {"status": s}}
            for i, s in enumerate(["done", "failed"])
        ]
        (folder / "ledger.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        signal.raise_signal(number)  # os.kill may reach another thread of the test process, and this one waits for ever

    with pytest.raises(Interrupted, match=r"1 finished trial is kept .*--resume '.*my study'"):
        run_study(action, folder, console=QUIET)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_kept_counts_each_trial_once(tmp_path) -> None:
    row = {"event": "trial", "spec": {"id": "t000"}, "result": {"status": "done"}}
    (tmp_path / "ledger.jsonl").write_text((json.dumps(row) + "\n") * 2)
    assert kept(tmp_path).startswith("Stopped. 1 finished trial is kept")
    assert "Nothing was written" in kept(tmp_path / "nowhere")


def test_the_cards_go_into_the_bundle_and_it_stays_whole(tmp_path, classes) -> None:
    import shutil

    write_study(tmp_path)
    shutil.copytree(classes.folder, tmp_path / "bundle")
    publish(tmp_path)
    assert load(tmp_path / "bundle").manifest["files"]["model_card.md"]["bytes"] > 500
    (tmp_path / "bundle" / "model_card.md").write_text("changed")
    with pytest.raises(BundleError, match="model_card"):
        load(tmp_path / "bundle")


def test_cards_that_the_owner_filled_in_can_be_kept(tmp_path) -> None:
    write_study(tmp_path)
    (tmp_path / "model_card.md").write_text("filled in")
    written = write_cards(tmp_path, read_study(tmp_path), keep=True)
    assert [path.name for path in written] == ["dataset_card.md", "croissant.json", "annex_iv.md"]
    assert (tmp_path / "model_card.md").read_text() == "filled in"
