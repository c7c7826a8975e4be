def test_the_list_has_what_other_tools_read(temperance) -> None:
    rows = temperance("presets", "--json").json
    assert {"finetune", "small-data", "noisy-labels", "gan", "lm"} <= {row["name"] for row in rows}
    assert all({"name", "words", "why", "asks", "techniques", "recipe", "toml", "evidence"} <= set(row) for row in rows)


def test_one_preset_is_a_list_of_one(temperance) -> None:
    (row,) = temperance("presets", "lm", "--json").json
    assert row["name"] == "lm"
    assert row["recipe"]["regularizers"]


def test_in_words(temperance) -> None:
    assert "More about one" in temperance("presets").out
    one = temperance("presets", "finetune").out
    assert "Recipe.preset('finetune', new=…)" in one
    assert "It asks for\n  new: " in one
    assert "[[regularizers]]" in one


def test_an_unknown_one_is_refused(temperance) -> None:
    done = temperance("presets", "finetun")
    assert done.status == 2
    assert "Did you mean 'finetune'?" in done.err
