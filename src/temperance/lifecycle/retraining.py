"""``retrain``: train the recipe of a bundle on new data and let the result stand against the model in use.

``OUT/retrain.json``, schema 1:

=================  ====================================================================================
``decision``       ``promote`` or ``keep``; ``sentence`` and ``why`` say it in words
``bundle``         folder of the model to serve: the challenger's or the champion's
``champion``       folder, version, fingerprint of its data, ``measurements`` on the test rows
``challenger``     the same of the new model, with ``notes`` on its training and ``members``
``comparison``     ``metric``, the paired ``difference`` with its interval, ``p``, ``method``, ``verdict``
``changes``        what differs between the two data sets: ``{"column", "what"}``
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

from temperance.data import save_roles, split
from temperance.data.choices import AS_FOUND, Choices
from temperance.deployment import load
from temperance.deployment.manifest import check_manifest
from temperance.evaluation import Comparison, Evaluation, compare, evaluate, losses
from temperance.lifecycle.base import Decision, Policy
from temperance.lifecycle.better_only import BetterOnly
from temperance.lifecycle.champion import Champion, Served, check_trainable, open_champion
from temperance.lifecycle.renewal import Renewal, renew
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
        group: column whose values must not be split between training and test.
        time_column: column to split by in time: the latest rows are the test.
        task: ``module:function``, where the champion is a user's own net.
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
    renewal, roles = run.read(champion, data, target, group, time_column, choices)
    challenger = run.train(champion, renewal, device)
    return run.decide(champion, challenger, renewal, roles, policy or BetterOnly())


@dataclass(eq=False)
class _Run:
    folder: Path
    out: Path
    budget: Budget
    seed: int
    started: float
    progress: Progress
    task: str = ""
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
        self, champion: Champion, data: Any, target: str | None, group: str | None, time_column: str | None,
        choices: Choices,
    ) -> tuple[Renewal, Roles]:  # fmt: skip
        """Read and split the new data, and store them for the training."""
        self._say("read", "Reading the new data")
        work = self.out / "work"
        work.mkdir(parents=True, exist_ok=True)
        renewal = renew(
            data, champion.bundle.schema, target=target, group=group, time=time_column, workdir=work / "read",
            choices=choices, weight=champion.weight,
        )  # fmt: skip
        table = renewal.reading.table
        roles = split(table, seed=self.seed)
        if not len(roles.test):
            raise DataError("no rows are left for the test", "at least one labelled test row", "Give more rows")
        save_table(table, work / "table")
        save_roles(roles, work / "roles.npz")
        self._spend("read")
        return renewal, roles

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
                         "parent": champion.bundle.version,
                         **({} if champion.weight is None else {"weight": champion.weight})},
            )  # fmt: skip
        self._spend("export")
        members = [{"weight": w, "name": s.name, "model": s.model} for w, s in champion.members]
        return {"mode": plan.mode, "epochs_share": plan.epochs_share, "notes": made.notes, "members": members}

    def decide(
        self, champion: Champion, challenger: dict[str, Any], renewal: Renewal, roles: Roles, policy: Policy
    ) -> dict[str, Any]:
        """Test both bundles on the same rows, decide, and write ``retrain.json``."""
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
        document = self._document(champion, challenger, renewal, roles, tests, compared, decision)
        write_text(self.out / "retrain.json", dumps(document, indent=1))
        return document

    def _document(
        self, champion: Champion, challenger: dict[str, Any], renewal: Renewal, roles: Roles,
        tests: list[Evaluation], compared: Comparison, decision: Decision,
    ) -> dict[str, Any]:  # fmt: skip
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
            "changes": list(renewal.changes), "data": read, "roles": roles.to_dict(),
            "budget": {"seconds": self.budget.seconds, "spent": {**self.spent, "total": self._elapsed()}},
            "limits": _limits(champion, str(read["sha256"]), len(roles.test)),
        }  # fmt: skip

    def _elapsed(self) -> float:
        return round(time.monotonic() - self.started, 3)

    def _spend(self, part: str) -> None:
        self.spent[part] = round(self._elapsed() - sum(self.spent.values()), 3)

    def _say(self, part: str, message: str) -> None:
        left = None if self.budget.seconds is None else self.budget.seconds - self._elapsed()
        self.progress({"part": part, "message": message, "elapsed": self._elapsed(), "left_seconds": left})


def _limits(champion: Champion, data: str, rows: int) -> list[str]:
    said = [
        f"The comparison rests on {rows:,} rows of the new data; on rows of another kind it may end otherwise.",
        "If the new data hold rows that the model in use was trained on, the test favours that model.",
    ]
    if champion.data and champion.data == data:
        said.append("The new data are the very data that the model in use was made from.")
    return said
