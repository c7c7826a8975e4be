"""Why adaptation began or ended, as a short word from a fixed list beside each sentence."""

from __future__ import annotations

PROVEN, PROVEN_SENT = (
    "labels prove that the experts are better",
    "labels prove that the experts are better, on rows that were sent too",
)
NO_GAIN = "labels prove harm, or no gain that is worth it"
SPENT = "what it may cost is spent"
NO_LABELS = "no label has come for too long"
UNLIKE = "answers are unlike those that labels are known for"
USUAL = "the inputs are as usual again"
BEYOND = "beyond all that is known"  # the names of the columns stand before it

WORDS = {
    PROVEN: "gain", PROVEN_SENT: "gain", NO_GAIN: "harm", SPENT: "spent", NO_LABELS: "no_labels",
    UNLIKE: "other_traffic", USUAL: "inputs_usual", "frozen": "frozen",
    "the candidate explains fresh traffic better": "shares_moved",
    "the source explains the traffic better": "shares_usual",
    "the traffic no longer fits the assumption": "shares_unfit",
    "the longest time without proof by labels is over": "no_labels",
    "labels prove harm": "harm", "the adapted output was not a number": "not_a_number",
}  # fmt: skip


def word(reason: str) -> str:
    """Return the word of a sentence: one of ``WORDS``, ``inputs_strange``, or ``owner`` for what an owner wrote.

    A label of a metric must not hold sentences: each new one, with a row number or a column's name, would be a new
    time series.
    """
    return WORDS.get(reason) or ("inputs_strange" if reason.endswith(BEYOND) else "owner")
