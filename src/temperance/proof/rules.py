"""What a watch concludes: the regularizers that are there, and those that do nothing."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from temperance.proof import averages, noise
from temperance.proof.decay import matrices_of
from temperance.proof.report import Notice, Presence, Report
from temperance.proof.seen import Seen


def judged(seen: Seen) -> Report:
    """Return the report of a watch."""
    parts = (noise.layers(seen), _decay(seen), averages.weights(seen), _smoothing(seen), _clipping(seen))
    present = tuple(one for found, _ in parts for one in found)
    warnings = [notice for _, found in parts for notice in found]
    warnings += _missing(seen, present, warnings)
    trained = sum(one.trained for one in seen.passes)
    return Report(seen.weights.steps, trained, present, tuple(warnings))


def _decay(seen: Seen) -> tuple[list[Presence], list[Notice]]:
    one, notices = seen.decay, []
    mine = {id(p): name for name, p in seen.model.named_parameters()}
    orphans = [p for key, p in one.held.items() if key not in mine]
    untrained = [n for n, p in seen.model.named_parameters() if p.requires_grad and id(p) not in one.held]
    if one.steps and orphans and untrained and not any(id(p) in one.graded for p in orphans):
        notices.append(Notice(
            "orphans",
            f"The optimizer holds {len(orphans)} parameters that are not the model's and never had a gradient, and "
            f"does not hold {untrained[0]}" + (f" and {len(untrained) - 1} more" if len(untrained) > 1 else ""),
            "Build the optimizer after the model is final: after heads are replaced, adapters put in, weights moved",
        ))  # fmt: skip
    if not one.steps:
        return [], notices
    if one.at_start > 0 and not one.wanted:
        notices.append(Notice(
            "decay reset", f"weight_decay was {one.at_start:g} and has been 0 at every step",
            "Look for a scheduler or a loaded state that sets it",
        ))  # fmt: skip
    if not one.wanted:
        return [], notices
    lost = set(one.wanted) & one.rounded - one.acted
    if lost and not one.acted:
        notices.append(Notice(
            "decay rounded away",
            f"weight decay is lost to rounding: lr·weight_decay is too small for "
            f"{next(iter(one.wanted.values())).dtype}",
            "Keep the weights in float32 (autocast alone is in low precision)",
        ))  # fmt: skip
    elif not one.moving:
        notices.append(Notice(
            "decay at rate 0",
            f"weight decay is set for {len(one.wanted)} parameters, and their learning rate was 0 at every step",
            "Look at the learning rate and its scheduler",
        ))  # fmt: skip
    elif not one.acted:
        notices.append(Notice(
            "decay without gradients",
            f"weight decay is set for {len(one.wanted)} parameters, none of which had a gradient: optimizers leave "
            "such alone",
            "Look whether they are frozen, unused, or of another copy of the model",
        ))  # fmt: skip
    matrices = [n for n in matrices_of(seen.model, one.held) if id(seen.model.get_parameter(n)) in one.graded]
    decayed = [n for n in matrices if id(seen.model.get_parameter(n)) in one.wanted]
    if one.acted and matrices and not decayed:
        notices.append(Notice(
            "decay of the wrong ones",
            f"weight decay acts on {len(one.acted)} parameters, and on none of the {len(matrices)} weight matrices",
            "Look at the names that sort parameters into groups: biases and norms are the ones to leave out",
        ))  # fmt: skip
    low, high = one.rates
    rate = f"{low:g}" + (f" to {high:g}" if high > low else "")
    said = (
        f"{rate} on {len(one.wanted)} of {len(one.held)} parameters, "
        f"{len(decayed)} of {len(matrices)} trained weight matrices"
    )
    return [Presence("decay", said, bool(one.acted))], notices


def _smoothing(seen: Seen) -> tuple[list[Presence], list[Notice]]:
    notices: list[Notice] = []
    trained = [value for value, with_grad in seen.smoothing if with_grad]
    said = float(getattr(seen.loss, "label_smoothing", 0.0) or 0.0) if isinstance(seen.loss, nn.Module) else 0.0
    if said > 0 and seen.weights.steps and not any(value > 0 for value in trained):
        notices.append(Notice(
            "smoothing not heard of",
            f"the loss smooths labels by {said:g}, and no cross-entropy of the training did",
            "Look which loss is trained on: models with labels compute their own, without smoothing",
        ))  # fmt: skip
    if not trained or not any(trained):
        return [], notices
    return [Presence("smoothing", f"labels smoothed by {max(trained):g}", True)], notices


def _clipping(seen: Seen) -> tuple[list[Presence], list[Notice]]:
    clips, notices = seen.clips, []
    if clips["foreign"] and not (clips["held"] or clips["late"]):
        notices.append(Notice(
            "clip of others", "gradients are clipped of parameters that the optimizer does not hold",
            "Clip those of the model that is trained: clip_grad_norm_(model.parameters(), …)",
        ))  # fmt: skip
    if clips["late"] > 1 and not clips["held"] and seen.came_back:
        notices.append(Notice(
            "clip too late", "gradients are clipped after the step, when they have been used",
            "The order is backward, clip, step",
        ))  # fmt: skip
    count = clips["held"] + clips["late"]
    said, longest = f"{count} call{'s' * (count > 1)}", 1.0 if seen.longest is None else float(seen.longest)
    acted: bool | None = bool(clips["held"]) if seen.came_back else None  # else nothing says when a gradient came
    if acted and longest < 1:  # nothing had to be clipped: right, and no act
        said, acted = f"{said}, the longest gradient had {longest:.2g} of the length that is let through", None
    return ([Presence("clipping", said, acted)] if count else []), notices


def _missing(seen: Seen, present: tuple[Presence, ...], warnings: list[Notice]) -> Iterator[Notice]:
    acted = {one.what for one in present if one.acted is not False}
    for word in seen.expects:
        if word in acted or not seen.weights.steps:
            continue
        if word == "smoothing" and (seen.soft or not any(with_grad for _, with_grad in seen.smoothing)):
            continue  # targets that may be smoothed already, or no cross-entropy at all: the loss is another one
        yield Notice(f"no {word}", f"{word} is expected, and none acted", "Look whether its setting reaches the run")
