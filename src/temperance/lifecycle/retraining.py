"""``retrain``: train the recipe of a bundle on new data and let the result stand against the model in use.

``OUT/retrain.json``, schema 1:

=================  ====================================================================================
``decision``       ``promote`` or ``keep``; ``sentence`` and ``why`` say it in words
``bundle``         folder of the model to serve: the challenger's or the champion's
``champion``       folder, version, fingerprint of its data, ``measurements`` on the test rows
``challenger``     the same of the new model, with ``notes`` on its training and ``members``
``comparison``     ``metric``, the paired ``difference`` with its interval, ``p``, ``method``, ``verdict``
``changes``        what differs between the two data sets: ``{"column", "what"}``
``seen``           rows that the model in use was trained on: ``rows``, ``of``, ``known``, ``how``
``strengths``      whether more or less regularization is needed now: ``need``, ``sentence``, ``changes``, ``losses``
``data``           what was read, as in ``study.json`` but without the profile; ``roles``: counts and scheme
``budget``         ``seconds`` and ``spent`` by part; ``seed``; ``limits``: plain sentences
=================  ====================================================================================
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temperance.data import save_roles
from temperance.data.choices import AS_FOUND, Choices
from temperance.deployment import Bundle, load
from temperance.deployment.manifest import check_manifest
from temperance.deployment.opening.of_bundle import training_rows
from temperance.evaluation import Comparison, Evaluation, compare, evaluate, losses
from temperance.lifecycle.base import Decision, Policy
from temperance.lifecycle.better_only import BetterOnly
from temperance.lifecycle.champion import Champion, Served, check_trainable, open_champion
from temperance.lifecycle.papers import write_renewed_papers
from temperance.lifecycle.renewal import Renewal, renew
from temperance.lifecycle.seen import Lookup, Seen, find, split_unseen
from temperance.records.atomic import write_text
from temperance.records.errors import DataError, StudyError
from temperance.records.plain_json import dumps
from temperance.records.roles import Roles
from temperance.records.version import __version__
from temperance.study.clock import Budget, parse_budget
from temperance.study.store import save_table

SCHEMA = 1
Progress = Callable[[dict[str, Any]], None]
"""Called with ``{"part", "message", "elapsed", "left_seconds"}`` whenever something begins."""


def retrain(
    bundle: str | Path,
    data: Any,
    *,
    target: str | None = None,
    budget: Budget | str = "2m",
    out: str | Path,
    seed: int = 0,
    group: str | None = None,
    time_column: str | None = None,
    task: str = "",
    champion_data: str | Path | None = None,
    candidates: Sequence[str] = (),
    device: str = "cpu",
    policy: Policy | None = None,
    choices: Choices = AS_FOUND,
    started: float | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train a challenger and compare it with the champion on rows that the challenger never saw.

    The champion's folder is only read. The challenger is written to ``OUT/bundle`` whatever the decision.

    Args:
        bundle: folder of the champion.
        data: new data, of the same columns: anything that ``data.read`` takes.
        target: column to predict; that of the champion where left out.
        budget: wall clock, ``"2m"``; a budget in trials has no clock here.
        out: new folder.
        seed: of the split and the training.
        group: column whose values must not be split between training and test; the study's own where left
            out, none where empty.
        time_column: column to split by in time: the latest rows are the test; as ``group``.
        task: ``module:function``, where the champion is a user's own net.
        champion_data: the data that the champion was made from: rows that are in both are never test rows.
        candidates: ``module:name`` of models from outside that the champion's recipe names and that may be imported.
        device: where nets are trained.
        policy: when the challenger wins; ``BetterOnly()`` where left out.
        choices: what the user decided about how the new data are written.
        started: ``time.monotonic()`` that the budget counts from; now where left out.
        progress: told of every step.

    Returns:
        What ``OUT/retrain.json`` holds.

    Raises:
        BundleError: the champion is damaged or holds no recipe.
        DataError: the data do not fit the champion.
        BudgetError: the budget is too small; the message says the least that works.
        StudyError: ``out`` is taken.

    """
    parsed = parse_budget(budget) if isinstance(budget, str) else budget
    began = time.monotonic() if started is None else started
    run = _Run(Path(bundle), Path(out), parsed, seed, began, progress or (lambda _: None), task)
    champion = run.open(candidates)
    renewal, roles, seen = run.read(champion, data, target, (group, time_column), choices, champion_data)
    challenger = run.train(champion, renewal, device)
    return run.decide(champion, challenger, renewal, (roles, seen), policy or BetterOnly())


@dataclass(eq=False)
class _Run:
    folder: Path
    out: Path
    budget: Budget
    seed: int
    started: float
    progress: Progress
    task: str = ""
    guides: dict[str, str] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)

    def open(self, candidates: Sequence[str]) -> Champion:
        """Load the champion and take the place for the challenger."""
        champion = open_champion(self.folder)
        check_trainable(champion, self.task, candidates)
        place = self.out.resolve()
        if self.folder.resolve() in (place, *place.parents):
            raise StudyError(
                f"the folder {str(self.out)!r} lies in the bundle", "a folder elsewhere", "Choose another name for out"
            )
        taken = [name for name in ("bundle", "retrain.json", "study.json", "work") if (self.out / name).exists()]
        if taken:
            raise StudyError(
                f"the folder {str(self.out)!r} holds {', '.join(taken)}", "a new folder", "Choose another name for out"
            )
        return champion

    def read(
        self, champion: Champion, data: Any, target: str | None, guides: tuple[str | None, str | None],
        choices: Choices, champion_data: str | Path | None,
    ) -> tuple[Renewal, Roles, Seen]:  # fmt: skip
        """Read and split the new data, and store them for the training."""
        self._say("read", "Reading the new data")
        work = self.out / "work"
        work.mkdir(parents=True, exist_ok=True)
        told = dict(zip(("group", "time"), guides, strict=True))
        group, when = (champion.option(name) if own is None else own or None for name, own in told.items())
        found = {"group": group, "time": when, "weight": champion.weight}
        self.guides = {name: column for name, column in found.items() if column is not None}
        renewal = renew(
            data, champion.bundle.schema, target=target, group=group, time=when, workdir=work / "read",
            choices=choices, weight=champion.weight,
        )  # fmt: skip
        table = renewal.reading.table
        seen = find(
            table, same=bool(champion.data) and champion.data == table.fingerprint, champion_data=champion_data,
            workdir=work / "old", choices=choices, lookup=_marks_of(champion.bundle),
        )  # fmt: skip
        roles = split_unseen(table, seen, seed=self.seed)
        if not len(roles.test):
            raise DataError("no rows are left for the test", "at least one labelled test row", "Give more rows")
        save_table(table, work / "table")
        save_roles(roles, work / "roles.npz")
        self._spend("read")
        return renewal, roles, seen

    def train(self, champion: Champion, renewal: Renewal, device: str) -> dict[str, Any]:
        """Train and export the challenger; return its part of ``retrain.json``."""
        import temperance.regularizers
        import temperance.signals  # noqa: F401  # both fill their registries
        from temperance.lifecycle.challenger import Challenger, one_thread, timer
        from temperance.study.runner import Runner

        self._say("train", "Measuring the speed of this machine")
        runner = Runner(self.out / "work", task=self.task, device=device)
        left = timer(self.budget.seconds, self.started)
        made = Challenger(champion, runner, self.seed, left, lambda words: self._say("train", words))
        with one_thread():
            plan = made.train(elapsed=time.monotonic() - self.started)
            self._spend("train")
            self._say("export", "Testing and exporting")
            made.export(
                self.out / "bundle", name=champion.bundle.name,
                details={"data": renewal.reading.table.fingerprint, "temperance": __version__,
                         "parent": champion.bundle.version, **self.guides},
            )  # fmt: skip
        self._spend("export")
        members = [{"weight": w, "name": s.name, "model": s.model} for w, s in champion.members]
        answer = None if made.strengths is None else made.strengths.to_dict()
        return {"mode": plan.mode, "epochs_share": plan.epochs_share, "notes": made.notes, "members": members,
                "strengths": answer}  # fmt: skip

    def decide(
        self, champion: Champion, challenger: dict[str, Any], renewal: Renewal, parts: tuple[Roles, Seen],
        policy: Policy,
    ) -> dict[str, Any]:  # fmt: skip
        """Test both bundles on the same rows, decide, and write ``retrain.json``."""
        roles = parts[0]
        self._say("test", "Comparing both models on the test rows")
        table = renewal.reading.table
        fresh = load(self.out / "bundle")
        tests = [
            evaluate(Served(one), table, roles.test, seed=self.seed, budget_seconds=0.0)
            for one in (fresh, champion.bundle)
        ]
        first, second = (losses(one.outcome, champion.metric) for one in tests)
        groups = None if table.group is None else table.group[roles.test]
        compared = compare(first, second, metric=champion.metric, groups=groups, seed=self.seed)
        decision = policy.decide(compared, metric=champion.metric)
        check_manifest(self.folder)  # the champion is as it was
        self._spend("test")
        document = self._document(champion, challenger, renewal, parts, tests, compared, decision)
        write_renewed_papers(document, champion.bundle)
        write_text(self.out / "retrain.json", dumps(document, indent=1))
        return document

    def _document(
        self, champion: Champion, challenger: dict[str, Any], renewal: Renewal, parts: tuple[Roles, Seen],
        tests: list[Evaluation], compared: Comparison, decision: Decision,
    ) -> dict[str, Any]:  # fmt: skip
        roles, seen = parts
        told = challenger.pop("strengths")
        place = self.out / "bundle" if decision.choice == "promote" else self.folder
        read = {key: value for key, value in renewal.reading.to_dict().items() if key != "profile"}
        fresh, old = ({m.name: m.to_dict() for m in one.measurements} for one in tests)
        return {
            "schema": SCHEMA, "temperance": __version__,
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "seed": self.seed,
            **decision.to_dict(), "bundle": str(place), "folder": str(self.out),
            "champion": {"folder": str(self.folder), "version": champion.bundle.version, "data": champion.data,
                         "measurements": old},
            "challenger": {"folder": str(self.out / "bundle"), "version": load(self.out / "bundle").version,
                           "data": read["sha256"], "measurements": fresh, **challenger},
            "comparison": {"metric": champion.metric, **compared.to_dict()},
            "changes": list(renewal.changes), "seen": seen.to_dict(), "strengths": told, "data": read,
            "roles": roles.to_dict(),
            "budget": {"seconds": self.budget.seconds, "spent": {**self.spent, "total": self._elapsed()}},
            "limits": _limits(seen, len(roles.test)),
        }  # fmt: skip

    def _elapsed(self) -> float:
        return round(time.monotonic() - self.started, 3)

    def _spend(self, part: str) -> None:
        self.spent[part] = round(self._elapsed() - sum(self.spent.values()), 3)

    def _say(self, part: str, message: str) -> None:
        left = None if self.budget.seconds is None else self.budget.seconds - self._elapsed()
        self.progress({"part": part, "message": message, "elapsed": self._elapsed(), "left_seconds": left})


def _marks_of(bundle: Bundle) -> Lookup | None:
    """Return what knows the training rows of a bundle, or None where it holds no marks."""
    marks = training_rows(bundle)
    if marks is None:
        return None
    return lambda table: marks.seen(table.rows, table.schema, table.target).learned


def _limits(seen: Seen, rows: int) -> list[str]:
    said = [f"The comparison rests on {rows:,} rows of the new data; on rows of another kind it may end otherwise."]
    if seen.known and not seen.rows.any():
        said.append("None of the new rows is one that the model in use was trained on.")
    elif seen.known:
        said.append(f"{int(seen.rows.sum()):,} rows that the model in use was trained on are not among them.")
    else:
        said.append(
            "Rows that the model in use was trained on could not be recognised; where the new data hold some, the test "
            "favours that model. --champion-data FILE names the data that it was made from."
        )
    return said
