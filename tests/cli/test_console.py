from temperance.cli.console import Console, table


def test_one_of_words_json_and_nothing(capsys) -> None:
    Console().result({"a": 1}, "words")
    Console(as_json=True).result({"a": 1}, "words")
    Console(as_json=True, quiet=True).result({"a": 2}, "words")
    Console(quiet=True).result({"a": 1}, "words")
    assert capsys.readouterr().out == 'words\n{"a": 1}\n{"a": 2}\n'


def test_notes_go_to_standard_error_and_warnings_always(capsys) -> None:
    Console(quiet=True).note("by the way")
    Console().note("seen")
    Console(quiet=True).warn("important")
    assert capsys.readouterr() == ("", "seen\nimportant\n")


def test_columns_are_aligned() -> None:
    assert table([("a", "one"), ("long", "two")]) == "  a     one\n  long  two"
    assert table([]) == ""
