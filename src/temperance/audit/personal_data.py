"""Columns that hold data about people: by shape and checksum of the values, and by the title of the column."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from temperance.audit.base import CHECKS, Check, count_of
from temperance.audit.context import Context
from temperance.audit.planting import Kind, Planting
from temperance.records.finding import Finding

EMAIL = re.compile(r"^[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}$")
PHONE = re.compile(r"^(?:\+|00)[1-9](?:[ ().\-/]?\d){6,14}$|^\(?0?\d{2,4}\)?[ .\-/]\d{2,4}(?:[ .\-/]\d{2,4}){1,3}$")
IBAN = re.compile(r"^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$")
CARD = re.compile(r"^\d{13,19}$")
DATE = re.compile(r"^\d{1,4}[.\-/ ]\d{1,2}[.\-/ ]\d{1,4}$")
US_SOCIAL_SECURITY = re.compile(r"^(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}$")
ADDRESS_4 = re.compile(r"^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)$")

TITLES: dict[str, re.Pattern[str]] = {
    "a person's name": re.compile(
        r"^(?:(?:first|last|full|given|family|sur|middle|customer|client|patient|employee|person|user|contact|student|"
        r"passenger|owner|author)_?names?|name|names|surname|forename|nom|prenom|nachname|vorname)$"
    ),
    "an email address": re.compile(r"(?:^|_)e?_?mail(?:$|_(?:address|addr|id)?)"),
    "a phone number": re.compile(
        r"(?:^|_)(?:phone|mobile|telephone|tel|fax|cell)(?:_?(?:no|nr|number|num|home|work|1|2))?$"
    ),
    "a postal address": re.compile(
        r"(?:^|_)(?:street|address|addr|postcode|post_code|zip|zip_?code|postal_?code)(?:_\w*)?$"
    ),
    "a date of birth": re.compile(r"(?:^|_)(?:dob|birth_?date|date_?of_?birth|birth_?day|geburtsdatum)(?:$|_)"),
    "a national or tax number": re.compile(
        r"(?:^|_)(?:ssn|social_?security\w*|passport\w*|national_?id|tax_?id|nino|nhs_?\w*)(?:$|_)"
    ),
    "a bank account": re.compile(
        r"(?:^|_)(?:iban|account_?(?:no|nr|number)|card_?(?:no|nr|number)|credit_?card_?number)(?:$|_)"
    ),
    "an internet address of a person": re.compile(
        r"(?:^|_)(?:ip|ip_?addr(?:ess)?|device_?id|cookie_?id|mac_?address)(?:$|_)"
    ),
    "a place on the map": re.compile(r"^(?:lat|latitude|lon|lng|longitude|gps\w*)$"),
}
SPECIAL = re.compile(
    r"(?:^|_)(?:race|ethnic\w*|religio\w*|gender|sex|sexual_?orientation|disab\w*|nationality|marital\w*|political\w*|"
    r"union_?member\w*|hiv|pregnan\w*)(?:$|_)"
)


@CHECKS.add
@dataclass(frozen=True)
class PersonalData(Check):
    """Match values against shapes and checksums (email, phone, IBAN, card, SSN, IP) and titles against words.

    A kind is reported for a column when ``share`` of its values or ``count`` values have its shape.
    """

    share: float = 0.05
    count: int = 5
    planted: int = 10

    name: ClassVar[str] = "personal_data"
    label: ClassVar[str] = "personal data"
    rank: ClassVar[int] = 12
    needs_columns: ClassVar[bool] = False
    sizes: ClassVar[tuple[int | None, ...]] = (5000, 1000)
    why: ClassVar[str] = (
        "Data about people may need a legal reason, care in storage, and often should not reach the model."
    )
    cannot_see: ClassVar[str] = (
        "Names and places inside free text, values that the reader has left out, and people who can be told apart by "
        "a mix of harmless columns."
    )

    def estimate(self, context: Context, rows: int) -> float:
        """Return seconds: a few expressions per category and sampled number."""
        words = sum(min(len(c.vocabulary), rows) for c in context.schema.categorical)
        return 0.02 + 4e-6 * (words + rows * sum(c.integer for c in context.schema.numeric) / 4)

    def inspect(self, context: Context) -> Finding:
        """Look at titles of all columns, at categories, and at long whole numbers."""
        titles = [*dict.fromkeys([c.source or c.name for c in context.schema.columns] + list(context.schema.ignored))]
        action: tuple[str, ...]
        certain: list[dict[str, Any]] = []
        for name, texts in self._texts(context):
            kind, matched = self.shape_of(texts)
            if kind:
                certain.append(
                    {"column": name, "kind": kind, "values": matched, "of": len(texts), "by": "shape of the values"}
                )
        seen = {row["column"] for row in certain}
        named = [
            {"column": t, "kind": kind_of_title(t), "by": "title"} for t in titles if kind_of_title(t) and t not in seen
        ]
        special = [t for t in titles if SPECIAL.search(words_of(t))]
        hits = certain + named
        evidence = {
            "n": len(titles),
            "k": len(hits),
            "columns": [row["column"] for row in hits][:20],
            "examples": hits[:20],
            "protected": special[:20],
        }
        fields: dict[str, Any] = {
            "evidence": evidence,
            "thresholds": {"share": self.share, "count": self.count},
            "confidence": self._self_test(context),
        }
        note = f" Sensitive by title: {', '.join(repr(t) for t in special[:3])}." if special else ""
        if not hits:
            state = "look_at_this" if special else "no_problem_found"
            title = "No column looks like contact or account data of people."
            title = f"{note.strip()} {title}" if special else title
            action = ("Compare how well the model does for each of these groups.",) if special else ()
            return self.finding(state, title, action=action, **fields)  # type: ignore[arg-type]
        top = hits[0]
        title = f"{count_of(len(hits), 'column')} may hold personal data: '{top['column']}' looks like {top['kind']}."
        action = (
            "Remove these columns from the file unless the model needs them.",
            "If they stay, write down why, for how long, and who may see them.",
        )
        return self.finding("fix_before_use" if certain else "look_at_this", title + note, action=action, **fields)

    def shape_of(self, texts: list[str]) -> tuple[str, int]:
        """Return the commonest kind of personal data among ``texts`` and its count, or an empty string and 0."""
        counts = {kind: sum(fits(text) for text in texts) for kind, fits in SHAPES.items()}
        kind, hits = max(counts.items(), key=lambda item: item[1])
        enough = hits > 0 and hits >= min(self.count, max(1, self.share * len(texts)))
        return (kind, hits) if enough and hits >= 0.01 * len(texts) else ("", 0)

    def _texts(self, context: Context) -> Iterable[tuple[str, list[str]]]:
        limit = context.limit or 5000
        for column in context.schema.categorical:
            yield column.source or column.name, [str(v).strip() for v in column.vocabulary[:limit]]
        index = context.sample(self.name, min(limit, 1000))
        if context.table.rows.text is not None:
            for j, column in enumerate(context.schema.text):
                yield column.name, [telling(cell) for cell in context.table.rows.text[index, j] if cell]
        for j, column in enumerate(context.schema.numeric):
            if column.integer and (column.high or 0) >= 1e12:
                values = context.table.rows.numeric[index, j]
                yield column.name, [str(int(v)) for v in np.unique(values[np.isfinite(values)])]

    def _self_test(self, context: Context) -> dict[str, Any]:
        generator = context.generator(self.name)
        made = {kind: [make(generator) for _ in range(self.planted)] for kind, make in MAKERS.items()}
        found = sum(SHAPES[kind](text) for kind, texts in made.items() for text in texts)
        plain_words = ["".join(generator.choice(list("abcdefghij 0123456789"), size=12)) for _ in range(100)]
        false = sum(any(fits(word) for fits in SHAPES.values()) for word in plain_words)
        kind = Kind("emails, phones, accounts and cards", self.planted * len(made), int(found))
        return Planting((kind,), 100, int(false), "plain words").to_dict()


def telling(text: str) -> str:
    """Return the first word of a text that looks like personal data, or the text where none does."""
    words = (word.strip(".,;:!?()<>[]") for word in text.split())
    return next((word for word in words if any(fits(word) for fits in SHAPES.values())), text)


def words_of(title: str) -> str:
    """Return a column title in lower case, its words joined by ``_`` (``FirstName`` → ``first_name``)."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", title.strip())
    return re.sub(r"[^a-z0-9]+", "_", split.lower()).strip("_")


def kind_of_title(title: str) -> str:
    """Return the kind of personal data that a column title names, or an empty string."""
    words = words_of(title)
    return next((kind for kind, pattern in TITLES.items() if pattern.search(words)), "")


def luhn(digits: str) -> bool:
    """Return whether the check digit of a card number is right (ISO/IEC 7812-1, Annex B)."""
    values = [int(d) for d in reversed(digits)]
    doubled = [sum(divmod(2 * v, 10)) for v in values[1::2]]
    return (sum(values[::2]) + sum(doubled)) % 10 == 0


def iban_checksum(text: str) -> int:
    """Return the remainder by 97 of an IBAN; 1 when it is right (ISO 13616)."""
    moved = text[4:] + text[:4]
    return int("".join(str(int(ch, 36)) for ch in moved)) % 97


def is_email(text: str) -> bool:
    """Return whether the whole text is an email address."""
    return EMAIL.match(text) is not None


def is_phone(text: str) -> bool:
    """Return whether the whole text is written like a phone number, and not like a date, an IP or an SSN."""
    digits = sum(ch.isdigit() for ch in text)
    other = DATE.match(text) or ADDRESS_4.match(text) or US_SOCIAL_SECURITY.match(text)
    return 8 <= digits <= 15 and not other and PHONE.match(text) is not None


def is_iban(text: str) -> bool:
    """Return whether the text is an IBAN with a right checksum."""
    short = text.replace(" ", "").upper()
    return IBAN.match(short) is not None and iban_checksum(short) == 1


def is_card(text: str) -> bool:
    """Return whether the text is a payment card number with a right check digit and a known first digit."""
    short = re.sub(r"[ -]", "", text)
    return CARD.match(short) is not None and short[0] in "23456" and luhn(short)


def is_social_security(text: str) -> bool:
    """Return whether the text is written like a social security number of the USA."""
    return US_SOCIAL_SECURITY.match(text) is not None


def is_internet_address(text: str) -> bool:
    """Return whether the text is an IPv4 address."""
    return ADDRESS_4.match(text) is not None


SHAPES: dict[str, Callable[[str], bool]] = {
    "an email address": is_email,
    "a phone number": is_phone,
    "a bank account (IBAN)": is_iban,
    "a payment card": is_card,
    "a social security number": is_social_security,
    "an internet address": is_internet_address,
}


def _digits(generator: np.random.Generator, count: int) -> str:
    return "".join(str(d) for d in generator.integers(10, size=count))


def _iban(generator: np.random.Generator) -> str:
    body = _digits(generator, 18)
    return f"DE{98 - iban_checksum('DE00' + body):02d}{body}"


def _card(generator: np.random.Generator) -> str:
    body = "4" + _digits(generator, 14)
    return next(body + str(d) for d in range(10) if luhn(body + str(d)))


MAKERS: dict[str, Callable[[np.random.Generator], str]] = {
    "an email address": lambda g: f"user{_digits(g, 4)}@example.org",
    "a phone number": lambda g: f"+44 20 {_digits(g, 4)} {_digits(g, 4)}",
    "a bank account (IBAN)": _iban,
    "a payment card": _card,
}
