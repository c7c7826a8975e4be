def test_an_option_of_one_value_is_not_given_twice(temperance) -> None:
    for second in (("--target", "b"), ("--target=b",)):
        done = temperance("audit", "iris", "--target", "a", *second)
        assert done.status == 2
        assert "--target was given twice" in done.err


def test_options_that_may_be_repeated_and_what_stands_behind_two_dashes_are_taken(temperance) -> None:
    done = temperance("audit", "iris", "--drop", "petal_width_cm", "--drop", "nothing here")
    assert "given twice" not in done.err
    assert "nothing here" in done.err
    assert "given twice" not in temperance("techniques", "--json", "--", "--seed", "--seed").err
