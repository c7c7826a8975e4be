"""One net out of readings: members of a tabular net as they were at several moments of its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from temperance.models.tabular import TabularNet

State = Mapping[str, Tensor]


class Pick(NamedTuple):
    """The members of one slot (one in each bank) at one reading, with their share of the answer."""

    reading: int
    slot: int
    share: float


class Group(NamedTuple):
    """Picks that see the inputs through the same view at the same reading."""

    view: int
    reading: int
    members: tuple[int, ...]


def groups(net: TabularNet, picks: Sequence[Pick]) -> tuple[Group, ...]:
    """Return the picks by view and reading, each with the net's own numbers of its members, bank by bank."""
    view = {slot: net.view_of[net.slot_of.index(slot)] for slot in net.slot_of}
    places = sorted({(view[pick.slot], pick.reading) for pick in picks})
    slots = {place: {p.slot for p in picks if (view[p.slot], p.reading) == place} for place in places}
    return tuple(Group(v, r, tuple(m for m, slot in enumerate(net.slot_of) if slot in slots[v, r])) for v, r in places)


def settings(net: TabularNet, names: Sequence[str], picks: Sequence[Pick]) -> dict[str, Any]:
    """Return the settings of the net that holds the picks: ``parts``, ``shares``, ``banks``.

    Args:
        net: the net that was trained.
        names: of its views, ``smooth``, ``sharp`` or ``plain``.
        picks: with shares that sum to 1.

    """
    banks = max(net.bank_of) + 1
    share = {(pick.reading, pick.slot): pick.share for pick in picks}
    found = groups(net, picks)
    shares = [share[g.reading, net.slot_of[m]] / banks for g in found for m in g.members]
    return {"banks": banks, "parts": [[names[g.view], len(g.members)] for g in found], "shares": shares}


def gather(net: TabularNet, states: Mapping[int, State], picks: Sequence[Pick]) -> dict[str, Tensor]:
    """Return the weights of the net that holds the picks.

    Args:
        net: the net that was trained.
        states: its ``state_dict`` at each reading that is picked.
        picks: see ``settings``.

    """
    found = groups(net, picks)
    weights: dict[str, Tensor] = {}
    for part, group in enumerate(found):
        state = states[group.reading]
        for name, tensor in state.items():
            room, _, rest = name.partition(".")
            number, _, inner = rest.partition(".")
            if room not in ("views", "scales", "entries") or int(number) != group.view:
                continue
            if room == "entries":
                start = net.view_of.index(group.view)
                tensor = tensor[[m - start for m in group.members]]
            weights[f"{room}.{part}.{inner}"] = tensor.clone()
    for name in states[found[0].reading]:
        if name.partition(".")[0] in ("hidden", "output"):
            weights[name] = torch.cat([states[g.reading][name][list(g.members)] for g in found])
    return weights


def rescaled(weights: Mapping[str, Tensor], net: TabularNet, mean: Tensor, sd: Tensor) -> dict[str, Tensor]:
    """Return the weights with each member's value turned into value · sd + mean.

    Args:
        weights: of ``net``.
        net: whose members gave values on scales of their own, one per bank.
        mean: (banks,).
        sd: (banks,).

    """
    bank = torch.tensor(net.bank_of)
    m, s = (t[bank].view(-1, 1, 1).to(weights["output.weight"].dtype) for t in (mean, sd))
    moved = {
        "output.weight": weights["output.weight"] * s,
        "output.bias": weights["output.bias"] * s + m / net.output.bias_rate,
    }
    return {**weights, **moved}
