"""All folds of a cross-validation in one training: every bank of a net leaves out the rows of its own fold.

A net with one bank per fold (``build("tabular", info, banks=5, members=20)``) holds five nets that share nothing.
Trained once on all rows, with targets *left out* for the bank of a row's own fold, the members of that bank give its
out-of-fold prediction. Five folds then cost less than two trainings, not five.
"""

from __future__ import annotations

import torch
from torch import Tensor

from temperance.records.errors import SettingError


def fold_targets(targets: Tensor, folds: Tensor, bank_of: tuple[int, ...]) -> Tensor:
    """Return targets per member (b, k); a member whose bank is the row's fold gets −1, or NaN for values.

    Args:
        targets: class numbers or values (b,), or values per member (b, k).
        folds: (b,) int64, the fold of each row: 0 … banks − 1, or −1 for a row that all banks train on.
        bank_of: bank per member, ``net.bank_of``.

    Raises:
        SettingError: a fold that no bank leaves out.

    """
    banks = torch.tensor(bank_of, device=folds.device)
    if int(folds.max()) > int(banks.max()):
        raise SettingError(
            f"fold {int(folds.max())} for a net of {int(banks.max()) + 1} banks",
            "folds 0 … banks − 1, or −1",
            "Build the net with banks=<count of folds>",
        )
    left_out = folds.unsqueeze(1) == banks.unsqueeze(0)
    absent = float("nan") if targets.is_floating_point() else -1
    wide = targets if targets.dim() == 2 else targets.unsqueeze(1)
    return wide.expand(left_out.shape).masked_fill(left_out, absent)


def out_of_fold(outputs: Tensor, folds: Tensor, bank_of: tuple[int, ...]) -> Tensor:
    """Return of each row the outputs of the members that did not train on it, (b, k / banks, c).

    Args:
        outputs: (b, k, c).
        folds: (b,) int64, 0 … banks − 1.
        bank_of: bank per member.

    """
    banks = torch.tensor(bank_of, device=outputs.device)
    members = torch.stack([torch.nonzero(banks == bank).squeeze(1) for bank in range(int(banks.max()) + 1)])
    chosen = members[folds].unsqueeze(-1).expand(-1, -1, outputs.shape[-1])
    return outputs.gather(1, chosen)


def fold_scales(targets: Tensor, folds: Tensor, banks: int) -> tuple[Tensor, Tensor]:
    """Return per bank the mean and standard deviation of the values that it trains on, each (banks,).

    A bank whose targets were scaled by all rows would know something of the answers that it leaves out.

    Args:
        targets: (b,).
        folds: (b,) int64.
        banks: how many.

    """
    kept = [targets[folds != bank].double() for bank in range(banks)]
    mean = torch.stack([values.mean() for values in kept])
    sd = torch.stack([values.std(correction=0) for values in kept])
    return mean, torch.where(sd > 0, sd, torch.ones_like(sd))


def scale_targets(targets: Tensor, bank_of: tuple[int, ...], mean: Tensor, sd: Tensor) -> Tensor:
    """Return targets per member (b, k) on the scale of its bank."""
    bank = torch.tensor(bank_of, device=targets.device)
    m, s = mean.to(targets)[bank], sd.to(targets)[bank]
    return (targets.unsqueeze(1) - m) / s
