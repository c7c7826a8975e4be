from __future__ import annotations

import pytest
import torch
from torch import nn

from temperance.models import ModelInfo, bin_edges, build
from temperance.models.loss import cross_entropy
from temperance.records.errors import SettingError


def test_dropout_layers_are_there_to_be_re_purposed_and_silent_by_default() -> None:
    info = ModelInfo(4, (), 2, "binary")
    net = build("tabular", info, 0)
    layers = [m for m in net.modules() if isinstance(m, nn.Dropout)]
    assert layers
    assert all(layer.p == 0 for layer in layers)


def test_members_differ_and_their_gradients_do_not_mix() -> None:
    info = ModelInfo(4, (), 2, "binary")
    net = build("tabular", info, 0, members=4)
    outputs = net(torch.randn(8, 4), torch.zeros(8, 0, dtype=torch.int64))
    assert float((outputs[:, 0] - outputs[:, 1]).detach().abs().max()) > 1e-3
    outputs[:, 1].sum().backward()
    grads = net.get_parameter("output.weight").grad
    assert grads is not None
    assert grads[[0, 2, 3]].abs().sum() == 0
    assert grads[1].abs().sum() > 0


def test_it_learns_a_jump_that_a_straight_line_cannot_follow() -> None:
    generator = torch.Generator().manual_seed(0)
    numbers = torch.randn(512, 3, generator=generator)
    labels = ((numbers[:, 0] > 0.3) ^ (numbers[:, 1] > -0.2)).long()
    codes = torch.zeros(512, 0, dtype=torch.int64)
    net = build("tabular", ModelInfo(3, (), 2, "binary", train_rows=512), 0)
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01, weight_decay=0.0)
    for _ in range(60):
        optimizer.zero_grad()
        cross_entropy(net(numbers, codes), labels).mean().backward()
        optimizer.step()
    assert float(cross_entropy(net(numbers, codes), labels).detach().mean()) < 0.15


def test_half_of_the_members_see_the_numbers_in_pieces() -> None:
    """Beyond the last edge the pieces are flat; the sharp members still see x itself and its waves."""
    edges = ((-1.0, 0.0, 1.0),) * 2
    net = build("tabular", ModelInfo(2, (), 1, "regression", edges=edges), 0, members=4)
    numbers = torch.tensor([[0.5, 0.5]])
    with torch.no_grad():
        before = net(numbers, torch.zeros(1, 0, dtype=torch.int64))
        net.get_parameter("views.1.numbers.0.value").add_(1.0)
        after = net(numbers, torch.zeros(1, 0, dtype=torch.int64))
    assert torch.equal(before[:, :2], after[:, :2])
    assert bool((before[:, 2:] != after[:, 2:]).all())


def test_numbers_of_two_values_are_taken_as_they_are() -> None:
    edges = ((-1.0, 1.0), (-1.0, 0.0, 1.0), (0.0, 1.0))
    info = ModelInfo(3, (3,), 2, "binary", edges=edges)
    assert info.pairs == (0, 2)
    one, other = build("tabular", info, 0, members=4), build("tabular", ModelInfo(1, (3,), 2, "binary"), 0, members=4)
    assert [a.width - b.width for a, b in zip(one.views, other.views, strict=True)] == [2, 2]
    assert one.get_parameter("views.1.numbers.0.value").shape[0] == 1
    numbers, codes = torch.randn(5, 3, requires_grad=True), torch.zeros(5, 1, dtype=torch.int64)
    one(numbers, codes).sum().backward()
    assert bool((numbers.grad.abs().sum(dim=0) > 0).all())  # type: ignore[union-attr]


def test_a_table_of_pairs_alone_needs_no_embedding() -> None:
    net = build("tabular", ModelInfo(2, (), 2, "binary", edges=((0.0, 1.0),) * 2), 0, members=4, banks=2)
    assert [view.width for view in net.views] == [2, 2]
    assert not [name for name, _ in net.named_parameters() if name.startswith("views")]
    assert net(torch.randn(5, 2), torch.zeros(5, 0, dtype=torch.int64)).shape == (5, 4, 2)


def test_without_numbers_all_members_share_one_view() -> None:
    net = build("tabular", ModelInfo(0, (3, 40), 2, "binary"), 0, members=4)
    outputs = net(torch.zeros(5, 0), torch.ones(5, 2, dtype=torch.int64))
    assert outputs.shape == (5, 4, 2)
    assert net.bank_of == (0, 0, 0, 0)


@pytest.mark.parametrize("numeric", [1, 70, 101, 300])
def test_shapes_do_not_depend_on_the_edges_so_that_a_refit_fits_the_same_graph(numeric: int) -> None:
    rows = torch.randn(50, numeric, generator=torch.Generator().manual_seed(0))
    first = ModelInfo(numeric, (), 2, "binary", edges=bin_edges(rows[:20].numpy()))
    second = ModelInfo(numeric, (), 2, "binary", edges=bin_edges(rows.round().numpy()))
    one, other = (build("tabular", info, 0, members=2, width=8) for info in (first, second))
    assert {k: v.shape for k, v in one.state_dict().items()} == {k: v.shape for k, v in other.state_dict().items()}
    assert one(rows[:3], torch.zeros(3, 0, dtype=torch.int64)).shape == (3, 2, 2)


@pytest.mark.parametrize("views", ["smooth", "sharp"])
def test_one_view_for_all_members(views: str) -> None:
    net = build("tabular", ModelInfo(3, (3,), 2, "binary"), 0, views=views, members=4, banks=2)
    assert net(torch.randn(5, 3), torch.ones(5, 1, dtype=torch.int64)).shape == (5, 4, 2)
    assert net.bank_of == (0, 0, 1, 1)
    with pytest.raises(SettingError, match="views='rough'"):
        build("tabular", ModelInfo(3, (3,), 2, "binary"), 0, views="rough")
