"""Rules of weights: averages that do not move, and scores of other weights than those that are saved."""

from __future__ import annotations

from temperance.proof.report import Notice, Presence
from temperance.proof.seen import Seen
from temperance.proof.weights import Other, stale_statistics


def weights(seen: Seen) -> tuple[list[Presence], list[Notice]]:
    """Return what is said of averages."""
    one, notices = seen.weights, []
    averages = [other for other in one.others.values() if (other.scored or other.saved) and not one.teacher(other)]
    for other in averages:
        notices += _one(seen, other)
    if one.trained_on_swapped:
        notices.append(Notice(
            "trained on swapped weights",
            "other weights were put in for scoring, and the training went on from them",
            "Put the trained weights back after validation",
        ))  # fmt: skip
    notices += _kept(seen, averages)
    if not averages and not one.swapped:
        return [], notices
    moved = any(one.marker(other.module) != one.start for other in averages)
    said = f"{len(averages) or 1} set of averaged weights"
    return [Presence("averaging", said, moved or bool(one.swapped))], notices


def _one(seen: Seen, other: Other) -> list[Notice]:
    moved = seen.weights.last != seen.weights.start
    after = [(step, mark) for step, mark in other.scored if step > 0]
    if other.saved and not after:
        after = [(seen.weights.steps, seen.weights.marker(other.module))]
    if not moved or not after:
        return []
    if after[-1][1] == seen.weights.start:
        return [Notice(
            "average never updated", "an average is scored that still holds the weights of the start",
            "Call its update after each optimizer step, and look at when it begins",
        )]  # fmt: skip
    marks = [mark for _, mark in after]
    if len(marks) >= 3 and len(set(marks[-3:])) == 1:
        return [Notice(
            "average stands still", "an average is scored that has not moved over three validations, and the model has",
            "Call its update after each optimizer step; in bfloat16 small updates are lost, keep it in float32",
        )]  # fmt: skip
    if stale_statistics(other.module, seen.model):
        return [Notice(
            "average without statistics", "an average is scored whose BatchNorm statistics no batch ever reached",
            "Call torch.optim.swa_utils.update_bn(loader, average) before it is used",
        )]  # fmt: skip
    return []


def _kept(seen: Seen, averages: list[Other]) -> list[Notice]:
    one = seen.weights
    if not one.saved or not one.scored or not one.steps:
        return []
    scored = one.scored[-1]
    if (
        scored in ("other", "swapped")
        and (scored == "swapped" or any(other.scored for other in averages))
        and not one.saved & {"other", "swapped"}
    ):
        return [Notice(
            "scored and not saved", "the averaged weights are scored, and the trained ones are saved",
            "Save the average's state too, and load that one for use",
        )]  # fmt: skip
    if "other" in one.saved and set(one.scored) == {"trained"}:
        return [Notice(
            "saved and not scored", "an average is saved that nobody has scored", "Validate the weights that ship",
        )]  # fmt: skip
    return []
