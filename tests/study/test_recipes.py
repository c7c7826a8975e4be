"""What a recipe says of itself."""

from temperance.study.recipes import citations, explain, text, toml

RECIPE = {"regularizers": [{"name": "Dropout", "p": 0.2}, {"name": "EMA", "decay": 0.9}]}


def test_texts_of_a_recipe():
    assert text(RECIPE) == "Recipe(Dropout(p=0.2), EMA(decay=0.9))"
    assert "Dropout" in explain(RECIPE)
    assert 'name = "Dropout"' in toml(RECIPE)
    assert any("Srivastava" in source for source in citations(RECIPE))


def test_a_basic_model_has_none():
    assert (text(None), explain(None), toml(None), citations(None)) == ("", "", "", [])
