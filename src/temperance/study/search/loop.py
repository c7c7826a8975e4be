"""The search of a study: who is tried, in which order, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temperance.models.pixels import pixel_count
from temperance.records.errors import StudyError
from temperance.study import ahead
from temperance.study.basics import (
    LEAST_AUDIT,
    LEAST_ENDING,
    absent,
    affordable,
    audit_seconds,
    basic_specs,
    expected_seconds,
    further,
    has_wide,
    numeric_forecast,
    quick,
    share_of,
    within_wide,
)
from temperance.study.candidates import outside_specs, students
from temperance.study.desk import Desk
from temperance.study.events import Paced
from temperance.study.images import FIRST_NETS, default_net, image_specs
from temperance.study.plan import (
    SAFETY,
    Speed,
    boosting_rows,
    can_fold,
    cost_factor,
    default_settings,
    epoch_steps,
    fit_to_budget,
    linear_rows,
    rows_for,
    trained_rows,
    trial_seconds,
)
from temperance.study.search.again import PREFIX, Again, untried
from temperance.study.search.base import Proposer
from temperance.study.search.portfolio import Portfolio, average, medium, net_specs, plain_early, without
from temperance.study.search.techniques import Alternate, Techniques
from temperance.study.search.tpe import TPE
from temperance.study.spec import TrialSpec
from temperance.study.starts import start_specs

LEAST_NET = 1.0  # seconds
OWN_RECIPE = "your recipe"
_CALLED = (
    "it is called with one tensor (b, n) for a table without categories, with (numeric, categorical) for one with "
    "them, with (b, c, h, w) for images; it gives logits (b, c), or values (b,) or (b, 1)"
)
UNFIT = {"raw": frozenset({"FeatureNoise"})}  # by ``Task.inputs``


def search(desk: Desk, *, replay: list[TrialSpec] | None = None, meanwhile: Callable[[], object] | None = None) -> None:
    """Run trials until the budget, the proposers or the user end it; what runs then is waited for.

    Args:
        desk: of the study.
        replay: specs of an earlier study to run again, in order, instead of a search.
        meanwhile: called once when the first trials run.

    """
    desk.clock.begin("search")
    loop = SearchLoop(desk, meanwhile)
    if replay is None:
        loop.run()
    else:
        loop.drive(Portfolio(replay), counted=False)
    desk.settle()
    ahead.gather(desk)


class SearchLoop:
    """The order of a search: what an earlier session left undone, basic models and the audit beside them, nets.

    Args:
        desk: of the study; only it is asked and told.
        meanwhile: see ``search``.

    """

    def __init__(self, desk: Desk, meanwhile: Callable[[], object] | None = None) -> None:
        self.desk, self.meanwhile = desk, meanwhile
        self.speed: Speed | None = None
        self.unfit: frozenset[str] = frozenset()  # techniques that mean nothing on the inputs of the user's net
        self.short = False  # of time: something did not fit
        self.skipped: list[TrialSpec] = []  # nets of the fixed part that did not fit

    @property
    def model(self) -> str:
        """The architecture of the nets."""
        if self.desk.settings.user_task:
            return "user"
        return default_net(self.desk.prepared.table.schema)

    def run(self) -> None:
        """Run it all."""
        desk = self.desk
        self.drive(Portfolio(desk.state.unfinished))
        self._first()
        if (paced := self._paced()) is None:
            return
        nets, steps = self._nets(paced)
        order = [*nets[:1], *further(desk.state, desk.settings.budget), *nets[1:]]
        many_images = self.model == "ConvNet" and not desk.prepared.roles.folds
        portfolio = untried(order, desk.state, seeds_after=FIRST_NETS if many_images else None)
        if (runs := desk.settings.budget.runs) is not None:
            self.drive(Portfolio(portfolio.left[:runs]))
            return
        self.drive(portfolio)
        self.drive(Portfolio(self._students(nets[0])))
        if not portfolio.left and not self._over():
            searched = self._searched(nets[0], steps)
            caught_up(searched, desk)
            self.drive(searched)
        self._fill(list(portfolio.left))

    def _fill(self, waiting: list[TrialSpec]) -> None:
        """Use what time is left: while the last nets run, and once they have closed in less than was kept back for it.

        What did not fit comes first, then the best net again; not where the search ended because it ran out of ideas.
        """
        desk, started = self.desk, -1
        if self.short or waiting:
            self.drive(Again(desk.state))
        while (self.short or waiting) and started < len(desk.state.proposed):
            started = len(desk.state.proposed)
            desk.settle()
            ahead.gather(desk)
            portfolio, self.skipped = Portfolio([*self.skipped, *waiting]), []
            self.drive(portfolio)
            self.drive(Again(desk.state))
            waiting = list(portfolio.left)
        for spec in [*self.skipped, *waiting]:
            desk.leave_out(spec.name, "no time left in the budget")

    def _searched(self, first: TrialSpec, steps: int) -> Proposer:
        """Return who proposes after the portfolio: strengths near what went well, and technique by technique."""
        task, seed = self.desk.prepared.table.schema.target.task, self.desk.settings.seed + 1
        shape = {name: value for name, value in first.architecture.items() if name != "both_sides"}
        base = first.changed(recipe=None, adaptive=False, slots=(), architecture=shape)
        strengths = TPE(base, task=task, seed=seed, average=average(steps), without=self.unfit)
        return Alternate(Techniques(first, task=task), strengths) if first.kind == "folded" else strengths

    # -- the first seconds ----------------------------------------------------------------------------------------

    def _first(self) -> None:
        """Start the basic models, the measurement of the pace and the audit, one after the other as workers are free.

        The pace comes before boosting and the audit: nothing else can go on without it.
        """
        desk, basic = self.desk, self._basic()
        self.drive(Portfolio(basic[:2]))
        if self.meanwhile is not None:
            self.meanwhile()
        if desk.state.pace is None and not self._over():
            desk.until_idle()
            desk.workers.start("pace", spec=self._unpaced().to_dict())
        self.drive(Portfolio(basic[2:]))
        if desk.settings.audit and desk.state.findings is None and not desk.state.stopped:
            desk.until_idle()
            if desk.clock.for_search < LEAST_AUDIT:
                desk.leave_out("audit", "no time left in the budget")
                return
            desk.workers.start("audit", seed=desk.settings.seed, seconds=audit_seconds(desk.settings.budget))

    def _basic(self) -> list[TrialSpec]:
        """Return the basic models that fit the budget, the simplest first, and the candidates that the user brought."""
        desk, settings = self.desk, self.desk.settings
        table, roles = desk.prepared.table, desk.prepared.roles
        schema, images = table.schema, table.schema.kind == "images"
        found = basic_specs(images=images, seed=settings.seed, wide=has_wide(schema), forecast=numeric_forecast(schema))
        basic = [s for s in found if s.name not in desk.state.names and s.model not in within_wide(schema)]
        if settings.only:  # the simplest model stays as a yardstick; it cannot win
            return [s for s in basic if s.model == "Majority"]
        kept, dear = affordable(
            [self._quick(self._capped(spec)) for spec in basic], schema, roles, seconds=desk.clock.for_search,
            workers=desk.workers.count, trials=settings.budget.trials,
        )  # fmt: skip
        for row in (*absent(images=images), *dear):
            desk.leave_out(row["what"], row["why"])
        brought = outside_specs(settings.candidates, desk.work, seed=settings.seed)
        return kept + [spec for spec in brought if spec.name not in desk.state.names]

    def _students(self, base: TrialSpec) -> list[TrialSpec]:
        """Return a net to distil from each candidate that wins and cannot ship."""
        settings = self.desk.settings
        limits = {"max_latency_ms": settings.max_latency_ms, "max_bytes": settings.max_bytes}
        taught, reasons = students(self.desk.state.results, base, **limits)
        for row in reasons:
            self.desk.leave_out(row["what"], row["why"])
        return [spec for spec in taught if spec.name not in self.desk.state.names]

    def _capped(self, spec: TrialSpec) -> TrialSpec:
        """Return a basic model's spec with the rows that fit the budget."""
        schema, seconds = self.desk.prepared.table.schema, self.desk.clock.for_search
        cap = boosting_rows(seconds) if spec.model == "Boosting" else None
        if spec.model == "Linear" and schema.image_shape is not None:
            cap = linear_rows(seconds, pixel_count(schema.image_shape), schema.target.outputs)
        if cap is None or cap >= len(self.desk.prepared.roles.train):
            return spec
        self.desk.leave_out(f"{spec.model.lower()} on all rows", f"{cap} rows fit the budget")
        return spec.changed(most_rows=cap)

    def _quick(self, spec: TrialSpec) -> TrialSpec:
        """Return a basic model's spec; for one run with fewer settings, where they take longer than somebody waits."""
        if self.desk.settings.budget.runs is None:
            return spec
        short = quick(spec, self.desk.prepared.table.schema, self.desk.prepared.roles)
        if short is not spec:
            self.desk.leave_out(f"more settings of {spec.name}", "one run is a quick look, and they take long here")
        return short

    # -- nets -----------------------------------------------------------------------------------------------------

    def _unpaced(self) -> TrialSpec:
        prepared, seed = self.desk.prepared, self.desk.settings.seed
        name = "plain" if self.model == "user" else self.model
        settings = default_settings(prepared.table, prepared.roles, model=name)
        usual = medium(prepared.table.schema.target.task) if self.model == "Tabular" else []  # part of a step's time
        return TrialSpec("pace", "pace", "plain", self.model, {"regularizers": usual}, settings, seed=seed)

    def _paced(self) -> Paced | None:
        """Return how fast nets train here and for how long they will; None where the study ended meanwhile."""
        desk = self.desk
        if desk.state.pace is None:
            while any(lease.kind == "pace" for lease in desk.workers.running) and not self._over(counted=False):
                desk.handle(0.25)
            for event in desk.take("pace"):
                if event["event"] == "failed":
                    self._untrainable(event["why"])
                else:
                    speed = Speed(event["step_seconds"], event["fixed_seconds"])
                    self._note_pace(speed, event.get("own") or {}, wall=event["wall"])
        elif desk.state.pace.settings["epochs"] < desk.state.pace.wanted["epochs"]:  # a new session has time of its own
            self._note_pace(Speed(**desk.state.pace.speed), desk.state.pace.own)
        paced = desk.state.pace
        if paced is not None:
            self.speed = Speed(**paced.speed)
            if (fitted := paced.settings["epochs"]) < (wanted := paced.wanted["epochs"]):
                why = f"{fitted:g} instead of {wanted:g} epochs, so that several nets fit the budget"
                desk.leave_out("longer training", why)
        return paced

    def _untrainable(self, why: str) -> None:
        """Leave the nets out; a user's own net that cannot be trained ends a study that was asked for it alone."""
        if self.model != "user":
            self.desk.leave_out("nets", f"cannot be trained: {why}")
            return
        if self.desk.settings.only:
            raise StudyError(f"your net cannot be trained: {why}", _CALLED, "Mend it, or leave --only-task out")
        self.desk.leave_out("your net", f"cannot be trained: {why}; {_CALLED}")

    def _note_pace(self, speed: Speed, own: dict[str, Any], *, wall: float = 0.0) -> None:
        desk = self.desk
        asked = {name: own[name] for name in ("epochs", "batch_size") if own.get(name) is not None}
        wanted = {**self._unpaced().settings, **asked}
        fitted = fit_to_budget(
            wanted, speed, desk.prepared.roles, model=self.model, seconds=desk.clock.for_search,
            workers=desk.workers.count,
        )  # fmt: skip
        desk.tell(Paced(speed=dict(vars(speed)), settings=fitted, wanted=wanted, own=own, wall=round(wall, 4)))

    def _nets(self, paced: Paced) -> tuple[list[TrialSpec], int]:
        """Return the nets in the order in which they are tried, and the steps of one training."""
        desk, schema = self.desk, self.desk.prepared.table.schema
        rows = trained_rows(desk.prepared.roles, self.model)
        settings, most_rows = rows_for(paced.settings, rows)
        steps = round(settings["epochs"] * epoch_steps(settings, most_rows or rows))
        common: dict[str, Any] = {"model": self.model, "settings": settings, "steps": steps}
        common |= {"task": schema.target.task, "seed": desk.settings.seed}
        if schema.image_shape is not None and self.model != "user":
            nets = image_specs(shape=schema.image_shape, few=bool(desk.prepared.roles.folds), **common)
        else:
            nets = net_specs(images=schema.kind == "images", folded=can_fold(self.model, desk.prepared.roles), **common)
        nets = without(nets, self._note_unfit(paced.own))
        nets = plain_early([*self._own(paced, nets[0]), *nets])
        if most_rows is not None:
            nets = [net.changed(most_rows=most_rows) for net in nets]
            desk.leave_out("nets on all rows", f"{most_rows} rows fit the budget")
        return nets, steps

    def _note_unfit(self, own: dict[str, Any]) -> frozenset[str]:
        """Note and return the techniques that cannot act on a user's net, or mean nothing on its inputs."""
        why = f'your Task has inputs="{own.get("inputs")}", and it would change these as measured numbers'
        reasons = {**own.get("refused", {}), **dict.fromkeys(UNFIT.get(str(own.get("inputs")), ()), why)}
        for name, reason in sorted(reasons.items()):
            self.desk.leave_out(f"{name} on your net", reason)
        self.unfit = frozenset(reasons)
        return self.unfit

    def _own(self, paced: Paced, like: TrialSpec) -> list[TrialSpec]:
        """Return the trials of the recipes that the user brought: with a ``Task``, and as starts of the study."""
        recipe = paced.own.get("recipe")
        task = [] if recipe is None else [{"name": OWN_RECIPE, "recipe": recipe}]
        found = start_specs([*task, *self.desk.settings.starts], like, paced.settings)
        self.desk.own = frozenset(spec.name for spec in found)
        return found

    # -- the loop -------------------------------------------------------------------------------------------------

    def drive(self, proposer: Proposer, *, counted: bool = True) -> None:
        """Run what ``proposer`` asks for until it, the budget or the user ends it; running trials go on.

        Refits that must follow anyway come before nets. Where one does not fit whole, it gets fewer epochs: no worker
        is idle while anything is worth starting.
        """
        desk, pending = self.desk, None
        desk.heard = proposer.observe
        while not (self._over(counted=counted) or self._hopeless()):
            pending = pending or proposer.propose()
            if pending is None:
                break
            if not desk.workers.idle:
                desk.handle(0.5)
                continue
            ahead.gather(desk)
            fitted = self._fitted(pending, least=proposer.least_share)
            if (pending.is_net or fitted is None) and ahead.start(desk, late=fitted is not pending):
                continue
            if fitted is not None:
                desk.launch(fitted, by=type(proposer).__name__, share=share_of(fitted))
            else:
                self._skip(pending, proposer)
                if not isinstance(proposer, Portfolio):
                    return
            pending = None
        if pending is not None and not desk.stop_asked:
            self._skip(pending, proposer)
        desk.handle(0.0)
        ahead.gather(desk)

    def _skip(self, spec: TrialSpec, proposer: Proposer) -> None:
        """Note that a trial has no time now: a net of the fixed part may still get some, see ``_fill``."""
        self.short = self.short or self.desk.settings.budget.seconds is not None
        if not isinstance(proposer, Portfolio) or spec.name.startswith(PREFIX):
            return
        if spec.is_net and not spec.id:
            self.skipped.append(spec)
        else:
            self.desk.leave_out(spec.name, "no time left in the budget")

    def _over(self, *, counted: bool = True) -> bool:
        desk = self.desk
        most = desk.settings.budget.trials
        if counted and most is not None and len(desk.state.trials) + desk.trials_running() >= most:
            return True
        return desk.stop_asked or desk.clock.for_search <= 0.2

    def _hopeless(self) -> bool:
        """Return whether the last three nets failed for one reason and none succeeded: more of them would too."""
        nets = [r for r in self.desk.state.results if r.spec.is_net]
        last = {r.event.get("why", "") for r in nets[-3:]}
        return len(nets) >= 3 and all(r.status == "failed" for r in nets) and len(last) == 1

    def _fitted(self, spec: TrialSpec, *, least: float) -> TrialSpec | None:
        """Return the trial as it fits the time that is left: whole, with fewer epochs (``least``), or not at all."""
        clock, needed = self.desk.clock, SAFETY * self._expected(spec)
        if needed < clock.for_trials or (share_of(spec) < 1 and share_of(spec) * clock.for_trials > LEAST_ENDING):
            return spec
        closing = clock.for_trials - clock.for_search
        share = clock.for_search / max(needed - closing, 1e-6)
        if not spec.is_net or spec.id or share < least or clock.for_search < LEAST_NET:
            return None
        return spec.changed(settings={**spec.settings, "epochs": round(spec.settings["epochs"] * share, 4)})

    def _expected(self, spec: TrialSpec) -> float:
        """Return the seconds that a trial will hold a worker, from the plan and from how true earlier plans were."""
        same = [r.wall for r in self.desk.state.done if r.spec.model == spec.model]
        if spec.kind == "basic" and not same:
            return expected_seconds(spec, self.desk.prepared.table.schema, self.desk.prepared.roles)
        if not spec.is_net or self.speed is None:
            return max(same, default=0.5)
        ratios = [r.wall / max(self._planned(r.spec, self.speed), 1e-6) for r in self.desk.state.done if r.spec.is_net]
        return self._planned(spec, self.speed) * max(0.5, min(max(ratios, default=1.0), 3.0))

    def _planned(self, spec: TrialSpec, speed: Speed) -> float:
        return trial_seconds(
            spec.settings, speed, self.desk.prepared.roles, model=spec.model, passes=cost_factor(spec.recipe),
            rows=spec.most_rows,
        )  # fmt: skip


def caught_up(proposer: Proposer, desk: Desk) -> None:
    """Have a proposer go again through what it said and heard in earlier sessions: it does not propose that anew."""
    name = type(proposer).__name__
    for word, *rest in list(desk.state.history):
        if word == "asked" and rest[0] == name:
            proposer.propose()
        elif word == "told":
            proposer.observe(rest[0], rest[1])
