"""What the report claims changes when the study says the opposite.

Each row plants one fact in a made-up study and sees which sentences go and which come. A sentence that judges, with no
row here must be named, with the test that plants its opposite, in ``ELSEWHERE``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from temperance.report.page import html
from temperance.report.words import Words
from temperance.testing.study_example import study_example

Document = dict[str, Any]
Edit = Callable[[Document], object]


def put(path: str, value: Any) -> Edit:
    """Set what stands at a place of ``study.json``."""

    def edit(document: Document) -> None:
        *way, last = path.split("/")
        place: Any = document
        for part in way:
            place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
        place[int(last) if isinstance(place, list) else last] = value

    return edit


def both(*edits: Edit) -> Edit:
    """Do all of them."""
    return lambda document: [edit(document) for edit in edits]


def paired(rival: str, low: float, high: float, metric: str = "accuracy") -> Edit:
    """Plant the winner's paired difference to a rival."""
    better = "higher" if metric == "accuracy" else "lower"
    difference = {"value": (low + high) / 2, "low": low, "high": high, "better": better, "n": 400}
    return put(f"winner/{rival}_test/winner_against_it", {metric: {"difference": difference}})


def bought(low: float | None, high: float | None, *, ingredient: str = "") -> Edit:
    """Plant what regularization bought, by accuracy."""

    def edit(document: Document) -> None:
        row = next(one for one in document["winner"]["bought"] if one["metric"] == "accuracy")
        middle = 0.0 if low is None or high is None else (low + high) / 2
        row["difference"].update(value=middle, low=low, high=high, better="higher")
        row.update({"ingredient": ingredient, "rows": "selection"} if ingredient else {"rows": "test"})
        document["winner"]["bought"] = [row]
        if ingredient:
            document["winner"]["plain_test"] = None

    return edit


def bought_beside(low: float, high: float, *, ingredient: str = "") -> Edit:
    """Plant a second comparison with and without regularization beside an unclear first one."""

    def edit(document: Document) -> None:
        bought(-0.01, 0.03, ingredient="the recipe's strengths" if ingredient else "")(document)
        row = copy.deepcopy(document["winner"]["bought"][0])
        row["difference"].update(value=(low + high) / 2, low=low, high=high)
        row.update({"ingredient": ingredient} if ingredient else {"metric": "balanced_accuracy"})
        document["winner"]["bought"].append(row)

    return edit


def chosen(name: str) -> Edit:
    """Let a rival be the winner."""
    return lambda document: document["winner"].update(trial=document["winner"][f"{name}_test"]["trial"])


def states(state: str, count: int = 3) -> Edit:
    """Give findings of one state alone."""

    def edit(document: Document) -> None:
        document["findings"] = [{**one, "state": state} for one in document["findings"][:count]]

    return edit


def slices_of(state: str) -> Edit:
    """Put all groups into one state, with an interval that agrees."""

    def edit(document: Document) -> None:
        groups = [one for one in document["winner"]["slices"] if one.get("kind") != "answer"][:3]
        value = {"worse": -0.2, "better": 0.2}.get(state, 0.0)
        for one in groups:
            one["measurement"]["better"] = "higher"
            one["difference"].update(value=value, low=value - 0.1, high=value + 0.1)
            one.update(state="same" if state == "better" else state, p=0.001, column="colour", kind="group")
        document["winner"]["slices"] = groups

    return edit


def miss(low: float, high: float) -> Edit:
    """Plant one size of the prediction, and by how much the truth lies above it there."""
    residual = {"value": (low + high) / 2, "low": low, "high": high}
    return put("winner/insight/mistakes/sizes", [{"low": 1, "high": 2, "residual": residual}])


def trials(*kinds: str) -> Edit:
    """Keep trials of these kinds, and no comparison with the plain net."""

    def edit(document: Document) -> None:
        document["trials"] = [one for one in document["trials"] if one["kind"] in kinds]
        document["winner"]["bought"] = []

    return edit


def said(document: Document) -> frozenset[str]:
    """Return the keys of all sentences on the page."""
    found = set()
    say = Words.say

    def heard(words: Words, key: str, **values: object) -> Any:
        found.add(f"{key}.one" if values.get("count") == 1 and f"{key}.one" in words.catalogue else key)
        return say(words, key, **values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Words, "say", heard)
        html(document)
    return frozenset(found)


def recognised(verdict: str, area: float) -> Edit:
    """Plant how well an attack tells which rows were learned."""
    rate = {"name": "leakage/lira/tpr@0.01", "at": 0.01, "value": 0.02, "low": 0.01, "high": 0.03, "n": 300}
    auc = {"name": "leakage/lira/auc", "value": area, "low": area - 0.02, "high": area + 0.02, "n": 600}
    attack = {"attack": "lira", "auc": auc, "rates": [rate], "verdict": verdict, "members": 300, "others": 300}
    return put("winner/leakage", {"attacks": [attack], "not_done": []})


def cost(value: float) -> Document:
    return {
        "name": "expected_cost",
        "value": value,
        "low": value - 0.1,
        "high": value + 0.1,
        "n": 400,
        "better": "lower",
    }


ANY = ("basic", "plain", "single", "cocktail", "ensemble")
NOTHING: Edit = dict.copy
FACTS: dict[str, tuple[str, Edit, Edit, str, str]] = {
    # name: (task, one fact, its opposite, what is said of the one, what of the other)
    "rule beaten": ("binary", paired("simple", 0.1, 0.3), paired("simple", -0.1, 0.1), "answer.simple.better",
                    "answer.simple.unclear"),
    "rule better": ("binary", paired("simple", -0.3, -0.1), paired("simple", 0.1, 0.3), "answer.simple.worse",
                    "answer.simple.better"),
    "rule unpaired": ("binary", put("winner/simple_test/measurements/accuracy/high", 0.99),
                      paired("simple", -0.1, 0.1), "answer.simple.overlap", "answer.simple.unclear"),
    "rule untested": ("binary", put("winner/simple_test", None), NOTHING, "answer.simple.unknown",
                      "answer.simple.better"),
    "rule chosen": ("binary", chosen("simple"), NOTHING, "answer.simple.same_model", "answer.simple.better"),
    "reasons to suspect": ("binary", paired("simple", -0.1, 0.1), paired("simple", 0.1, 0.3), "answer.doubts", ""),
    "plain beaten": ("binary", bought(0.01, 0.03), bought(-0.03, -0.01), "answer.plain.better", "answer.plain.worse"),
    "plain unclear": ("binary", bought(-0.01, 0.03), bought(0.01, 0.03), "answer.plain.unclear", "answer.plain.better"),
    "plain unpaired": ("binary", put("winner/bought", []), bought(0.01, 0.03), "answer.plain.overlap",
                       "answer.plain.better"),
    "plain untested": ("binary", both(put("winner/plain_test", None), put("winner/bought", [])), NOTHING,
                       "answer.plain.unknown", "answer.plain.better"),
    "plain chosen": ("binary", chosen("plain"), NOTHING, "answer.plain.same_model", "answer.plain.better"),
    "ingredients help": ("binary", bought(0.01, 0.03, ingredient="the recipe's strengths"),
                         bought(-0.03, -0.01, ingredient="the recipe's strengths"), "answer.ingredients.better",
                         "answer.ingredients.worse"),
    "ingredients unclear": ("binary", bought(-0.01, 0.03, ingredient="the recipe's strengths"),
                            bought(0.01, 0.03, ingredient="the recipe's strengths"), "answer.ingredients.unclear",
                            "answer.ingredients.better"),
    "boosting beaten": ("binary", paired("boosting", 0.01, 0.03), paired("boosting", -0.03, -0.01),
                        "answer.boosting.better", "answer.boosting.worse"),
    "boosting unclear": ("binary", paired("boosting", -0.01, 0.03), paired("boosting", 0.01, 0.03),
                         "answer.boosting.unclear", "answer.boosting.better"),
    "boosting chosen": ("binary", chosen("boosting"), NOTHING, "answer.boosting.same_model", "answer.boosting.unclear"),
    "right": ("binary", NOTHING, put("winner/test/accuracy/low", None), "answer.right", "answer.right.bare"),
    "error": ("regression", NOTHING, put("winner/test/rmse/low", None), "answer.error", "answer.error.bare"),
    "costs": ("binary", put("winner/test/expected_cost", cost(0.6)),
              put("winner/test/expected_cost", {**cost(0.6), "low": None}), "answer.cost", "answer.cost.bare"),
    "balanced": ("binary", put("winner/test/accuracy", {}), NOTHING, "answer.balanced", "answer.right"),
    "no figure": ("binary", put("winner/test", {}), NOTHING, "answer.none", "answer.right"),
    "fix first": ("binary", states("fix_before_use"), states("no_problem_found"), "answer.use.fix", "answer.todo.none"),
    "only fixes": ("binary", states("fix_before_use"), states("look_at_this"), "answer.todo.above", ""),
    "nothing checked": ("binary", put("findings", []), states("no_problem_found"), "answer.todo.unchecked",
                        "answer.todo.none"),
    "stopped": ("binary", put("status", "interrupted"), NOTHING, "page.interrupted", ""),
    "folds": ("binary", both(put("roles/folds", 5), put("roles/counts/selection", 0)), put("roles/folds", 0),
              "trust.folds", "role.train"),
    "own test": ("binary", put("roles/test_is_separate", True), NOTHING, "trust.own_test", ""),
    "no test figures": ("binary", put("winner/test", {}), NOTHING, "trust.test.none", "trust.test.fold"),
    "no checks": ("binary", put("findings", []), NOTHING, "trust.checks.none", "trust.checks.caption"),
    "no mistakes looked at": ("binary", put("winner/insight/mistakes", None), NOTHING, "mistakes.none",
                              "mistakes.lead"),
    "too low": ("regression", miss(2, 8), miss(-8, -2), "mistakes.size.low", "mistakes.size.high"),
    "unknown miss": ("regression", put("winner/insight/mistakes/sizes/0/residual", {"value": 5}), NOTHING,
                     "mistakes.size.unknown", ""),
    "nothing depends": ("binary", put("winner/insight/influence", []), NOTHING, "depends.none", "depends.lead"),
    "bought it": ("binary", bought(0.01, 0.03), bought(-0.03, -0.01), "bought.answer.better", "bought.answer.worse"),
    "bought unclear": ("binary", bought(-0.01, 0.03), bought(0.01, 0.03), "bought.answer.unclear",
                       "bought.answer.better"),
    "bought after all": ("binary", bought_beside(0.01, 0.03), bought_beside(-0.03, -0.01), "bought.though.better",
                         "bought.though.worse"),
    "bought by a part": ("binary", bought_beside(0.01, 0.03, ingredient="dropout.p"),
                         bought_beside(-0.03, -0.01, ingredient="dropout.p"), "bought.though.part.better",
                         "bought.though.part.worse"),
    "a gain after all": ("binary", bought_beside(0.01, 0.03), bought_beside(-0.03, -0.01), "answer.though.better",
                         "answer.though.worse"),
    "no gain after all": ("binary", bought_beside(0.01, 0.03), bought_beside(-0.01, 0.03), "answer.though.better", ""),
    "bought unmeasured": ("binary", bought(None, None), bought(0.01, 0.03), "bought.answer.unknown",
                          "bought.answer.better"),
    "no net": ("binary", trials("basic"), trials("basic", "plain"), "bought.missing.no_net",
               "bought.missing.only_plain"),
    "no plain net": ("binary", trials("basic", "single"), trials("basic", "plain"), "bought.missing.no_plain",
                     "bought.missing.only_plain"),
    "nothing acted": ("binary", lambda d: [t.update(acted=[]) for t in d["trials"]], NOTHING, "bought.acted.none",
                      "bought.acted.fold"),
    "a part that did nothing": ("binary", lambda d: [a.update(acted=False) for t in d["trials"] for a in t["acted"]],
                                NOTHING, "tried.acted.no", "tried.acted.yes"),
    "weak groups": ("binary", slices_of("same"), slices_of("worse"), "fails.worst.none", "slices.worse"),
    "small groups": ("binary", slices_of("too_small"), slices_of("same"), "slices.small", "slices.fine"),
    "no groups": ("binary", put("winner/slices", []), NOTHING, "fails.slices.none", ""),
    "toughness untried": ("binary", put("winner/robustness", []), NOTHING, "fails.robustness.none", ""),
    "chances untold": ("binary", put("winner/reliability", []), NOTHING, "fails.reliability.none", ""),
    "chances as they are": ("binary", put("winner/calibration/calibrator/kind", "identity"), NOTHING,
                            "fails.calibrated.no", "fails.calibrated.yes"),
    "no bundle": ("binary", put("bundle", None), NOTHING, "using.lead.none", "using.lead"),
    "a licence": ("binary", put("data/licence", "CC-BY-4.0"), NOTHING, "duties.licence.given", "duties.licence.none"),
    "no limits": ("binary", put("limits", []), NOTHING, "method.limits.none", ""),
    "all done": ("binary", put("budget/left_out", []), NOTHING, "method.left_out.none", "method.left_out.fold"),
    "no profile": ("binary", put("data/profile/columns", []), NOTHING, "data.columns.none", "data.columns.fold"),
    "no comparison": ("binary", put("winner/comparison", []), NOTHING, "tried.comparison.none",
                      "tried.comparison.fold"),
    "no trials": ("binary", put("trials", []), NOTHING, "tried.trials.none", "tried.trials.caption"),
    "nobody recognised": ("binary", recognised("no better than guessing", 0.5), recognised("serious", 0.9),
                          "leakage.verdict.none", "leakage.verdict.serious"),
    "some recognised": ("binary", recognised("some rows can be recognised", 0.6),
                        recognised("a little better than guessing", 0.53), "leakage.verdict.some",
                        "leakage.verdict.little"),
    "too few to recognise": ("binary", recognised("too few rows to say", 0.5),
                             recognised("no better than guessing", 0.5), "leakage.verdict.few",
                             "leakage.verdict.none"),
}  # fmt: skip


@pytest.mark.parametrize("name", FACTS)
def test_a_claim_goes_where_the_study_says_the_opposite(name: str) -> None:
    task, fact, opposite, one, other = FACTS[name]
    documents = [copy.deepcopy(study_example(task)) for _ in range(2)]
    fact(documents[0])
    opposite(documents[1])
    first, second = (said(document) for document in documents)
    assert one in first
    assert one not in second
    if other:
        assert other in second
        assert other not in first


# ---- which claims have no opposite planted


JUDGING = (
    "better", "worse", "unclear", "overlap", "unknown", "same_model", "none", "low", "high", "fair", "no", "yes",
    "kept", "short", "over", "unchecked", "above", "fix", "no_net", "no_plain", "only_plain", "given", "left_out",
    "little", "some", "serious", "few",
)  # fmt: skip
SECTIONS = (
    "answer", "trust", "mistakes", "decision", "range", "depends", "bought", "fails", "duties", "using", "tried",
    "leakage",
)  # fmt: skip
ELSEWHERE = {
    "decision.against.": "sections/test_decision.py",
    "range.": "sections/test_range.py",
    "answer.linear.": "the same code as answer.boosting",
    "bought.": "the readings of the rows: sections/test_bought.py",
    "tried.": "sections/test_tried.py",
    "fails.": "sections/test_fails.py",
    "mistakes.": "sections/test_mistakes.py",
    "depends.": "sections/test_depends.py",
    "duties.": "sections/test_duties.py",
}
OPEN = (
    "answer.boosting.unknown",  # said nowhere: a rival that was not tested is left out
    "trust.order.low", "trust.order.high",  # heads of two columns, no claims
)  # fmt: skip


def test_every_claim_has_its_opposite() -> None:
    claims = {
        key for key in Words().catalogue
        if key.split(".")[0] in SECTIONS and key.removesuffix(".one").split(".")[-1] in JUDGING
    }  # fmt: skip
    planted = {key for *_, one, other in FACTS.values() for key in (one, other)}
    rest = {key for key in claims - planted if not key.startswith(tuple(ELSEWHERE))}
    assert rest - {f"{key}.one" for key in planted} - set(OPEN) == set()
