"""Members gathered from several readings answer as they did when they were read."""

from __future__ import annotations

import pytest
import torch

from temperance.models import ModelInfo, build, combine
from temperance.models.mixture import Pick, gather, groups, rescaled, settings
from temperance.records.errors import SettingError

INFO = ModelInfo(3, (4, 30), 3, "multiclass")
INPUTS = torch.randn(7, 3, generator=torch.Generator().manual_seed(0)), torch.ones(7, 2, dtype=torch.int64)


def trained(seed: int):  # type: ignore[no-untyped-def]
    return build("tabular", INFO, seed, members=8, banks=2, width=8)


def test_the_mixture_is_the_weighted_mean_of_its_picks() -> None:
    nets = [trained(0), trained(1)]
    states = {i: net.state_dict() for i, net in enumerate(nets)}
    picks = [Pick(0, 0, 0.5), Pick(1, 3, 0.2), Pick(1, 2, 0.2), Pick(1, 1, 0.1)]
    kept = settings(nets[0], ("smooth", "sharp"), picks)
    net = build("tabular", INFO, 0, width=8, **kept)
    net.load_state_dict(gather(nets[0], states, picks))
    assert kept["parts"] == [["smooth", 2], ["smooth", 2], ["sharp", 4]]
    assert sum(kept["shares"]) == pytest.approx(1.0)
    with torch.no_grad():
        got = combine(net(*INPUTS), task="multiclass", shares=net.shares)
        wanted = torch.zeros(7, 3)
        for pick in picks:
            chosen = [m for m, slot in enumerate(nets[0].slot_of) if slot == pick.slot]
            wanted += pick.share * torch.softmax(nets[pick.reading](*INPUTS)[:, chosen], -1).mean(1)
    torch.testing.assert_close(got, wanted)
    assert sorted(set(net.bank_of)) == [0, 1]


def test_groups_are_views_at_readings() -> None:
    found = groups(trained(0), [Pick(1, 0, 0.5), Pick(0, 2, 0.5)])
    assert [(g.view, g.reading, len(g.members)) for g in found] == [(0, 1, 2), (1, 0, 2)]


def test_values_are_put_back_on_one_scale() -> None:
    info = ModelInfo(3, (), 1, "regression")
    net = build("tabular", info, 0, members=4, banks=2, width=8)
    inputs = torch.randn(5, 3), torch.zeros(5, 0, dtype=torch.int64)
    before = net(*inputs).detach()
    mean, sd = torch.tensor([1.0, -2.0]), torch.tensor([2.0, 0.5])
    net.load_state_dict(rescaled(net.state_dict(), net, mean, sd))
    bank = torch.tensor(net.bank_of)
    torch.testing.assert_close(net(*inputs).detach(), before * sd[bank].view(1, -1, 1) + mean[bank].view(1, -1, 1))


def test_parts_and_shares_are_checked() -> None:
    with pytest.raises(SettingError, match="a part of 3 members"):
        build("tabular", INFO, 0, banks=2, parts=[["smooth", 3]])
    with pytest.raises(SettingError, match="1 shares for 2 members"):
        build("tabular", INFO, 0, parts=[["smooth", 2]], shares=[1.0])
