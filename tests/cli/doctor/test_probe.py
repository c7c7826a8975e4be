from temperance.cli.doctor.probe import attempt


def test_what_works_tells_its_facts() -> None:
    tried = attempt("tell(a=1, words='ä'); print('noise'); tell(b=[2])")
    assert tried.worked
    assert tried.facts == {"a": 1, "words": "ä", "b": [2]}


def test_what_fails_gives_its_last_line_and_no_traceback() -> None:
    tried = attempt("tell(a=1)\nimport no_such_package")
    assert not tried.worked
    assert tried.why == "ModuleNotFoundError: No module named 'no_such_package'"
    assert tried.facts == {"a": 1}


def test_a_crash_of_compiled_code_is_a_sentence() -> None:
    tried = attempt("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert not tried.worked
    assert "ended by signal 11" in tried.why


def test_what_hangs_is_ended() -> None:
    tried = attempt("import time; time.sleep(60)", seconds=0.3)
    assert (tried.worked, tried.why) == (False, "it took longer than 0.3 seconds")


def test_a_silent_end_is_told_by_its_status() -> None:
    assert attempt("import sys; sys.exit(3)").why == "it ended with status 3 and no word"
