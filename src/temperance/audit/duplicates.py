"""Copies of test rows among the rows that the model learns from, for tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.audit.base import CHECKS, Check, count_of
from temperance.audit.context import Context, Index
from temperance.audit.copies import (
    effect_of_copies,
    other_answers,
    sentence_of_answers,
    sentence_of_effect,
    state_of_copies,
    why_of_copies,
)
from temperance.audit.features import Ruler
from temperance.audit.fingerprints import Hashes, fingerprints, partner, repeated
from temperance.audit.gaps import EDIT_LIMITS, edits, gaps, limit_of
from temperance.audit.planting import Kind, Planting
from temperance.records.finding import Finding
from temperance.records.schema import Rows

FARTHEST = np.float32(3)  # spreads from the middle, in distances


@dataclass(frozen=True, eq=False)
class Matches:
    """Per query: its partner in the reference by each rule, or −1; and the limit of near copies, 0 where it is off."""

    exact: Index
    near: Index
    edited: Index
    possible: Index
    limit: float

    @property
    def copies(self) -> NDArray[np.bool_]:
        """Exact, near or edited copies.

        Shapes: one per query, (q,).
        """
        return (self.exact >= 0) | (self.near >= 0) | (self.edited >= 0)

    @property
    def partners(self) -> Index:
        """Position of the copied reference row, −1 for none."""
        return np.where(self.exact >= 0, self.exact, np.where(self.near >= 0, self.near, self.edited))


@CHECKS.add
@dataclass(frozen=True)
class Duplicates(Check):
    """Find exact, near and edited copies across the split.

    *Exact*: equal fingerprints, on all rows. *Near*: far closer to a development row than that row's neighbours are
    (``gaps``; a gap below ``possible`` that the rows' own density may explain is reported, not counted). *Edited*: it
    differs in far fewer columns from a development row than from others. The last two rules run on a sample, of which
    ``tried`` rows say what is natural.
    """

    possible: float = 0.1
    tried: int = 1500
    planted: int = 30

    name: ClassVar[str] = "duplicates"
    label: ClassVar[str] = "copies between training and test rows"
    rank: ClassVar[int] = 20
    version: ClassVar[int] = 2
    sizes: ClassVar[tuple[int | None, ...]] = (20_000, 5_000, 2_000)
    why: ClassVar[str] = "The model has already seen these rows, so its test score looks better than it will be in use."
    cannot_see: ClassVar[str] = "Rows about the same person or thing whose values differ in many columns."
    references: ClassVar[tuple[str, ...]] = ("Barz and Denzler (2020), arXiv:1902.00423",)

    def unsuited(self, context: Context) -> str:
        """Images have their own check."""
        return "images are compared by another check." if context.is_images else ""

    def estimate(self, context: Context, rows: int) -> float:
        """Return seconds: hashes of every row, distances of the sample, and two small forests."""
        columns, every = len(context.schema.columns), len(context.development)
        width = len(context.schema.numeric) + 8 * len(context.schema.categorical)
        queries = min(self._queries(rows), len(context.testing[1])) + min(self.tried, rows)
        return 0.35 + every * (columns * 4e-8 + 4e-7) + queries * rows * (1e-9 + 6e-11 * width) + rows * columns * 4e-7

    def inspect(self, context: Context) -> list[Finding]:
        """Compare test with development rows, and development rows with each other."""
        hashes = context.once("hashes", lambda: fingerprints(context.table.rows))
        inside = self._inside(context, hashes)
        table, test = context.testing
        if not len(test):
            return [self.not_tested("there are no test rows."), inside]
        theirs = hashes if table is context.table else fingerprints(table.rows)
        return [self._across(context, hashes, theirs, test), inside]

    def _queries(self, limit: int | None) -> int:
        """Return how many test rows are compared by distance."""
        return max(50, min(2000, (limit or 20_000) // 4))

    def _across(self, context: Context, hashes: Hashes, theirs: Hashes, test: Index) -> Finding:
        table = context.testing[0]
        ours = context.development
        exact = partner(theirs[test], hashes[ours])
        sample = context.sample(self.name)
        queried = context.sample(f"{self.name} test", self._queries(context.limit), test)
        finder = Finder(self, context, sample)
        found = finder.match(table.rows.take(queried))
        copied, partners = self._merge(test, exact, queried, found, ours, sample)
        k, share = int(copied.sum()), float(copied.mean())
        effect = effect_of_copies(context, table, test, copied, partners[copied]) if k else {}
        state = state_of_copies(k, share, finder.natural_rate, effect)
        other = other_answers(context, table, test, copied, partners)
        evidence = {
            "n": len(test),
            "k": k,
            "other_answers": other,
            "rows": test[copied][:1000],
            "examples": [
                {"test_row": int(test[i]), "development_row": int(partners[i])} for i in np.flatnonzero(copied)[:20]
            ],
            "exact": int((exact >= 0).sum()),
            "near": int(((found.near >= 0) & (found.exact < 0)).sum()),
            "edited": int(((found.edited >= 0) & (found.exact < 0) & (found.near < 0)).sum()),
            "possible": int((found.possible >= 0).sum()),
            "compared_for_near": [len(queried), len(sample)],
            "natural_rate": finder.natural_rate,
        }
        action = (
            "Read the score without these rows as the honest one.",
            "Find out where the copies come from. If rows belong together, name their column with --group.",
        )
        return self.finding(
            state,
            _title(k, len(test), share, finder.natural_rate, effect, other),
            why=why_of_copies(self.why, k, other),
            evidence=evidence,
            effect=effect,
            confidence=finder.self_test(),
            thresholds={"near": found.limit, "possible": self.possible},
            action=action if k else (),
        )

    @staticmethod
    def _merge(
        test: Index, exact: Index, queried: Index, found: Matches, ours: Index, sample: Index
    ) -> tuple[NDArray[np.bool_], Index]:
        """Return (t,) copied, and (t,) the row of the table that each is a copy of (−1: none)."""
        partners = np.where(exact >= 0, ours[exact], -1)
        place = (
            np.searchsorted(test, queried)
            if np.all(np.diff(test) > 0)
            else np.argsort(test)[np.searchsorted(np.sort(test), queried)]
        )
        fresh = np.where(found.partners >= 0, sample[found.partners], -1)
        partners[place] = np.where(partners[place] >= 0, partners[place], fresh)
        return partners >= 0, partners

    def _inside(self, context: Context, hashes: Hashes) -> Finding:
        """Count rows that repeat inside the development rows; they blur folds and selection."""
        index = context.development
        again = repeated(hashes[index]) != np.arange(len(index))
        k = int(again.sum())
        evidence = {"n": len(index), "k": k, "rows": index[again][:1000], "examples": []}
        why = "Rows that repeat count more than once and can stand on both sides of an inner split."
        verb = "repeats" if k == 1 else "repeat"
        title = (
            f"{count_of(k, 'row')} of {len(index):,} {verb} an earlier row." if k else "No row repeats an earlier row."
        )
        action = ("Ask whether each repeat is a real second case or a copying mistake. Remove mistakes at the source.",)
        state = "look_at_this" if k >= max(1, 0.01 * len(index)) else "no_problem_found"
        return self.finding(
            state,  # type: ignore[arg-type]
            title,
            subject="inside",
            why=why,
            evidence=evidence,
            confidence=self._repeats(context, hashes[index]),
            thresholds={"share": 0.01},
            action=action if state == "look_at_this" else (),
            cannot_see="Repeats in which a value was changed.",
        )

    def _repeats(self, context: Context, hashes: Hashes) -> dict[str, Any]:
        """Repeat rows that occur once, and count those that are seen."""
        single = np.flatnonzero(np.bincount(repeated(hashes), minlength=len(hashes)) == 1)
        chosen = context.generator(self.name, "repeat").permutation(single)[: self.planted]
        both = np.concatenate([hashes, hashes[chosen]])
        seen = repeated(both) != np.arange(len(both))
        kind = Kind("repeated rows", len(chosen), int(seen[len(hashes) :].sum()))
        return Planting((kind,), len(single), int(seen[: len(hashes)][single].sum())).to_dict()


class Finder:
    """The three rules against one sample of development rows, and what the rows are like by nature."""

    def __init__(self, check: Duplicates, context: Context, sample: Index) -> None:
        self.check, self.context = check, context
        self.rows = context.table.rows.take(sample)
        self.ruler = Ruler.fit(self.rows, seed=context.seed)
        self.points = self._points(self.rows)
        self.generator = context.generator(check.name, "rules")
        tried = np.sort(self.generator.permutation(len(sample))[: min(check.tried, len(sample))])
        self.inside = gaps(self.points[tried], self.points, own=tried)
        self.natural_rate = float(self.inside.equal.mean()) if len(tried) else 0.0
        self.edits = edits(self.rows.take(tried), self.rows, own=tried)

    def _points(self, rows: Rows) -> NDArray[np.float32]:
        """Return points in which one rare value is no gap: a column of nearly one value has it many spreads away."""
        return np.clip(self.ruler.points(rows), -FARTHEST, FARTHEST)

    def match(self, queries: Rows) -> Matches:
        """Return the partner of each query by each rule.

        The rules for near and edited copies look at these rows and at the development rows together, and hold only
        where the copies are more than the rows' own density explains.
        """
        exact = partner(fingerprints(queries), fingerprints(self.rows))
        found = gaps(self._points(queries), self.points)
        alike, new = edits(queries, self.rows), exact < 0
        once = ~self.inside.equal
        limit = limit_of(np.concatenate([self.inside.ratio[once], found.ratio[new]]))
        few = limit_of(np.concatenate([self.edits.ratio[once], alike.ratio[new]]), EDIT_LIMITS)
        near = np.where(new & (found.ratio < limit), found.partner, -1)
        edited = np.where(new & (alike.ratio < few), alike.partner, -1)
        possible = np.where(new & (near < 0) & (edited < 0) & (found.ratio < self.check.possible), found.partner, -1)
        return Matches(exact, near, edited, possible, limit)

    def self_test(self) -> dict[str, Any]:
        """Plant exact copies, copies with 1 % noise and copies with one value edited, and count those found."""
        count = min(self.check.planted, self.rows.size)
        chosen = self.generator.choice(self.rows.size, size=count, replace=False)
        exact = self.rows.take(chosen)
        noisy = exact._replace(
            numeric=exact.numeric + 0.01 * self.ruler.spread * self.generator.standard_normal(exact.numeric.shape)
        )
        edited = self._with_edit(exact)
        found = [int(self.match(rows).copies.sum()) for rows in (exact, noisy, edited)]
        names = ("exact copies", "copies with 1 % noise", "copies with one value changed")
        kinds = tuple(Kind(name, count, k) for name, k in zip(names, found, strict=True))
        off = "The rule for one changed value is off, because these rows are alike by nature."
        mixed = self.match(self._mixed())
        false = int(((mixed.exact < 0) & mixed.copies).sum())
        note = off if 2 * found[2] < count else ""
        return Planting(kinds, len(mixed.exact), false, "rows put together from others", note).to_dict()

    def _mixed(self) -> Rows:
        """Return rows that are no copies: each value comes from a row of its own."""
        count = min(self.check.tried, self.rows.size)
        rows = self.rows.take(np.arange(count))
        pairs: Any = zip(rows, self.rows, strict=True)
        for mine, theirs in pairs:
            for j in range(0 if mine is None else mine.shape[1]):
                mine[:, j] = theirs[self.generator.permutation(self.rows.size)[:count], j]
        return rows

    def _with_edit(self, rows: Rows) -> Rows:
        """Return copies in which one random column takes the value of another random row."""
        changed = rows.take(np.arange(rows.size))
        pairs: Any = zip(changed, self.rows, strict=True)
        kinds = [(mine, theirs) for mine, theirs in pairs if mine is not None]
        places = [(kind, j) for kind, (mine, _) in enumerate(kinds) for j in range(mine.shape[1])]
        for i in range(rows.size):
            kind, j = places[int(self.generator.integers(len(places)))]
            mine, theirs = kinds[kind]
            mine[i, j] = theirs[int(self.generator.integers(self.rows.size)), j]
        return changed


def _title(k: int, n: int, share: float, natural: float, effect: dict[str, Any], other: int) -> str:
    if not k:
        return f"None of {n:,} test rows is a copy of a row that the model learns from."
    verb = "is a copy" if k == 1 else "are copies"
    title = f"{count_of(k, 'test row')} of {n:,} {verb} of rows that the model learns from."
    title += sentence_of_answers(k, other)
    if natural > 0 and share <= 3 * natural + 0.005:
        title += " Rows repeat about as often inside the training rows, so this may be natural."
    return title + sentence_of_effect(effect)
