from __future__ import annotations

from temperance.records.finding import STATES, Finding
from temperance.testing.findings_example import findings_example


def test_all_four_states_and_unique_names() -> None:
    made = findings_example(24)
    assert {finding["state"] for finding in made} == set(STATES)
    assert len({finding["id"] for finding in made}) == 24
    assert [Finding.from_dict(finding).to_dict() for finding in made] == made
