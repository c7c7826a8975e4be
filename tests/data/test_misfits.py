from temperance.data.misfits import Misfit, merged


def test_misfits_of_parts_are_those_of_the_whole() -> None:
    words = "numbers (like 1234.5)"
    parts = [
        Misfit("x", "words", 2, words, ("b", "d")), Misfit("x", "infinite", 1), Misfit("k", "unknown", 4),
        Misfit("x", "words", 1200, words, ("a", "c")), Misfit("k", "unknown", 1),
    ]  # fmt: skip
    assert [one.sentence for one in merged(parts)] == [
        "Column 'x' holds 1,202 words where numbers (like 1234.5) belong ('a', 'b', 'c'): read as missing.",
        "Column 'x' holds 1 infinite values: read as missing.",
        "Column 'k' holds 5 values of unknown categories.",
    ]
    assert merged([]) == []
