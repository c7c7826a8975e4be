"""docs/techniques/by_need.md: which technique for which need, by what cards say and what was measured.

A need is a rule and no list: a pattern on the line "Use when" of a technique's docstring, sets and figures of
``benchmarks/records/effects.json``, and for haste the price of a step. So a new technique, or a new record, moves the
lists by itself, and tests/test_needs.py fails where a need finds nothing.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import card_effects
from card_figures import RECORDS, read_record

MOST = 12  # rows of a table, more only where so many cards name the need
LEAST = 6  # of those that the record alone speaks for
CHEAP = 1.05  # times the plain step
JUDGED = ("log_loss", "rmse", "distance")


@dataclass(frozen=True)
class Need:
    """What somebody looks for.

    Attributes:
        title: their words.
        words: what it means, and what else to do, in a sentence.
        card: pattern on "Use when" of a docstring.
        sets: pattern on the words for a set in the record; None: no measurement speaks of this need.
        figures: of those sets.
        cheap: the step must be cheap, too.

    """

    title: str
    words: str
    card: str
    sets: str | None = None
    figures: tuple[str, ...] = JUDGED
    cheap: bool = False


NEEDS = (
    Need("Few rows", "A few hundred rows or less. Measured: test loss on sets that trained on at most 300 rows.",
         r"\bfew (data|rows|images|labels|examples|instructions)|small data",
         r"^wine|^breast cancer|^diabetes|60 images|25 images"),
    Need("Wrong labels", "Some answers in the file are false. Let `temperance audit` look for them first. Measured: "
         "test loss and accuracy where 30 % of the training labels were made wrong.",
         r"labels?( is| are)? noisy|noisy labels|label noise|labels is wrong", r"labels wrong",
         ("log_loss", "accuracy")),
    Need("Overconfident", "The model is sure and wrong. A study calibrates what it ships; these act while training. "
         "Measured: calibration error on all sets.",
         r"calibrat|too sure|sure of everything|too extreme|uncertainty", r"", ("calibration",)),
    Need("Noisy or worn inputs", "Inputs in service are worse than those in training: other sensors, dirt, time. "
         "Measured: accuracy and error on inputs with noise added.",
         r"noisy; smoothness|shifted data|in service will be worse|noise on the inputs|small changes", r"",
         ("noisy", "noisy_rmse")),
    Need("Somebody attacks", "Inputs may be changed on purpose. Measured: accuracy under attack.",
         r"attack|on purpose|small changes must not matter|adversarial", r"", ("attacked",)),
    Need("Edge device", "The model must stay small and quick. Techniques act in training alone; these leave inputs and "
         "units out of the net, so that it can be cut. `temperance study --max-size` and `--max-latency` set "
         "the limit.", r"useless|drop out of the net|distill"),
    Need("Fine-tuning", "A pretrained net learns a new task. Measured: test loss on digits 5 to 9, from a net that "
         "knew 0 to 4, and on shifted digits.", r"fine-tun|pretrained", r"net trained on"),
    Need("Forgetting", "A fine-tuned net must keep what it could do. [How that was measured](../guide/fine_tuning.md).",
         r"what the net knew|stay good on other data"),
    Need("Little time", f"At most {CHEAP} times the time of a plain step. Measured: test loss on all sets.",
         r"too slow|no budget|without time", r"", cheap=True),
    Need("Images", "Measured: test loss and accuracy on digits and Fashion-MNIST as images.",
         r"\bimages?\b|pictures?|convolution", r"images of", ("log_loss", "accuracy")),
    Need("Text and language models", "Measured: test loss and accuracy on 800 questions, with a net of one layer.",
         r"\btext\b|language model|translation|token", r"\(text\)", ("log_loss", "accuracy")),
    Need("Predicting a number", "Measured: RMSE on diabetes, concrete and kin8nm.", r"^regression", r"\(numbers\)",
         ("rmse",)),
    Need("The loss jumps", "Training is unsteady: gradients explode, or rates are large.",
         r"losses jump|explode|hard to start|large learning rates|in bounds|large batches|starting scale"),
)  # fmt: skip


class Found(NamedTuple):
    """A technique under a need: whether its card speaks of it, on how many figures it was better, worse and unclear."""

    row: dict[str, Any]
    card: bool
    better: int
    worse: int
    unclear: int


def need_lines(rows: list[dict[str, Any]], records: Path = RECORDS) -> list[str]:
    """Return the page.

    Args:
        rows: of the catalogue.
        records: the folder of the records.

    """
    lines = ["# Techniques by need", ""]
    lines += ["What are you up against? " + " · ".join(f"[{need.title}](#{slug(need.title)})" for need in NEEDS), ""]
    lines += [
        "The lists are made from the code: *its card* means that the technique's own page names the need.",
        "*Measured* counts figures whose 95 % interval was clearly better / clearly worse / neither, at default",
        "strengths, nothing tuned, on small nets and sets ([record](../../benchmarks/records/effects.json)). What",
        "was measured to help comes first, what was measured to harm last. A count is no promise: `temperance",
        "study` tries them on your data.",
        "",
    ]
    for need in NEEDS:
        lines += [f"## {need.title}", "", need.words, ""]
        heads = ["technique", "what it does", *(["measured"] if need.sets is not None else []), "its card", "a step"]
        lines += [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
        lines += [_line(one, need, records) for one in found(need, rows, records)]
        lines.append("")
    return lines


def found(need: Need, rows: list[dict[str, Any]], records: Path = RECORDS) -> list[Found]:
    """Return the techniques for a need, those with most evidence first.

    Listed is what its card names, and what was clearly better on two figures or more and on more than it was worse.

    Args:
        need: the need.
        rows: of the catalogue.
        records: the folder of the records.

    """
    kept = read_record(records / "effects.json")
    listed = []
    for row in rows:
        card = re.search(need.card, use_when(row["doc"]), flags=re.I) is not None
        better, worse, unclear = _counts(row["name"], need, kept)
        proven = better >= 2 and better > worse
        if (card or proven) and not (need.cheap and (ratio(row["address"], records) or 9.0) > CHEAP):
            listed.append(Found(row, card, better, worse, unclear))
    if need.cheap:
        listed = [one for one in listed if one.better > one.worse]
    order: Callable[[Found], Any] = lambda one: (one.worse - one.better, not one.card, one.row["name"])  # noqa: E731
    first = sorted(listed, key=order)
    filling = [one for one in first if not one.card][: max(LEAST, MOST - sum(one.card for one in first))]
    return [one for one in first if one.card or one in filling]


def use_when(doc: str) -> str:
    """Return what a docstring says of when to use the technique, without when to avoid it."""
    text = " ".join(inspect.cleandoc(doc).split())
    hit = re.search(r"Use when: (.*?)(?= Avoid when: | Args: | Raises: | References: |$)", text)
    return hit[1] if hit else ""


def ratio(address: str, records: Path = RECORDS) -> float | None:
    """Return the time of a step with the technique over that of the plain step; None where it was not measured."""
    value = read_record(records / "prices.json").get("techniques", {}).get(address, {}).get("ratio")
    return None if value is None else float(value)


def slug(title: str) -> str:
    """Return the anchor of a heading."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _counts(name: str, need: Need, kept: dict[str, Any]) -> tuple[int, int, int]:
    if need.sets is None or not kept:
        return 0, 0, 0
    changes = card_effects.changes(name, kept)
    verdicts = [
        row[figure].verdict
        for place, row in changes.items()
        if re.search(need.sets, kept["problems"][place])
        for figure in need.figures
        if figure in row
    ]
    return verdicts.count("better"), verdicts.count("worse"), verdicts.count("unclear")


def _line(one: Found, need: Need, records: Path) -> str:
    counted = one.better + one.worse + one.unclear
    measured = [f"{one.better} / {one.worse} / {one.unclear}" if counted else ""] if need.sets is not None else []
    price = ratio(one.row["address"], records)
    words = " ".join(one.row["summary"].split()).replace("|", "\\|").replace("``", "`")
    cells = [f"[{one.row['name']}]({one.row['address']}.md)", words, *measured, "yes" if one.card else ""]
    return f"| {' | '.join([*cells, f'× {price:.2f}' if price is not None else ''])} |"
