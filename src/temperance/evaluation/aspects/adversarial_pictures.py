"""Attacks on pictures: curves over budgets in two norms, signs of hidden slopes, AutoAttack, certificate."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from temperance.evaluation.adversarial import autoattack
from temperance.evaluation.adversarial.active import active_test
from temperance.evaluation.adversarial.ball import BALLS
from temperance.evaluation.adversarial.curve import Curve, curve
from temperance.evaluation.adversarial.masking import masking
from temperance.evaluation.adversarial.smoothing import certify
from temperance.evaluation.adversarial.tiers import attack
from temperance.evaluation.adversarial.views import View, pictures
from temperance.evaluation.aspects.base import Case, Reading
from temperance.evaluation.aspects.robust_figures import PREFIXES, UPPER, Plan, budgets, doubts, share
from temperance.records.errors import MissingExtra
from temperance.records.measurement import Measurement

USUAL = {
    "Linf": (1 / 255, 2 / 255, 4 / 255, 8 / 255, 16 / 255, 32 / 255),
    "L2": (0.25, 0.5, 1.0, 2.0, 4.0),
}
PROBED = {"Linf": 8 / 255, "L2": 0.5}
SIGMA = 0.25
Parts = dict[str, Any]


def measure(case: Case, index: NDArray[np.int64], plan: Plan) -> Reading:
    """Attack the pictures of ``index``.

    Shapes: index (n,).
    """
    rows = case.table.rows.take(index)
    view = pictures(case.subject, rows)
    y = torch.from_numpy(np.asarray(case.table.target[index], dtype=np.int64))
    curves = {
        norm: curve(
            view.victim, view.points, y, budgets(case, norm, USUAL[norm]), norm=norm, tier=case.tier, seed=case.seed,
            deadline=case.deadline,
        )
        for norm in plan.norms
    }  # fmt: skip
    details, not_done = _trust(case, view, y, plan)
    flags = doubts(details.get("masking"), details.get("active"))
    found: list[Measurement] = []
    examples: Parts = {}
    for one in curves.values():
        found += _figures(case, index, one, flags, examples)
        not_done += list(one.left_out)
    details |= {"curves": {norm: one.to_dict() for norm, one in curves.items()}}
    if case.tier == "publish":
        found += _official(case, index, view, y, examples, not_done, flags)
        found += _proven(case, index, view, y, plan, details)
    told = _told(curves)
    return Reading("", tuple(found), told, details, examples, index, tuple(not_done), flags, case.seed)


def _figures(
    case: Case, index: NDArray[np.int64], one: Curve, flags: tuple[str, ...], examples: Parts
) -> list[Measurement]:
    prefix, found = PREFIXES[one.norm], []
    clean = one.attacked[0].right.numpy()
    found.append(share(case, index, f"{prefix}0", clean, how="the same rows, nothing changed; Wilson interval"))
    for attacked in one.attacked:
        kept = attacked.survived.numpy()
        how = f"{UPPER} ({attacked.name}) within {attacked.eps:g} in {one.norm} of pixels from 0 to 1; Wilson interval"
        found.append(share(case, index, f"{prefix}{attacked.eps:g}", kept, how=how, flags=flags))
        examples[f"{prefix}{attacked.eps:g}"] = kept.astype(np.int8)
    examples[f"smallest_change_{one.norm}"] = one.length.numpy().astype(np.float64)
    return found


def _trust(case: Case, view: View, y: torch.Tensor, plan: Plan) -> tuple[Parts, list[tuple[str, str]]]:
    """Look for signs of hidden slopes, and set problems with a known answer."""
    details: Parts = {}
    not_done: list[tuple[str, str]] = []
    ball = BALLS["Linf"](PROBED["Linf"])
    if case.seconds_left == 0:
        return details, [("signs of hidden slopes", "no time left")]
    x, known = view.points[: plan.probed], y[: plan.probed]
    details["masking"] = masking(view.victim, x, known, ball, queries=plan.queries, seed=case.seed).to_dict()
    not_done += [
        (f"sign of hidden slopes: {sign['name']}", sign["why_not"])
        for sign in details["masking"]["signs"] if sign["why_not"]
    ]  # fmt: skip
    if not plan.problems:
        return details, not_done
    if view.features is None or view.victim.gradient != "exact":
        why = case.subject.why_not("features") or "the model has no features with slopes"
        return details, [*not_done, ("problems with a known answer for the attack", why)]
    details["active"] = active_test(
        view.victim, view.features, view.points[: plan.problems], ball, seed=case.seed
    ).to_dict()
    return details, not_done


def _official(
    case: Case, index: NDArray[np.int64], view: View, y: torch.Tensor, examples: Parts, not_done: list[tuple[str, str]],
    flags: tuple[str, ...],
) -> list[Measurement]:  # fmt: skip
    """Run AutoAttack's own set where it is installed and has a meaning."""
    ball = BALLS["Linf"](PROBED["Linf"])
    why = autoattack.why_not(view.victim, view.points)
    if not why:
        try:
            points = autoattack.standard(view.victim, view.points, y, ball, seed=case.seed)
        except MissingExtra as error:
            why = str(error)
    if why:
        not_done.append(("AutoAttack (standard)", why))
        return []
    kept = ~view.victim.wrong(points, y).numpy() & ~view.victim.wrong(view.points, y).numpy()
    name = f"autoattack@{ball.eps:g}"
    examples[name] = kept.astype(np.int8)
    how = f"AutoAttack (standard) through pyautoattack within {ball.eps:g} in Linf; Wilson interval"
    return [share(case, index, name, kept, how=how, flags=flags)]


def _proven(
    case: Case, index: NDArray[np.int64], view: View, y: torch.Tensor, plan: Plan, details: Parts
) -> list[Measurement]:
    """Certify the smoothed model, and set the attack's figure of the same rows beside it."""
    count = min(plan.certified, len(y))
    if not count or case.seconds_left == 0:
        return []
    x, known = view.points[:count], y[:count]
    proven = certify(view.victim, x, known, sigma=SIGMA, seed=case.seed)
    details["certificate"] = proven.to_dict()
    found = []
    for radius in (0.25, 0.5):
        kept = (proven.right & (proven.radius >= radius)).numpy()
        how = (
            f"share right and proven to stay so within {radius:g} in L2, of the model smoothed by noise of {SIGMA:g}, "
            f"not of the model as it is; {proven.draws} draws, wrong with chance {proven.alpha:g}; Wilson interval"
        )
        found.append(share(case, index[:count], f"certified_l2@{radius:g}", kept, how=how))
    same = attack(view.victim, x, known, BALLS["L2"](0.25), tier=case.tier, seed=case.seed)
    details["certificate"]["attacked_l2@0.25"] = same.accuracy
    return found


def _told(curves: dict[str, Curve]) -> tuple[str, ...]:
    one = curves["Linf"]
    n, right = len(one.length), int(one.attacked[0].right.sum())
    told = [f"Of {n} pictures {right} are answered rightly as they are."]
    for attacked in one.attacked:
        if abs(attacked.eps - PROBED["Linf"]) < 1e-9 or len(one.attacked) == 1:
            told.append(
                f"If each pixel may move by {attacked.eps * 255:.3g} of 255 levels, {int(attacked.survived.sum())} "
                "stay right under the attacks tried; a better attack may find more."
            )
    if one.median is not None:
        told.append(
            f"Half of the right ones change their answer with a change of {one.median * 255:.3g} levels or less."
        )
    return tuple(told)
