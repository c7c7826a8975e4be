"""What may be set of a study: the fields of its form, and the options of the command line that they become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from temperance.app.project import Project
from temperance.records.errors import SettingError
from temperance.study.clock import parse_budget

QUICK = "1run"
BUDGETS = (QUICK, "1m", "5m", "10m", "30m")
LONGEST = 200  # letters of a value


@dataclass(frozen=True)
class Field:
    """One option of ``temperance study``.

    Attributes:
        name: of the option, without its dashes.
        label: what it is called on the page.
        help: what it does, in a sentence.
        options: value and label of what may be chosen; empty: it is typed.
        example: of what is typed.
        tasks: kinds of target that it is for; empty: all.

    """

    name: str
    label: str
    help: str
    options: tuple[tuple[str, str], ...] = ()
    example: str = ""
    tasks: tuple[str, ...] = ()


CLASSES = ("binary", "multiclass")
FIELDS = (
    Field(
        "metric", "What decides", "Models are compared by this. Left alone, it suits most uses.",
        (("", "the usual one"), ("log_loss", "honest probabilities (log loss)"), ("accuracy", "right answers"),
         ("balanced_accuracy", "right answers, every class counting the same"), ("brier", "squared error of chances")),
        tasks=CLASSES,
    ),
    Field(
        "metric", "What decides", "Models are compared by this. Left alone, it suits most uses.",
        (("", "the usual one"), ("rmse", "typical miss, big ones counting more"), ("mae", "typical miss")),
        tasks=("regression",),
    ),
    Field(
        "cost", "What mistakes cost", "What is true, what is answered, and the cost. The answers then cost least.",
        example="yes->no=20,no->yes=1", tasks=CLASSES,
    ),
    Field(
        "interval", "How sure a range must be", "Each answer then comes with a low and a high end.", example="0.8",
        tasks=("regression",),
    ),
    Field(
        "prefer", "Best or cheap", "What a winner may cost in use.",
        (("", "the best, whatever it costs"), ("balanced", "good, and not dear"), ("cheap", "cheap before good")),
    ),
    Field("max-latency", "Slowest answer", "No model is chosen that takes longer for one row.", example="5ms"),
    Field("max-size", "Largest model", "No model is chosen that is larger.", example="2MB"),
    Field("workers", "Processes", "How many trainings may run at once. Left alone, as cores are free.", example="2"),
    Field("seed", "Seed", "The same seed gives the same study.", example="0"),
    Field("language", "Language of the report", "", (("", "English"), ("de", "German"))),
)  # fmt: skip


def fields(task: str, known: frozenset[str]) -> list[Field]:
    """Return the fields for a kind of target that the installed command line knows."""
    return [field for field in FIELDS if field.name in known and (not field.tasks or task in field.tasks or not task)]


def budget_of(form: Mapping[str, str]) -> str:
    """Return the budget of a form: one of the offered, or what was typed.

    Raises:
        BudgetError: it is not of a form that a study takes.

    """
    chosen = form.get("budget", "").strip() or QUICK
    text = form.get("own_budget", "").strip()[:LONGEST] if chosen == "own" else chosen
    parse_budget(text)
    return text


def options_of(form: Mapping[str, str], offered: list[Field]) -> dict[str, str]:
    """Return what a form says about the offered fields; what is left as it was is left out.

    Raises:
        SettingError: a value that was not offered.

    """
    found = {}
    for field in offered:
        value = form.get(f"o.{field.name}", "").strip()[:LONGEST]
        allowed = [one for one, _ in field.options]
        if field.options and value not in allowed:
            raise SettingError(f"{field.label}: {value!r}", ", ".join(filter(None, allowed)), "Choose one of them")
        if value:
            found[field.name] = value
    return found


def study_arguments(project: Project) -> list[str]:
    """Return the options of a study on the command line; values cannot be taken for options."""
    budget = project.options.get("budget", QUICK)
    rest = {name: value for name, value in project.options.items() if name != "budget"}
    told = {"budget": budget, **({"task": project.task} if project.task != "auto" else {}), **rest}
    return [f"--{name}={value}" for name, value in told.items()]
