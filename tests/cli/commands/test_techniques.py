def test_the_list_has_what_other_tools_read(temperance) -> None:
    rows = temperance("techniques", "--json").json
    assert {"Dropout", "MixUp", "SAM", "WeightDecay"} <= {row["name"] for row in rows}
    assert all({"name", "family", "stage", "strengths", "cost", "references"} <= set(row) for row in rows)


def test_one_technique_is_a_list_of_one(temperance) -> None:
    rows = temperance("techniques", "weight_decay", "--json").json
    assert [row["name"] for row in rows] == ["WeightDecay"]


def test_in_words(temperance) -> None:
    assert "averaging:\n  EMA" in temperance("techniques").out
    one = temperance("techniques", "Dropout").out
    assert "Strength dropout.p: 0 to 0.95" in one
    assert "Source: Srivastava" in one


def test_an_unknown_one_is_refused(temperance) -> None:
    done = temperance("techniques", "Dropuot")
    assert done.status == 2
    assert "Did you mean 'Dropout'?" in done.err
