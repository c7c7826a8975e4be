"""The steward of a served model: experts run in the shadow, and what they say is served where labels prove it.

Use::

    steward = Steward(bundle.reference, bundle.schema, shares=…, model=bundle.predict, level="adapt")
    served, tickets = steward.serve(rows, answers, members)     # answers of the source model; what is sent
    steward.feedback(tickets, truth)                            # later, in any order: class codes or values
    steward.summary(); steward.rollback("owner asked"); steward.freeze()

Levels: ``observe`` hands every array back untouched, the same object; ``shadow`` does the whole reckoning and serves
the source; ``adapt`` serves what has been proven. Three ways to a change:

1. *Labels come*: a mixture of the experts (``mixture``) is compared with the source, row by row, on what both said when
   the row was served. Proven better: what is sent moves towards it, as far as what was won could pay for (``reach``).
   Proven worse, its credit spent, or traffic unlike that of the labelled rows (``ground``): back, at once.
2. *No labels, an input is strange* (``statistics``): its middle lies where the reference has no row at all, so the
   source model guesses; answers on the input moved back are served until it is usual again, or labels prove harm.
3. *No labels, class shares move*: ``guard.Guarded`` with its own proof. Labels may end it too.

While the source is served the array that came in is handed on, bit for bit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from temperance.adaptation import reasons
from temperance.adaptation.base import State
from temperance.adaptation.experts.base import EXPERTS, Expert
from temperance.adaptation.features import Features
from temperance.adaptation.ground import Ground
from temperance.adaptation.guard import Guarded, Level
from temperance.adaptation.losses import Losses
from temperance.adaptation.machine import Machine, Rules
from temperance.adaptation.memory import Labelled, Pending, Waiting, packed, unpacked
from temperance.adaptation.mixture import Mixture
from temperance.adaptation.reach import Reach
from temperance.adaptation.rollback import SOURCE, Log, digest
from temperance.adaptation.statistics import Statistics
from temperance.adaptation.traffic import Setting, Traffic
from temperance.records.errors import DataError, SettingError
from temperance.records.schema import Rows, Schema

REFRESH = 32  # labels after which experts are fitted again
Serving = Literal["source", "experts", "alignment", "shares"]


class Steward:
    """Experts behind one state machine.

    Args:
        reference: arrays of ``monitoring.reference.build`` with targets.
        schema: columns of the rows.
        level: ``observe``, ``shadow`` or ``adapt``.
        shares: weights of the source model's members, where ``serve`` is given their answers.
        model: answers of the source model for rows; without it inputs are never moved back.
        experts: those that run; all registered where left out.
        mixture: how trust moves between them.
        rules: of the state machine.
        unlabelled: the guard of the way without labels; None: that way is closed.
        log: of an earlier run to go on with.
        clock: wall clock for the log; None leaves times out, so that a replay writes the same log.

    Raises:
        DataError: the reference was built without targets.
        SettingError: an unknown level.

    """

    def __init__(
        self,
        reference: State,
        schema: Schema,
        *,
        level: Level = "observe",
        shares: Sequence[float] | None = None,
        model: Callable[[Rows], NDArray[Any]] | None = None,
        experts: Sequence[Expert] | None = None,
        mixture: Mixture | None = None,
        rules: Rules | None = None,
        unlabelled: Guarded | None = None,
        log: Log | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        if level not in ("observe", "shadow", "adapt"):
            raise SettingError(f"level={level!r}", "observe, shadow or adapt", "Start with observe")
        self.level, self.schema, self.model, self.clock = level, schema, model, clock
        self.features = Features(reference, schema) if schema.kind == "table" else None
        self.statistics, self.ground = Statistics(reference, schema), Ground(reference["sample"])
        width = 0 if self.features is None else self.features.width
        self.setting = Setting.of(reference, features=width, shares=shares)
        self.mixture, self.machine = mixture or Mixture(), Machine(rules)
        begun = [(one, one.begin(self.setting)) for one in (default_experts() if experts is None else experts)]
        self.experts = tuple(one for one, state in begun if state is not None)
        self.states = [state for _, state in begun if state is not None]
        self.weights = self.mixture.begin(1 + len(self.experts))
        self.error = self.setting.error * self.setting.scale**2
        self.losses = Losses(self.setting.classes, self.error)
        unit = 0.0 if self.setting.classes else self.setting.scale**2
        self.reach = Reach(unit, credit=self.machine.rules.credit)
        self.unlabelled, self.log = unlabelled, log or Log()
        self.version, self.versions, self.kind = SOURCE, SOURCE, "source"
        self.pending, self.known = Pending(), Labelled()
        self._fresh: list[tuple[Traffic, NDArray[Any]]] = []
        self._new = 0
        self.rows = self.changed = 0
        self._lock = threading.Lock()

    @property
    def serving(self) -> Serving:
        """What is sent now (at level shadow: what would be)."""
        if self.kind != "source":
            return self.kind  # type: ignore[return-value]  # one of the literals, set here
        return "shares" if self.unlabelled is not None and self.unlabelled.adapted else "source"

    def serve(
        self, rows: Rows, answers: NDArray[Any], members: NDArray[Any] | None = None
    ) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return what is sent, and the rows' tickets for ``feedback``; the answer rests on earlier rows only.

        Shapes: answers (b, c) probabilities or (b,) values · members (b, k, c) or (b, k).
        """
        with self._lock:
            first = self.rows
            self.rows += len(answers)
            if self.level == "observe" or not len(answers):
                return answers, np.arange(first, self.rows, dtype=np.int64)
            traffic = self._traffic(rows, answers, members)
            said = np.stack([answers, *(e.apply(s, traffic) for e, s in zip(self.experts, self.states, strict=True))])
            said = np.where(np.isfinite(said), said, answers)
            mixed = self.mixture.blend(self.weights, said)
            out = self._chosen(traffic, mixed)
            sent = answers if self.kind == "source" else out
            tickets = self.pending.add(Waiting(traffic, said, mixed, sent))
            self.states = [e.adapt(s, traffic) for e, s in zip(self.experts, self.states, strict=True)]
            self.statistics.observe(rows)
            self.ground.see(answers)
            self._watch(len(answers))
        return (out if self.level == "adapt" else answers), tickets

    def feedback(self, tickets: NDArray[Any], truth: NDArray[Any]) -> int:
        """Take the truth (b,) of served rows, class codes or values; return how many rows it was still known for.

        Each ticket counts once; that is the caller's care.

        Raises:
            DataError: a truth that is no class or not a number, or an unknown ticket.

        """
        target = self._checked(tickets, truth)
        with self._lock:
            found = np.asarray(tickets, dtype=np.int64).ravel()
            if self.level == "observe" or not (found >= self.pending.oldest).any():
                return 0
            waiting, kept = self.pending.take(found)
            target = target[kept]
            self.ground.tell(waiting.traffic.answers)
            self._judge(waiting, target, found[kept])
            self.weights = self.mixture.update(self.weights, waiting.experts, target, self.error)
            self._fresh.append((waiting.traffic, target))
            self._new += len(target)
            if self._new >= REFRESH:
                self._learn()
        return len(kept)

    def rollback(self, reason: str = "asked for") -> None:
        """Serve the source from the next row on; calling it again changes nothing."""
        with self._lock:
            if self.kind != "source":
                self.machine.back(reason, forced=False)
                self._return(reason)
            if self.unlabelled is not None:
                self.unlabelled.rollback(reason)

    def freeze(self) -> None:
        """Go back to the source and stay there until ``thaw``."""
        self.rollback("frozen")
        self.machine.frozen = True
        if self.unlabelled is not None:
            self.unlabelled.freeze()

    def thaw(self) -> None:
        """Allow changes again."""
        self.machine.frozen = False
        if self.unlabelled is not None:
            self.unlabelled.thaw()

    def summary(self) -> dict[str, Any]:
        """Return a JSON-safe snapshot for ``/metrics``, ``/health`` and reports."""
        with self._lock:
            machine = self.machine
            trust = dict(zip(["source", *self.names], self.weights.tolist(), strict=True))
            return {
                "level": self.level, "state": "frozen" if machine.frozen else machine.phase, "serving": self.serving,
                "version": self.version, "rows": self.rows, "labels": machine.labels, "answers_changed": self.changed,
                "evidence_of_gain": machine.gain.value, "evidence_of_harm": machine.harm.value,
                "cooldown_left": machine.quiet, "trust": trust,
                "moved_inputs": [column._asdict() for column in self.statistics.moved],
                "events": len(self.log.events), **self._reason(),
                "may_cost": round(self.reach.bank if self.kind == "experts" else self.reach.credit, 3),
                "unlabelled": None if self.unlabelled is None else self.unlabelled.summary(),
            }  # fmt: skip

    def _reason(self) -> dict[str, str]:
        """Return why it is as it is: ``reason`` in words, ``why`` as one word of a fixed list."""
        logs = [self.log.events, [] if self.unlabelled is None else self.unlabelled.log.events]
        last = max((events[-1] for events in logs if events), key=lambda event: int(event["row"]), default=None)
        if self.machine.frozen:
            return {"reason": "frozen by the owner", "why": "frozen"}
        if last is None:
            said = f"nothing is proven to be better than the shipped model; {self.machine.labels} labels so far"
            return {"reason": said, "why": "nothing_proven"}
        return {"reason": f"{last['reason']} (row {last['row']})", "why": reasons.word(last["reason"])}

    @property
    def names(self) -> list[str]:
        """Names of the experts."""
        return [type(expert).__name__ for expert in self.experts]

    def state_dict(self) -> State:
        """Return all that changes, rows that wait for their labels among it, so that a restart goes on bit for bit."""
        with self._lock:
            counts = [self.rows, self.changed, self.version, self.versions, self._new]
            fresh = packed([traffic for traffic, _ in self._fresh])
            truth = np.concatenate([np.empty(0), *(target for _, target in self._fresh)])
            return {
                "names": np.array(self.names, dtype=np.str_), "weights": self.weights.copy(), "log": self.log.packed(),
                "counts": np.array(counts, dtype=np.int64), "kind": np.array(self.kind), **self._arrays(),
                "fresh/truth": truth, **{f"fresh/{k}": v for k, v in fresh.items()},
                **{f"{name}/{k}": v for name, part in self._parts() for k, v in part.state_dict().items()},
            }  # fmt: skip

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where ``state_dict`` was taken.

        Raises:
            DataError: the state is of other experts.

        """
        if state["names"].tolist() != self.names:
            raise DataError(f"state of the experts {state['names'].tolist()}", f"{self.names}", "Begin anew")
        with self._lock:
            self.states = [_below(state, f"expert/{i}/") for i in range(len(self.experts))]
            self.weights, self.kind = np.array(state["weights"]), str(state["kind"])
            self.rows, self.changed, self.version, self.versions, self._new = (int(n) for n in state["counts"])
            self.log = Log.unpacked(state["log"])
            fresh = _below(state, "fresh/")
            self._fresh = [(unpacked(fresh), fresh["truth"])] if len(fresh["truth"]) else []
            for name, part in self._parts():
                part.load_state_dict(_below(state, f"{name}/"))

    def _parts(self) -> list[tuple[str, Any]]:
        found = [
            ("machine", self.machine), ("reach", self.reach), ("ground", self.ground), ("pending", self.pending),
            ("known", self.known), ("statistics", self.statistics), ("losses", self.losses),
        ]  # fmt: skip
        return found if self.unlabelled is None else [*found, ("unlabelled", self.unlabelled)]

    def _arrays(self) -> State:
        return {f"expert/{i}/{k}": np.array(v) for i, state in enumerate(self.states) for k, v in state.items()}

    # -- parts --------------------------------------------------------------------------------------------------------

    def _traffic(self, rows: Rows, answers: NDArray[Any], members: NDArray[Any] | None) -> Traffic:
        numbers = None if self.features is None else self.features.of(rows)
        aligned = None
        if self.model is not None:
            aligned = self.model(self.statistics.align(rows)) if self.statistics.moved else answers
        return Traffic(answers, members, numbers, aligned)

    def _chosen(self, traffic: Traffic, mixed: NDArray[Any]) -> NDArray[Any]:
        """Return what is sent."""
        answers = traffic.answers
        risks = self.reach.observe(answers, mixed)
        if self.kind == "source":
            if self.unlabelled is None:
                return answers
            return self.unlabelled.transform(answers)
        new = answers if traffic.aligned is None else traffic.aligned
        if self.unlabelled is not None:
            self.unlabelled.transform(answers)  # it goes on learning
        if self.kind == "experts":
            reach = self.reach.grant(self.pending.next, risks) * self.ground.covers(answers)
            reach = reach.reshape(-1, *[1] * (answers.ndim - 1))
            new = answers + reach * (mixed - answers)
        if answers.ndim == 2:
            self.changed += int((new.argmax(axis=1) != answers.argmax(axis=1)).sum())
        return new.astype(answers.dtype, copy=False)

    def _watch(self, count: int) -> None:
        """Move on without labels: a strange input begins the second way, its end ends it."""
        reason = ""
        if self.kind == "experts":
            reason = self.machine.tick(count)
            if not reason and not self.ground.holds():
                reason = self.machine.back(reasons.UNLIKE, forced=False)
        else:
            self.machine.rest(count)
            strange = self.statistics.strange and self.model is not None
            if self.kind == "alignment" and not strange:
                reason = self.machine.back(reasons.USUAL, forced=False)
            elif self.kind == "source" and strange and not self.machine.quiet and not self.machine.frozen:
                names = ", ".join(c.name for c in self.statistics.moved)
                self._begin("alignment", f"{names}: {reasons.BEYOND}")
                self.machine.start()
                self.machine.phase = "adapted"
        if reason:
            self._return(reason)

    def _judge(self, waiting: Waiting, target: NDArray[Any], tickets: NDArray[Any]) -> None:
        answers = waiting.traffic.answers
        if self.unlabelled is not None and self.unlabelled.adapted:
            self.unlabelled.feedback(answers, target.astype(np.int64))
        new = waiting.mixed
        if self.kind == "alignment" and waiting.traffic.aligned is not None:
            new = waiting.traffic.aligned
        self.losses.see(answers, target)
        losses, errors = self.losses.between(answers, waiting.sent, target)
        sent = (waiting.sent != answers).reshape(len(answers), -1).any(axis=1)
        self.reach.tell(tickets, self.losses.height / (self.reach.unit or 1.0) * errors, self.pending.next)
        happened = self.machine.judge(
            *self.losses.between(answers, new, target), sent=sent, worth=(losses + errors) / 2,
            may_begin=self.ground.holds(),
        )  # fmt: skip
        if not happened and self.kind == "experts" and self.reach.spent:
            happened = self.machine.back(reasons.SPENT, forced=True)
        if happened == "promote":
            self.reach.begin()
            self._begin("experts", reasons.PROVEN)
        elif happened == "settle":
            self._note("settle", self.version, reasons.PROVEN_SENT)
        elif happened:
            self._return(happened)

    def _learn(self) -> None:
        for traffic, target in self._fresh:
            self.known.add(traffic, target)
        fresh = Traffic.stack([t for t, _ in self._fresh]), np.concatenate([y for _, y in self._fresh])
        self._fresh, self._new = [], 0
        whole = self.known.all()
        self.states = [e.learn(s, fresh, whole) for e, s in zip(self.experts, self.states, strict=True)]

    def _begin(self, kind: Serving, reason: str) -> None:
        before, self.kind = self.version, kind
        self.versions += 1
        self.version = self.versions
        self._note("promote", before, reason, evidence=self.machine.gain.value)

    def _return(self, reason: str) -> None:
        before, self.version, self.kind = self.version, SOURCE, "source"
        harm = max(self.machine.harm.value, self.machine.errors.value)
        self._note("rollback", before, reason, harm=harm, labels=float(self.machine.labels))

    def _note(self, event: str, before: int, reason: str, **figures: float) -> None:
        row: dict[str, Any] = {
            "event": event, "row": self.rows, "from": before, "to": self.version, "kind": self.kind, "reason": reason,
            "level": self.level, "figures": figures, "snapshot": digest({"weights": self.weights, **self._arrays()}),
        }  # fmt: skip
        if self.clock is not None:
            row["time"] = self.clock()
        self.log.add(row)

    def _checked(self, tickets: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float64]:
        target = np.asarray(truth, dtype=np.float64).ravel()
        classes = self.setting.classes
        if len(target) != len(np.ravel(tickets)):
            raise DataError(f"{len(target)} labels for {len(np.ravel(tickets))} tickets", "one each", "Pass both")
        if not np.isfinite(target).all() or (classes and ((target < 0) | (target >= classes)).any()):
            raise DataError("a label is no class or not a number", f"codes below {classes}" if classes else "numbers")
        return target


def _below(state: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    """Return copies of the arrays whose names begin with ``prefix``, without it."""
    return {name[len(prefix) :]: np.array(array) for name, array in state.items() if name.startswith(prefix)}


def default_experts() -> list[Expert]:
    """Return one of each registered expert, with default settings, in the order of their names."""
    from temperance.adaptation.experts import load

    load()
    return [kind() for _, kind in sorted(EXPERTS.items())]
