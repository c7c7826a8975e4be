from __future__ import annotations

import pytest
import torch

from temperance.models import ModelInfo, build, cross_entropy, fold_targets, out_of_fold, squared_error
from temperance.records.errors import SettingError

FOLDS = torch.tensor([0, 1, 2, 0, 1, 2])


def test_targets_leave_out_the_own_fold() -> None:
    labels = fold_targets(torch.tensor([1, 0, 1, 0, 1, 0]), FOLDS, (0, 1, 2, 0))
    assert labels[:2].tolist() == [[-1, 1, 1, -1], [0, -1, 0, 0]]
    values = fold_targets(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0, 1, -1]), (0, 1))
    assert values.isnan().tolist() == [[True, False], [False, True], [False, False]]
    with pytest.raises(SettingError, match="fold 2 for a net of 2 banks"):
        fold_targets(torch.zeros(6), FOLDS, (0, 1))


def test_losses_skip_what_is_left_out() -> None:
    outputs = torch.randn(6, 4, 3)
    labels, bank_of = torch.tensor([1, 0, 2, 0, 1, 0]), (0, 1, 2, 0)
    got = cross_entropy(outputs, fold_targets(labels, FOLDS, bank_of))
    kept = [i for i, bank in enumerate(bank_of) if bank != 1]
    torch.testing.assert_close(got[1], cross_entropy(outputs[1:2, kept], labels[1:2])[0])
    values = fold_targets(torch.arange(6.0), FOLDS, bank_of)
    got = squared_error(outputs[..., :1], values)
    torch.testing.assert_close(got[1], (outputs[1, kept, 0] - 1.0).square().mean())


def test_out_of_fold_picks_the_members_that_left_the_row_out() -> None:
    outputs = torch.arange(6 * 4.0).view(6, 4, 1)
    assert out_of_fold(outputs, FOLDS.clamp_max(1), (0, 1, 0, 1))[:2, :, 0].tolist() == [[0, 2], [5, 7]]


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_no_member_learns_from_a_row_of_its_own_fold(task: str) -> None:
    """Change the target of one row: out-of-fold predictions of that row's fold stay bit for bit after training."""
    info = ModelInfo(3, (4, 20), 2 if task == "binary" else 1, task)  # type: ignore[arg-type]
    key = torch.Generator().manual_seed(0)
    numbers, codes = torch.randn(30, 3, generator=key), torch.randint(0, 4, (30, 2), generator=key)
    folds = torch.arange(30) % 3
    labels = torch.randint(0, 2, (30,), generator=key)
    found = []
    for flipped in (False, True):
        targets = labels.clone()
        targets[4] = 1 - targets[4] if flipped else targets[4]
        net = build("tabular", info, 0, banks=3, members=6, width=8)
        wanted = fold_targets(targets if task == "binary" else targets.float(), folds, net.bank_of)  # type: ignore[arg-type]
        optimizer = torch.optim.AdamW(net.parameters(), lr=0.05, weight_decay=0.0)
        for _ in range(5):
            optimizer.zero_grad()
            (cross_entropy if task == "binary" else squared_error)(net(numbers, codes), wanted).mean().backward()
            optimizer.step()
        found.append(out_of_fold(net(numbers, codes), folds, net.bank_of).detach())  # type: ignore[arg-type]
    same_fold = folds == folds[4]
    assert torch.equal(found[0][same_fold], found[1][same_fold])
    assert not torch.equal(found[0][~same_fold], found[1][~same_fold])
