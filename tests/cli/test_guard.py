import json
import time

import pytest
import typer

from temperance.cli.guard import TRACEBACK, Interrupted, Started, fail, guarded, refuse
from temperance.records.errors import DataError


def run(fault: BaseException, **options: object) -> int:
    def command(as_json: bool = False) -> None:
        raise fault

    with pytest.raises(typer.Exit) as end:
        guarded(command)(**options)
    return end.value.exit_code


def test_an_error_of_the_package_has_three_parts_and_no_traceback(capsys) -> None:
    assert run(DataError("there is no 'x.csv'", "a file", "did you mean 'y.csv'?")) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "Error: There is no 'x.csv'.\n  Accepted: A file.\n  What to do: Did you mean 'y.csv'?\n"


def test_with_json_the_error_is_an_object_too(capsys) -> None:
    assert run(DataError("no rows", "rows", "add rows"), as_json=True) == 2
    row = json.loads(capsys.readouterr().out)["error"]
    assert (row["kind"], row["received"], row["accepted"], row["remedy"]) == (
        "DataError",
        "no rows",
        "rows",
        "add rows",
    )


def test_a_stop_says_what_was_kept(capsys) -> None:
    assert run(Interrupted("Stopped. 3 trials are kept.")) == 130
    assert capsys.readouterr().err == "Stopped. 3 trials are kept.\n"
    assert run(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "Stopped.\n"


def test_an_unexpected_failure_is_short_and_says_how_to_see_more(capsys, monkeypatch) -> None:
    monkeypatch.delenv(TRACEBACK, raising=False)
    assert run(ZeroDivisionError("division by zero")) == 1
    err = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in err
    assert f"{TRACEBACK}=1" in err
    assert "Traceback" not in err


def test_the_traceback_can_be_asked_for(capsys, monkeypatch) -> None:
    monkeypatch.setenv(TRACEBACK, "1")
    assert fail(ValueError("odd"), as_json=True) == 1
    assert refuse(DataError("odd data")) == 2
    out, err = capsys.readouterr()
    assert "ValueError: odd" in err
    assert json.loads(out)["error"]["kind"] == "ValueError"


def test_an_exit_goes_through() -> None:
    assert run(typer.Exit(7)) == 7


def test_a_budget_counts_from_the_start_of_the_process_or_of_the_call() -> None:
    assert Started(process=False, at=12.0).moment == 12.0
    assert 0 < time.monotonic() - Started(process=True).moment < 3600


@pytest.mark.parametrize(
    ("received", "said"),
    [("no such file", "No such file."), ("m1 has no study.json", "m1 has no study.json."), ("--seed -1", "--seed -1.")],
)
def test_a_sentence_begins_large_and_a_name_stays_as_it_is(received, said, capsys) -> None:
    assert run(DataError(received, "a folder")) == 2
    assert f"Error: {said}\n" in capsys.readouterr().err
