"""An optimizer's parameter groups as a decaying technique sees them: which of them decay, and how much."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import nn

from temperance.core.policy import trainable
from temperance.records.errors import RecipeError

SHARE = "temperance_decay_share"
"""Key in a parameter group: its decay, as a share of the technique's strength. It travels in the optimizer's state."""


class TookOver(UserWarning):
    """A technique took the decay of an optimizer's groups over; the optimizer's own is 0 from then on."""


def largest(optimizer: torch.optim.Optimizer, owner: str) -> float:
    """Return the largest ``weight_decay`` of the groups, per unit of learning rate.

    Raises:
        RecipeError: no group decays.

    """
    found = max((float(group.get("weight_decay", 0.0)) for group in optimizer.param_groups), default=0.0)
    if not found:
        raise RecipeError(
            f"{owner}.from_optimizer got {type(optimizer).__name__}, none of whose groups decays",
            "at least one group with weight_decay above 0",
            f"Use {owner}(rate) where the recipe alone says how much",
        )
    return found


def take_over(optimizer: Any, rate: float, owner: str, model: nn.Module | None = None) -> None:
    """Turn the groups' ``weight_decay`` into shares of one strength; one line (``TookOver``) says what was taken.

    Args:
        optimizer: any ``torch.optim`` optimizer; the ``weight_decay`` of its groups is 0 afterwards.
        rate: the strength that counts as 1.
        owner: name of the technique that decays from now on.
        model: groups without a parameter of this model keep their own; None: there are no others.

    """
    own = None if model is None else {id(p) for p in model.parameters()}
    taken, total = [], 0.0
    for group in optimizer.param_groups:
        decay = float(group.get("weight_decay", 0.0))
        is_ours = own is None or any(id(p) in own for p in group["params"])
        if is_ours and (decay or SHARE not in group):
            group[SHARE], group["weight_decay"] = decay / rate, _zero(group.get("weight_decay", 0.0))
            taken.append(f"{decay:g} for {len(group['params'])} tensors")
            total += decay
    if total:
        line = f"{owner} took over the weight_decay of {_name(optimizer)}: {', '.join(taken)}."
        warnings.warn(line, TookOver, stacklevel=3)


def shares(optimizer: Any, model: nn.Module, owner: str) -> dict[str, float]:
    """Return the share of each decayed parameter by name, those of shares above 0.

    Raises:
        RecipeError: the optimizer's groups have no shares, or none above 0 for this model.

    """
    by_id = {id(p): group.get(SHARE, 0.0) for group in getattr(optimizer, "param_groups", ()) for p in group["params"]}
    found = {name: by_id[id(p)] for name, p in trainable(model).items() if by_id.get(id(p), 0.0) > 0}
    if not found:
        raise RecipeError(
            f"{owner}(policy='groups') finds no group whose decay it took over",
            "the optimizer that was given to from_optimizer, over this model's parameters",
            f"Write Recipe({owner}.from_optimizer(optimizer), …).attach(model, optimizer, …)",
        )
    return found


def _zero(kept: Any) -> Any:
    return torch.zeros_like(kept) if isinstance(kept, torch.Tensor) else 0.0


def _name(optimizer: torch.optim.Optimizer) -> str:
    """Return the optimizer's name, and what changes where its own decay was not decoupled."""
    name = type(optimizer).__name__
    coupled = name != "AdamW" and not optimizer.defaults.get("decoupled_weight_decay", False)
    return f"{name} (which added it to the gradient; it acts on the weights now)" if coupled else name
