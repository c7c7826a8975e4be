"""The card of a model that was trained anew."""

from temperance.governance.renewal_card import RenewalCard

DOCUMENT = {
    "created": "2026-12-01T00:00:00Z", "sentence": "The new model is better.", "why": "p = 0.001.",
    "champion": {"version": "abc", "measurements": {"accuracy": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 90}}},
    "challenger": {"version": "def", "notes": ["Short."],
                   "measurements": {"accuracy": {"value": 0.75, "low": 0.7, "high": 0.8, "n": 90}}},
    "data": {"name": "new|rows.csv", "sha256": "0f0f", "target": "an_swer", "task": "binary", "rows": 300},
    "roles": {"counts": {"train": 210, "test": 90}}, "limits": ["Few rows."],
    "changes": [{"column": "city", "what": "It has 2 new values."}],
}  # fmt: skip


def test_both_models_stand_side_by_side_and_the_old_card_below():
    card = RenewalCard("---\nlibrary_name: x\n---\n\n# Model card: old\n\n## How good it is\n\n0.99").render(DOCUMENT)
    above, below = card.split("## The card of the model before")
    assert "| accuracy | 0.750 (0.700 to 0.800, n = 90) | 0.500 (0.400 to 0.600, n = 90) |" in above
    assert "an\\_swer, trained anew" in above
    assert "- city: It has 2 new values." in above
    assert "- Few rows." in above
    assert "0.99" not in above
    assert "#### How good it is" in below
    assert "library_name" not in below


def test_without_a_card_before_there_is_no_such_section():
    assert "The card of the model before" not in RenewalCard().render(DOCUMENT)
