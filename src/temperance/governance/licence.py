"""From a declared licence to a verdict for a stated use. A summary for planning, not legal advice."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from temperance.records.errors import SettingError, nearest

Use = Literal["research", "commercial", "publish"]
Answer = Literal["allowed", "allowed with duties", "unknown", "not allowed"]  # from best to strictest
USES: dict[Use, str] = {
    "research": "study and research without profit, results kept inside",
    "commercial": "use in business, results kept inside",
    "publish": "giving the data, or a model made from it, to others without profit",
}


@dataclass(frozen=True)
class Terms:
    """What one licence allows; see ``licences.toml`` for the meaning of each field."""

    commercial: bool
    derivatives: bool
    attribution: bool = False
    share_alike: bool = False
    field_of_use: str = ""
    note: str = ""


@dataclass(frozen=True)
class LicenceVerdict:
    """The answer for one use.

    Attributes:
        expression: the licence as declared.
        use: the stated use.
        answer: allowed, allowed with duties, unknown, or not allowed.
        reasons: why, one plain sentence each.
        duties: what must be done.
        date: date of the table of licences.

    """

    expression: str
    use: Use
    answer: Answer
    reasons: tuple[str, ...] = ()
    duties: tuple[str, ...] = ()
    date: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {**asdict(self), "reasons": list(self.reasons), "duties": list(self.duties)}


@cache
def terms() -> tuple[dict[str, Terms], str]:
    """Return the table of licences by SPDX identifier, and its date."""
    raw = tomllib.loads(files("temperance.governance").joinpath("licences.toml").read_text(encoding="utf-8"))
    return {name: Terms(**fields) for name, fields in raw["licence"].items()}, str(raw["date"])


def judge(expression: str | None, *, use: Use) -> LicenceVerdict:
    """Return the verdict for a declared licence.

    ``A AND B`` takes the stricter of both, ``A OR B`` the better one, ``A WITH exception`` is judged as A. What is not
    declared, not readable or not in the table stays unknown.

    Args:
        expression: an SPDX expression such as ``CC-BY-4.0`` or ``MIT AND ODbL-1.0``, or None.
        use: ``research``, ``commercial`` or ``publish``.

    Raises:
        SettingError: for another use.

    """
    if use not in get_args(Use):
        raise SettingError(
            f"use = {use!r}", f"accepted are {', '.join(get_args(Use))}", nearest(str(use), get_args(Use))
        )
    text = (expression or "").strip()
    if not text:
        return _unknown(text, use, "No licence is declared. Ask the owner of the data.")
    tree = _parse(text)
    if isinstance(tree, str):
        return _unknown(text, use, tree)
    verdict = _judge_tree(tree, use)
    return LicenceVerdict(text, use, verdict.answer, verdict.reasons, verdict.duties, terms()[1])


def spdx_name(expression: str) -> str:
    """Return the name of a single licence as the SPDX list writes it; empty for expressions and names outside it."""
    tree = _parse(expression.strip())
    return "" if isinstance(tree, str) or not hasattr(tree, "key") else str(tree.key)


def is_readable(expression: str) -> bool:
    """Return whether this is an SPDX expression of names of the SPDX list."""
    return bool(expression.strip()) and not isinstance(_parse(expression.strip()), str)


def check_expression(text: str) -> str:
    """Return a licence that a user told, as it is; ``LicenseRef-…`` stands for terms of one's own.

    Raises:
        SettingError: it cannot be read, or is not in the SPDX list.

    """
    tree = _parse(text.strip()) if text.strip() else "an empty text"
    if isinstance(tree, str) and "licenseref-" not in text.lower():
        hint = nearest(text, terms()[0]) or "Look it up at https://spdx.org/licenses, or write LicenseRef-NAME"
        raise SettingError(f"--licence got {text!r}", "an SPDX expression such as CC-BY-4.0 or MIT AND ODbL-1.0", hint)
    return text.strip()


def strictest(expressions: Iterable[str | None], *, use: Use) -> LicenceVerdict:
    """Return the verdict for data joined from several sources: every licence must be kept."""
    verdicts = [judge(expression, use=use) for expression in expressions]
    if not verdicts:
        return _unknown("", use, "No licence is declared. Ask the owner of the data.")
    joined = _all_of(verdicts, use)
    name = " AND ".join(f"({v.expression or 'not declared'})" for v in verdicts)
    return LicenceVerdict(name, use, joined.answer, joined.reasons, joined.duties, terms()[1])


def _unknown(expression: str, use: Use, reason: str) -> LicenceVerdict:
    return LicenceVerdict(expression, use, "unknown", (reason,), (), terms()[1])


@cache
def _licensing() -> Any:
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()


def _parse(text: str) -> Any:
    """Return the parsed expression, or a sentence on why it cannot be read."""
    from license_expression import ExpressionError, ExpressionParseError

    try:
        tree = _licensing().parse(text)
        strange = _licensing().unknown_license_keys(tree)
    except (ExpressionError, ExpressionParseError):
        return f"'{text}' cannot be read as a licence. {nearest(text, terms()[0])}".strip()
    if strange:
        hint = nearest(str(strange[0]), terms()[0])
        return f"'{strange[0]}' is not the name of a licence in the SPDX list. {hint}".strip()
    return tree


def _judge_tree(tree: Any, use: Use) -> LicenceVerdict:
    operator = type(tree).__name__
    if operator == "AND":
        return _all_of([_judge_tree(part, use) for part in tree.args], use)
    if operator == "OR":
        choices = [_judge_tree(part, use) for part in tree.args]
        return min(choices, key=lambda verdict: get_args(Answer).index(verdict.answer))
    symbol = getattr(tree, "license_symbol", tree)  # ``WITH`` keeps its licence there
    return _judge_one(str(symbol.key), use)


def _judge_one(name: str, use: Use) -> LicenceVerdict:
    known, date = terms()
    match = {key.lower(): key for key in known}.get(name.lower())
    if match is None:
        return _unknown(name, use, f"{name} is not in our table of {len(known)} licences. Read its text.")
    allows = known[match]
    if use == "commercial" and not allows.commercial:
        return LicenceVerdict(match, use, "not allowed", (f"{match} forbids use in business.",), (), date)
    if use == "publish" and not allows.derivatives:
        return LicenceVerdict(match, use, "not allowed", (f"{match} forbids sharing changed versions.",), (), date)
    duties = _duties(match, allows, use)
    answer: Answer = "allowed with duties" if duties else "allowed"
    return LicenceVerdict(match, use, answer, (f"{match} permits this use.",), duties, date)


def _duties(name: str, allows: Terms, use: Use) -> tuple[str, ...]:
    """Return the duties of a use; most bind only those who give something to others."""
    duties = [allows.field_of_use] if allows.field_of_use else []
    if use == "publish":
        if allows.attribution:
            duties.append(f"Name the source and the licence ({name}).")
        if allows.share_alike:
            duties.append(f"Share changed versions under {name} as well.")
        if not allows.commercial:
            duties.append(f"Do not allow use in business ({name}).")
        if allows.note:
            duties.append(allows.note)
    elif "network" in allows.note:
        duties.append(allows.note)
    return tuple(duties)


def _all_of(verdicts: list[LicenceVerdict], use: Use) -> LicenceVerdict:
    order = get_args(Answer)
    worst = max(verdicts, key=lambda verdict: order.index(verdict.answer))
    reasons = tuple(dict.fromkeys(r for v in verdicts if v.answer == worst.answer for r in v.reasons))
    duties = tuple(dict.fromkeys(d for v in verdicts for d in v.duties))
    if worst.answer == "not allowed":
        duties = ()
    return LicenceVerdict(worst.expression, use, worst.answer, reasons, duties, terms()[1])
