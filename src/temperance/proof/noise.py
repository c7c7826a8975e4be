"""Rules of noise: dropout of all kinds and stochastic depth, as layers and as functions."""

from __future__ import annotations

from torch import nn

from temperance.proof.passes import Pass, rate_of
from temperance.proof.report import Notice, Presence
from temperance.proof.seen import Seen

_SURE = 3  # passes in evaluation mode, one after another, that are no accident


def layers(seen: Seen) -> tuple[list[Presence], list[Notice]]:
    """Return what is said of noise."""
    trained = [one for one in seen.passes if one.trained]
    notices = [
        *_mode(seen, trained),
        *_unwired(seen, trained),
        *_functions(trained),
        *_at_inference(seen),
        *_recurrent(seen),
    ]
    heard = {(noise.where, noise.is_module): noise for one in trained for noise in one.noise if noise.p > 0}
    on = {place for one in trained for place in _drawing(one)}
    there = {name for m, name in seen.names.items() if (rate_of(m) or 0) > 0}
    places = there | {where for where, _ in heard}
    if not places:
        return [], notices
    rates = [rate_of(m) or 0.0 for m, name in seen.names.items() if name in there] + [n.p for n in heard.values()]
    low, high = min(rates), max(rates)
    said = f"{len(places)} place{'s' * (len(places) > 1)}, p {low:g}" + (f" to {high:g}" if high > low else "")
    return [Presence("dropout", said, bool(on) if trained else None)], notices


def _drawing(one: Pass) -> set[str]:
    return {noise.where for noise in one.noise if noise.on and noise.p > 0}


def _mode(seen: Seen, trained: list[Pass]) -> list[Notice]:
    """Name the whole model, or a block, that stands in evaluation mode while it is trained."""
    drops = any((rate_of(m) or 0) > 0 for m in seen.names) or any(n.p > 0 for one in trained for n in one.noise)
    if seen.resting >= _SURE and drops:
        return [Notice(
            "evaluation mode",
            f"the model stood in evaluation mode in the last {seen.resting} passes that it was trained on, so its "
            "dropout does nothing",
            "Call model.train() after each validation",
        )]  # fmt: skip
    late = [one for one in trained[1:] or trained if one.training]  # a first step may come before the first train()
    if not late:
        return []
    always_off = set.intersection(
        *({n.where for n in one.noise if n.is_module and n.p > 0 and not n.on} for one in late)
    )
    blocks = [name for name in sorted(always_off) if _learns(seen, name)]
    if not blocks:
        return []
    return [Notice(
        "block in evaluation mode",
        f"{blocks[0]} " + (f"and {len(blocks) - 1} more " if len(blocks) > 1 else "") + "stand in evaluation mode in a "
        "model that is trained, so they drop nothing",
        "Call .train() on their block, or set their rate to 0 if that is meant",
    )]  # fmt: skip


def _learns(seen: Seen, name: str) -> bool:
    """Return whether the block around a layer has weights that a step has moved."""
    parent = seen.model.get_submodule(name.rpartition(".")[0])
    return any(id(p) in seen.decay.graded for p in parent.parameters())


def _unwired(seen: Seen, trained: list[Pass]) -> list[Notice]:
    """Name a dropout layer that never runs, in a block that does, and whose rate nobody reads there either."""
    if not trained:
        return []
    called = set().union(*((one.called or set()) - one.resting for one in trained))  # at rest nobody reads a rate
    if any(one.training for one in trained):
        called.add("")
    functions = {(noise.where, noise.p) for one in trained for noise in one.noise if not noise.is_module}
    lost = []
    for module, name in seen.names.items():
        rate = rate_of(module) or 0.0
        if rate <= 0 or name in called:
            continue
        parent, _, _ = name.rpartition(".")
        holder = seen.model.get_submodule(parent)
        if isinstance(holder, nn.ModuleDict | nn.ModuleList):  # adapters keep their layers in such
            parent = parent.rpartition(".")[0]
        runs = parent in called
        if runs and not any(p == rate and (where == parent or where.startswith(parent)) for where, p in functions):
            lost.append(name)
    if not lost:
        return []
    more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
    return [Notice(
        "dropout not wired", f"{lost[0]}{more} never runs, though the block that holds it does",
        "Call it in forward, or take it away",
    )]  # fmt: skip


def _functions(trained: list[Pass]) -> list[Notice]:
    """Name a functional dropout that is told training=False in passes that train."""
    training = [one for one in trained if one.training]
    if not training:
        return []
    heard: dict[str, list[bool]] = {}
    for one in training:
        for noise in one.noise:
            if not noise.is_module and noise.p > 0:
                heard.setdefault(noise.where, []).append(noise.on)
    silent = sorted(where for where, on in heard.items() if not any(on))
    return [Notice(
        "functional dropout off",
        f"dropout in {where or 'the model'} is called with training=False while it is trained",
        "Pass training=self.training",
    ) for where in silent[:1]]  # fmt: skip


def _at_inference(seen: Seen) -> list[Notice]:
    """Name noise in passes without gradient of a model in evaluation mode."""
    asked = [one for one in seen.passes if not one.training and not one.with_grad]
    drawing = sorted(set().union(*(_drawing(one) for one in asked)) if asked else set())
    if not drawing:
        return []
    return [Notice(
        "noise at inference", f"{drawing[0] or 'the model'} drops units in evaluation mode",
        "Pass training=self.training to functional dropout, and dropout_p=0 to attention at inference",
    )]  # fmt: skip


def _recurrent(seen: Seen) -> list[Notice]:
    """Name an inter-layer dropout without a layer between."""
    for module, name in seen.names.items():
        if isinstance(module, nn.RNNBase) and module.dropout > 0 and module.num_layers == 1:
            return [Notice(
                "recurrent dropout of one layer",
                f"{name} has dropout {module.dropout:g} and one layer: it acts between layers alone",
                "Put an nn.Dropout behind it, or use two layers",
            )]  # fmt: skip
    return []
