"""Made-up findings of all four states, for tests of whatever reads them."""

from __future__ import annotations

from typing import Any

from temperance.records.finding import Finding

CHECKS = (
    ("duplicates", "fix_before_use", "{k} test rows are also in the training rows."),
    ("target_leak", "look_at_this", "The column `last_contact` nearly gives the answer away."),
    ("group_leak", "no_problem_found", "No group of rows is split between training and test."),
    ("label_errors", "look_at_this", "{k} rows probably carry a wrong label."),
    ("imbalance", "no_problem_found", "The rarest class has {k} rows, enough to learn from."),
    ("missingness", "look_at_this", "Rows without `age` have another target more often."),
    ("identifiers", "no_problem_found", "No column looks like a row number."),
    ("personal_data", "not_tested", "Names and addresses were not searched for."),
)


def findings_example(count: int) -> list[dict[str, Any]]:
    """Return made-up findings of all four states."""
    return [_finding(i) for i in range(count)]


def _finding(i: int) -> dict[str, Any]:
    check, state, title = CHECKS[i % len(CHECKS)]
    k = 3 + (7 * i) % 40
    tested = state != "not_tested"
    return Finding(
        id=f"{check}:{i}",
        check=check,
        state=state,  # type: ignore[arg-type]
        title=title.format(k=k),
        why="The figures would look better than the model is." if tested else "This check needs a text search.",
        evidence={"n": 2000, "k": k, "columns": ["age"], "rows": [4, 17, 90]} if tested else {},
        effect={"metric": "accuracy", "before": 0.94, "after": 0.93, "low": 0.91, "high": 0.95} if i == 0 else {},
        confidence={
            "self_test": "It found 19 of 20 planted copies and raised no false alarm.",
            "planted": 20,
            "found": 19,
            "false_alarms": 0,
        }
        if tested
        else {},
        action=("Remove the copies from the test rows.", "Run the study again.")
        if state == "fix_before_use"
        else ("Ask the owner of the data.",)
        if state == "look_at_this"
        else (),
        cannot_see="Copies whose values were all changed.",
        cost_seconds=0.4,
        references=("Northcutt et al. (2021)",),
    ).to_dict()
