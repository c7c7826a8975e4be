"""Who is in the data and who is missing: groups and combinations of groups with too few rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.audit.base import Check, count_of
from temperance.audit.context import Context
from temperance.audit.planting import Kind, Planting
from temperance.records.distributions import normal_quantile
from temperance.records.errors import SettingError
from temperance.records.finding import Finding
from temperance.records.intervals import check_confidence

Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Attribute:
    """One column as groups: ``codes`` (b,), −1 = missing; ``words`` names each; ``cut``: they are parts of numbers."""

    column: str
    codes: Codes
    words: tuple[str, ...]
    cut: bool = False

    @property
    def counts(self) -> Codes:
        """Rows per group."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.words))


@dataclass(frozen=True)
class Representativeness(Check):
    """Count groups and find the largest combinations of up to ``depth`` columns with fewer than ``least`` rows.

    A combination is reported when it has fewer than ``least`` rows although each of its parts has at least that many
    (a maximal uncovered pattern: Asudeh, Jin and Jagadish, 2019). It is a reason to look when chance would have given
    it clearly more rows than it has. Numbers are cut at their quartiles.

    Args:
        least: rows below which nothing can be said of a group.
        depth: most columns in a combination.
        columns: most columns that are combined; those that name people first, then those with the fewest groups.
        groups: most groups of a column that is combined.
        reference: shares that the owner expects, column → value → share; the difference is reported.
        apart: largest difference to a reference share that needs no look.
        within: half the width of the interval that ``rows_needed`` is for, as a share.
        rate: the rate that it is for.

    """

    least: int = 30
    depth: int = 3
    columns: int = 8
    groups: int = 12
    planted: int = 5
    reference: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    apart: float = 0.05
    within: float = 0.05
    rate: float = 0.9

    name: ClassVar[str] = "representativeness"
    label: ClassVar[str] = "groups with too few rows"
    rank: ClassVar[int] = 65
    sizes: ClassVar[tuple[int | None, ...]] = (None,)
    why: ClassVar[str] = "We cannot tell how the model does for people or cases that hardly occur in the data."
    cannot_see: ClassVar[str] = "Groups that no column names, and whether the shares are those of real life."
    references: ClassVar[tuple[str, ...]] = ("Asudeh, Jin and Jagadish (2019), ICDE, Assessing and remedying coverage",)

    def unsuited(self, context: Context) -> str:
        """Pixels do not name groups."""
        return "images have no columns that name groups." if context.is_images else ""

    def estimate(self, context: Context, rows: int) -> float:
        """Return seconds: one count per combination of columns."""
        few = min(self.columns, len(context.schema.columns))
        return 0.02 + rows * (few + few**2 / 2 + few**3 / 6) * 1.2e-8 * 2

    def inspect(self, context: Context) -> list[Finding]:
        """Report groups, combinations, and differences to the owner's reference."""
        index = context.development
        attributes = self.attributes(context, index)
        found = [self._groups(attributes, len(index)), self._patterns(context, attributes, len(index))]
        return found + ([self._against(attributes)] if self.reference else [])

    def attributes(self, context: Context, index: NDArray[np.int64]) -> list[Attribute]:
        """Return the columns that are combined, as groups.

        Shapes: index (n,), numbers of rows.
        """
        out = []
        rows = context.table.rows
        for j, column in enumerate(context.schema.numeric):
            if not column.part:
                out.append(_cut(column.name, np.asarray(rows.numeric[index, j])))
        for j, column in enumerate(context.schema.categorical):
            codes = np.asarray(rows.categorical[index, j]).astype(np.int64)
            out.append(Attribute(column.name, np.maximum(codes, -1), column.vocabulary))
        usable = [a for a in out if 2 <= len(a.words) <= self.groups]
        usable.sort(key=lambda a: (a.column not in self.reference, not _names_people(a.column), len(a.words)))
        return usable[: self.columns]

    def patterns(self, attributes: list[Attribute]) -> Iterator[tuple[dict[str, str], int, float]]:
        """Yield maximal uncovered patterns: groups by column, rows, and the rows that chance would give."""
        thin: set[frozenset[tuple[int, int]]] = set()
        for depth in range(1, self.depth + 1):
            fresh = set()
            for chosen in combinations(range(len(attributes)), depth):
                counts, expected = _joint([attributes[i] for i in chosen])
                for place in np.argwhere(counts < self.least):
                    cells = frozenset(zip(chosen, map(int, place), strict=True))
                    if self._within(cells, thin):
                        continue
                    fresh.add(cells)
                    words = {attributes[i].column: attributes[i].words[v] for i, v in sorted(cells)}
                    yield words, int(counts[tuple(place)]), float(expected[tuple(place)])
            thin |= fresh

    @staticmethod
    def _within(cells: frozenset[tuple[int, int]], thin: set[frozenset[tuple[int, int]]]) -> bool:
        return any(frozenset(part) in thin for size in range(1, len(cells)) for part in combinations(cells, size))

    def _groups(self, attributes: list[Attribute], n: int) -> Finding:
        rows = [
            {"column": a.column, "groups": {w: int(c) for w, c in zip(a.words, a.counts, strict=True)}}
            for a in attributes
        ]
        thin = [
            (a.column, w, int(c))
            for a in attributes
            if not a.cut  # a quarter of the rows is thin only where there are few rows at all
            for w, c in zip(a.words, a.counts, strict=True)
            if c < self.least
        ]
        needed = rows_needed(self.rate, within=self.within)
        points, percent = f"{100 * self.within:g}", f"{100 * self.rate:g}"
        needs = f"To know a rate of {percent} % within {points} points (95 % sure) takes {needed} rows of a group."
        evidence = {
            "n": n, "k": len(thin), "columns": sorted({t[0] for t in thin}), "examples": rows[:20],
            "rows_needed": needed, "rows_needed_for": needs,
            "short": [{"column": c, "group": w, "rows": k, "missing": needed - k} for c, w, k in thin[:20]],
        }  # fmt: skip
        fields: dict[str, Any] = {"evidence": evidence, "thresholds": {"least": self.least}, "subject": "groups"}
        if not thin:
            return self.finding(
                "no_problem_found", f"Every group that was counted has {self.least} rows or more.", **fields
            )
        thin.sort(key=lambda t: t[2])
        column, word, count = thin[0]
        title = f"Only {count_of(count, 'row')} of {n:,} have '{word}' in '{column}'."
        title += f" {len(thin)} groups are that thin in all." if len(thin) > 1 else ""
        more = f"For '{word}' that is {needed - count} more." if count < needed else ""
        action = (
            "Collect more rows of these groups, or say that the model is not tested for them.",
            f"{needs} {more}".strip(),
        )
        return self.finding("look_at_this", title, action=action, **fields)

    def _patterns(self, context: Context, attributes: list[Attribute], n: int) -> Finding:
        all_found = sorted((p for p in self.patterns(attributes) if len(p[0]) > 1), key=lambda p: p[1] - p[2])
        telling = {a.column for a in attributes if not a.cut or _names_people(a.column)}
        short = [
            p
            for p in all_found
            if p[2] - p[1] > 3 * np.sqrt(max(p[2], 1.0))
            and telling & p[0].keys()  # two numbers that go together leave corners empty; that names no group
        ]
        examples = [
            {"groups": words, "rows": count, "expected": round(expected, 1)} for words, count, expected in short
        ]
        evidence = {"n": n, "k": len(short), "thin_in_all": len(all_found), "examples": examples[:20]}
        fields: dict[str, Any] = {
            "subject": "combinations",
            "evidence": evidence,
            "thresholds": {"least": self.least, "depth": self.depth},
            "confidence": self._self_test(context, attributes),
        }
        if not short:
            title = "No combination of groups is rarer than chance would make it."
            return self.finding("no_problem_found", title, **fields)
        words, count, expected = short[0]
        said = " and ".join(f"'{word}' in '{column}'" for column, word in words.items())
        title = f"Only {count_of(count, 'row')} of {n:,} have {said}; chance would give about {expected:.0f}."
        action = ("Ask whether these cases are rare in life too. If not, collect rows of them.",)
        return self.finding("look_at_this", title, action=action, **fields)

    def _against(self, attributes: list[Attribute]) -> Finding:
        rows = []
        for a in (a for a in attributes if a.column in self.reference):
            total = max(int(a.counts.sum()), 1)
            shares = {word: count / total for word, count in zip(a.words, a.counts, strict=True)}
            expected = self.reference[a.column]
            names = sorted({*shares, *expected})
            gaps = {word: shares.get(word, 0.0) - expected.get(word, 0.0) for word in names}
            rows.append({"column": a.column, "gaps": gaps, "total_variation": sum(map(abs, gaps.values())) / 2})
        missing = sorted(set(self.reference) - {a.column for a in attributes})
        worst = max(rows, key=lambda row: row["total_variation"], default=None)
        evidence = {"n": len(rows), "k": 0, "examples": rows, "columns_not_found": missing}
        fields: dict[str, Any] = {"subject": "reference", "evidence": evidence, "thresholds": {"apart": self.apart}}
        if worst is None:
            return self.finding("not_tested", "Not tested against your shares: no such column was counted.", **fields)
        word, gap = max(worst["gaps"].items(), key=lambda item: abs(item[1]))
        side = "more" if gap > 0 else "fewer"
        title = f"Of 100 rows, {abs(100 * gap):.0f} {side} than you expect have '{word}' in '{worst['column']}'."
        state = "look_at_this" if worst["total_variation"] > self.apart else "no_problem_found"
        return self.finding(state, title, **fields)  # type: ignore[arg-type]

    def _self_test(self, context: Context, attributes: list[Attribute]) -> dict[str, Any]:
        """Take nearly all rows of a common pair of groups out of a copy, several times, and see whether it is named."""
        generator = context.generator(self.name)
        pairs = [
            (i, j, u, v)
            for i, j in combinations(range(len(attributes)), 2)
            for u, v in np.argwhere(_joint([attributes[i], attributes[j]])[0] >= 2 * self.least)
        ]
        if not pairs:
            return Planting((), 0, 0, note="No pair of groups is large enough for a test.").to_dict()
        chosen = [pairs[int(k)] for k in generator.permutation(len(pairs))[: self.planted]]
        found = 0
        for i, j, u, v in chosen:
            inside = np.flatnonzero((attributes[i].codes == u) & (attributes[j].codes == v))
            keep = np.setdiff1d(np.arange(len(attributes[i].codes)), inside[self.least // 2 :])
            copies = [Attribute(a.column, a.codes[keep], a.words) for a in (attributes[i], attributes[j])]
            named = [words for words, _, _ in self.patterns(copies)]
            want = {copies[0].column: copies[0].words[int(u)], copies[1].column: copies[1].words[int(v)]}
            found += any(words.items() <= want.items() for words in named)
        return Planting((Kind("combinations that were taken out", len(chosen), found),), 0, 0).to_dict()


def every_check() -> list[str | Check]:
    """Return the checks of an audit with this one among them: the audit itself stands below this room."""
    from temperance.audit.inspection import CHECKS

    return [*CHECKS, Representativeness()]


def rows_needed(rate: float, *, within: float, confidence: float = 0.95) -> int:
    """Return how many rows tell a rate within ± ``within``.

        n = ⌈z² · p · (1 − p) / w²⌉,  z the normal quantile at (1 + confidence) / 2

    Args:
        rate: p, the rate that is expected, in [0, 1]; 0.5 needs the most rows.
        within: w, half the width of the interval, in (0, 1).
        confidence: of the interval.

    Raises:
        SettingError: a rate outside [0, 1], or a width outside (0, 1).

    """
    if not 0 <= rate <= 1 or not 0 < within < 1:
        raise SettingError(f"rate = {rate}, within = {within}", "a rate in [0, 1] and a width in (0, 1)")
    check_confidence(confidence)
    z = normal_quantile(0.5 + confidence / 2)
    return max(1, math.ceil(z * z * rate * (1 - rate) / within**2))


def _cut(column: str, values: NDArray[np.float64]) -> Attribute:
    """Cut numbers at their quartiles; few distinct numbers are groups as they are."""
    known = values[np.isfinite(values)]
    distinct = np.unique(known)
    if len(distinct) <= 5:
        codes = np.where(np.isfinite(values), np.searchsorted(distinct, values), -1)
        return Attribute(column, codes.astype(np.int64), tuple(f"{v:g}" for v in distinct))
    edges = np.unique(np.quantile(known, [0.25, 0.5, 0.75]))
    codes = np.where(np.isfinite(values), np.searchsorted(edges, values, side="right"), -1).astype(np.int64)
    names = [f"below {edges[0]:g}", *(f"{a:g} to {b:g}" for a, b in pairwise(edges))]
    return Attribute(column, codes, (*names, f"{edges[-1]:g} and more"), cut=True)


def _joint(attributes: list[Attribute]) -> tuple[Codes, NDArray[np.float64]]:
    """Return rows per combination of groups, and how many chance would give.

    Chance: the least, over the columns, of (rows that share the other groups) × (share of this column's group). For two
    columns that is independence; for three, two that depend on each other do not make the third look rare.
    """
    shape = tuple(len(a.words) for a in attributes)
    known = np.all([a.codes >= 0 for a in attributes], axis=0)
    flat = np.ravel_multi_index(tuple(a.codes[known] for a in attributes), shape)
    counts = np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape)
    expected = np.full(shape, np.inf)
    for axis, a in enumerate(attributes):
        share = np.bincount(a.codes[known], minlength=len(a.words)) / max(int(known.sum()), 1)
        own = share.reshape([-1 if i == axis else 1 for i in range(len(shape))])
        expected = np.minimum(expected, counts.sum(axis=axis, keepdims=True) * own)
    return counts, expected


def _names_people(column: str) -> bool:
    from temperance.audit.personal_data import SPECIAL, words_of

    words = words_of(column)
    return SPECIAL.search(words) is not None or words == "age" or words.startswith("age_")
