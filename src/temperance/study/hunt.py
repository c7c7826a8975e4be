"""The search of a study: who is tried, in which order, and for how long."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from temperance.models.pixels import pixel_count
from temperance.records.errors import StudyError
from temperance.study.images import default_net, image_specs
from temperance.study.plan import (
    SAFETY,
    Speed,
    boosting_rows,
    cost_factor,
    default_settings,
    epoch_steps,
    fit_to_budget,
    linear_rows,
    rows_for,
    trained_rows,
    trial_seconds,
)
from temperance.study.results import Result
from temperance.study.search.base import Proposer
from temperance.study.search.portfolio import Portfolio, average, basic_specs, net_specs
from temperance.study.search.tpe import TPE
from temperance.study.spec import TrialSpec

if TYPE_CHECKING:
    from temperance.study.study import Study


OVERTIME = 2.0  # seconds that a worker gets to predict after the clock ended its training


class Hunt:
    """Runs the trials of one study until the budget, the proposers or the user end it.

    Args:
        study: the study; its pool, clock and results are used.

    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.speed: Speed | None = None

    def run(self) -> None:
        if self.study.replay is not None:
            self._drive(Portfolio(self.study.replay))
            self._drain()
            return
        schema, roles = self.study.prepared.table.schema, self.study.prepared.roles
        images = schema.kind == "images"
        finished = {r.spec.name for r in self.study.results}
        basic = [s for s in basic_specs(images=images, seed=self.study.settings.seed) if s.name not in finished]
        basic = [self._capped(spec) for spec in basic]
        if self.study.settings.audit and not self.study.findings:
            self._start_audit()
        self._drive(Portfolio(basic))
        model = "user" if self.study.settings.user_task else default_net(schema)
        settings = default_settings(self.study.prepared.table, roles, model="plain" if model == "user" else model)
        settings = self._paced(model, settings)
        rows = trained_rows(roles, model)
        settings, most_rows = rows_for(settings, rows)
        steps = round(settings["epochs"] * epoch_steps(settings, most_rows or rows))
        common: dict[str, Any] = {
            "model": model, "settings": settings, "steps": steps, "task": schema.target.task,
            "has_controller_rows": len(roles.controller) > 0, "seed": self.study.settings.seed,
        }  # fmt: skip
        if schema.image_shape is not None and model != "user":
            nets = image_specs(shape=schema.image_shape, few=bool(roles.folds), **common)
        else:
            nets = net_specs(images=images, **common)
        if most_rows is not None:
            nets = [net.changed(most_rows=most_rows) for net in nets]
            self.study.left_out.append({"what": "nets on all rows", "why": f"{most_rows} rows fit the budget"})
        portfolio = Portfolio([s for s in nets if s.name not in finished])
        self._drive(portfolio)
        for spec in portfolio.left:
            self.study.left_out.append({"what": spec.name, "why": "no time left in the budget"})
        if not portfolio.left:
            base = nets[0].changed(recipe=None, adaptive=False)
            self._drive(TPE(base, task=schema.target.task, seed=self.study.settings.seed + 1, average=average(steps)))
        self._drain()

    def _capped(self, spec: TrialSpec) -> TrialSpec:
        """Return a basic model's spec with the rows that fit the budget."""
        schema, seconds = self.study.prepared.table.schema, self.study.clock.for_search
        cap = None
        if spec.model == "Boosting":
            cap = boosting_rows(seconds)
        elif spec.model == "Linear" and schema.image_shape is not None:
            cap = linear_rows(seconds, pixel_count(schema.image_shape), schema.target.outputs)
        if cap is None or cap >= len(self.study.prepared.roles.train):
            return spec
        self.study.left_out.append({"what": f"{spec.model.lower()} on all rows", "why": f"{cap} rows fit the budget"})
        return spec.changed(most_rows=cap)

    def _paced(self, model: str, settings: dict[str, Any]) -> dict[str, Any]:
        """Return settings that fit the budget, from the measured speed of a few steps."""
        spec = TrialSpec("pace", "pace", "plain", model, {"regularizers": []}, settings, seed=self.study.settings.seed)
        self.study.until_idle()
        self.study.pool.start("pace", spec=spec.to_dict())
        event = self.study.until_event("pace")[0]
        if event["event"] == "failed":
            raise StudyError(f"the net cannot be trained: {event['why']}", "", "Mend the net, or leave --task out")
        speed = self.speed = Speed(event["step_seconds"], event["fixed_seconds"])
        clock = self.study.clock
        fitted = fit_to_budget(
            settings, speed, self.study.prepared.roles, model=model, seconds=clock.for_search,
            workers=self.study.workers,
        )  # fmt: skip
        self.study.ledger.write("pace", speed=vars(speed), settings=fitted, wanted=settings)
        if fitted["epochs"] < settings["epochs"]:
            why = f"{fitted['epochs']:g} instead of {settings['epochs']:g} epochs, so that several nets fit the budget"
            self.study.left_out.append({"what": "longer training", "why": why})
        return fitted

    def _drive(self, proposer: Proposer) -> None:
        """Run what ``proposer`` asks for until it, the budget or the user ends it; running trials go on."""
        pending: TrialSpec | None = None
        self.study.proposer = proposer
        while True:
            if self._spent() or self._hopeless():
                break
            pending = pending or proposer.propose()
            if pending is None:
                break
            if not self.study.pool.idle:
                self.study.handle(0.5)
                continue
            if not self._fits(pending):
                if isinstance(proposer, Portfolio):
                    self.study.left_out.append({"what": pending.name, "why": "no time left in the budget"})
                    pending = None
                    continue
                break
            self._launch(pending)
            pending = None
        self.study.handle(0.0)

    def _spent(self) -> bool:
        trials = self.study.settings.budget.trials
        counted = sum(1 for r in self.study.results if r.spec.kind != "ensemble") + len(self.study.running())
        if self.study.replay is None and trials is not None and counted >= trials:
            return True
        return self.study.clock.for_search <= 0.2

    def _hopeless(self) -> bool:
        """Return whether the last three nets failed for one reason and none succeeded: more of them would too."""
        nets = [r for r in self.study.results if r.spec.is_net]
        last = {r.event.get("why", "") for r in nets[-3:]}
        return len(nets) >= 3 and all(r.status == "failed" for r in nets) and len(last) == 1

    def _fits(self, spec: TrialSpec) -> bool:
        return self._expected(spec) * SAFETY < self.study.clock.for_search

    def _expected(self, spec: TrialSpec) -> float:
        same = [r.seconds for r in self.study.results if r.spec.model == spec.model and r.losses is not None]
        if spec.is_net and self.speed is not None:
            planned = self._planned(spec, self.speed)
            plain = [r for r in self.study.results if r.spec.is_net and r.losses is not None]
            ratio = max([r.seconds / max(self._planned(r.spec, self.speed), 1e-6) for r in plain], default=1.0)
            return planned * max(0.5, min(ratio, 3.0))
        return max(same, default=0.5)

    def _planned(self, spec: TrialSpec, speed: Speed) -> float:
        return trial_seconds(
            spec.settings,
            speed,
            self.study.prepared.roles,
            model=spec.model,
            passes=cost_factor(spec.recipe),
            rows=spec.most_rows,
        )

    def _launch(self, spec: TrialSpec) -> None:
        if not spec.id:
            spec = spec.changed(id=f"t{self.study.count:03d}")
        self.study.count += 1
        seconds = None if math.isinf(self.study.clock.for_search) else max(0.5, self.study.clock.for_search)
        self.study.ledger.write("start", spec=spec.to_dict(), elapsed=self.study.clock.elapsed)
        self.study.pool.start("trial", spec=spec.to_dict(), seconds=seconds)

    def _start_audit(self) -> None:
        seconds = None
        if self.study.settings.budget.seconds is not None:
            seconds = max(2.0, 0.1 * self.study.settings.budget.seconds)
        self.study.pool.start("audit", seed=self.study.settings.seed, seconds=seconds)

    def _drain(self) -> None:
        """Wait for running trials; at the end of the search time they are ended."""
        while self.study.pool.running:
            self.study.handle(0.25)
            if self.study.clock.for_search < -OVERTIME:
                for job in list(self.study.pool.running):
                    self.study.pool.kill_job(job)
                    if job["job"] == "trial":
                        event = {"event": "failed", "why": "out of time", "status": "discarded"}
                        self.study.results.append(Result(TrialSpec.from_dict(job["spec"]), event))
                    else:
                        self.study.left_out.append({"what": job["job"], "why": "no time left in the budget"})
