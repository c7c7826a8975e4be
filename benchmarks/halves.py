"""Which development sets may be tuned on and which are looked at once, at the end: a fixed hash of the name decides.

    from halves import half
    half("credit_g")  # "tuned" or "once"

A set belongs to ``tuned`` where the first byte of SHA-256("temperance halves:" + name) is even, to ``once`` otherwise.
Nothing is chosen, compared or set by figures of the second half; a benchmark that shows them says so in its record.
Sixteen sets were looked at before November 2026 (``SEEN``); a record that holds one of them names it.
"""

from __future__ import annotations

import hashlib
from typing import Literal

SEEN = frozenset(
    "attrition credit_g australian vehicle phoneme churn telco_churn satimage jungle_chess adult "
    "concrete abalone wine_quality_white kin8nm california_housing diamonds".split()
)


def half(name: str) -> Literal["tuned", "once"]:
    """Return the half that a set belongs to."""
    first = hashlib.sha256(f"temperance halves:{name}".encode()).digest()[0]
    return "tuned" if first % 2 == 0 else "once"
