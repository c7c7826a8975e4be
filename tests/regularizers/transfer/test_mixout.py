"""Mixout: weights go back to their start while a layer runs; parameters stay."""

import pytest
import torch
from torch import nn

from temperance import DropConnect, Mixout, Population, Recipe
from temperance.core.optimizers import SGD
from temperance.core.random import pulse, site_mask
from temperance.records.errors import RecipeError, SettingError
from temperance.regularizers.transfer.mixout import mix

# What the authors' code gives (github.com/bloodwass/mixout, 18f377d, its forward pass with p = 0.4, seed 2), for
# W = sin(0 … 11) and W₀ = cos(0 … 11), both (3, 4); it put the columns 0 and 2 back.
THEIRS = [
    [1.0, 1.0422501041010677, -0.4161468365471424, 0.8951950111667423],
    [-0.6536436208636119, -1.787315248080715, 0.9601702866503659, 0.5923761616357787],
    [-0.14550003380861354, 1.2942843166593792, -0.8390715290764524, -1.6696008095765396],
]


def test_equals_the_authors_code() -> None:
    count = torch.arange(12.0, dtype=torch.float64).reshape(3, 4)
    mask = torch.tensor([0.0, 1.0, 0.0, 1.0], dtype=torch.float64) / 0.6
    got = mix(torch.sin(count), torch.cos(count), mask.unsqueeze(0))
    torch.testing.assert_close(got, torch.tensor(THEIRS, dtype=torch.float64), rtol=1e-12, atol=1e-12)


def test_share_expectation_and_the_papers_formula() -> None:
    torch.manual_seed(0)
    weight, start, p = torch.randn(300, 400).double(), torch.randn(300, 400).double(), torch.tensor(0.7).double()
    with pulse(3):
        mask = site_mask("site", weight, 1 - p)
    got, back = mix(weight, start, mask), (mask == 0).double()
    torch.testing.assert_close(got, (back * start + (1 - back) * weight - p * start) / (1 - p), rtol=1e-9, atol=1e-9)
    assert float(back.mean()) == pytest.approx(0.7, abs=0.01)
    off = (got - weight).mean() / ((0.7 / 0.3) ** 0.5 * (weight - start).std() / weight.numel() ** 0.5)
    assert abs(float(off)) < 4


def test_from_zero_it_is_dropconnect() -> None:
    results = []
    for one in (Mixout(0.4), DropConnect(0.4)):
        layer = nn.Linear(5, 4, bias=False).double()
        nn.init.zeros_(layer.weight)
        session = _attach(one, nn.Sequential(layer))
        session._start = None  # the weights below are no others that were loaded, they were learnt
        with torch.no_grad():
            layer.weight.copy_(torch.arange(20.0).reshape(4, 5))
        address = next(iter(session.recipe.by_address))
        session.step((torch.ones(2, 5).double(), torch.zeros(2, 4).double()))
        with pulse(9):
            mask = site_mask(f"{address}/0", layer.weight, 1 - session._strengths[address]["p"])
        with pulse(9):
            results.append((layer(torch.eye(5).double()).detach(), mask, layer.weight.detach().clone()))
    for out, mask, weight in results:
        torch.testing.assert_close(out, (weight * mask).T, rtol=1e-12, atol=1e-9)


def test_at_the_start_it_changes_nothing_and_then_it_does() -> None:
    model = _two()
    session = _attach(Mixout(0.7), model)
    x = torch.randn(6, 3)
    with session.noise():
        first = model(x)
    model.eval()
    torch.testing.assert_close(first, model(x))
    model.train()
    for _ in range(3):
        session.step((x, torch.ones(6, 2)))
    with session.noise():
        moved = model(x)
    assert not torch.allclose(moved, model.eval()(x))


def test_units_are_put_back_together() -> None:
    layer = nn.Linear(4, 3)
    session = _attach(Mixout(0.5, by="units"), nn.Sequential(layer))
    for _ in range(3):
        session.step((torch.randn(6, 4), torch.ones(6, 3)))
    start = session._memory["mixout"]["start"]["0.weight"]
    with pulse(5):
        out = layer(torch.eye(4)) - layer.bias
    back = torch.isclose(out, start.T, atol=1e-6).all(1)
    assert 0 < int(back.sum()) < 4
    assert not torch.isclose(out, start.T, atol=1e-6).all(1)[~back].any()


def test_the_new_head_is_left_alone_and_a_copy_of_the_starting_weights_is_the_memory() -> None:
    model = _two()
    session = _attach(Mixout(0.7, new="2.*"), model)
    assert list(session._memory["mixout"]["start"]) == ["0.weight"]
    assert not hasattr(model[2], "_temperance_mixout_p")
    session.finish()
    assert not hasattr(model[0], "_temperance_mixout_p")


def test_weights_loaded_after_attach_are_the_start() -> None:
    model, other = _two(), _two()
    session = _attach(Mixout(0.9), model)
    model.load_state_dict(other.state_dict())
    session.step((torch.randn(6, 3), torch.ones(6, 2)))
    assert torch.equal(model[0]._temperance_mixout_start, other[0].weight)


def test_a_layer_that_joins_later_starts_there_and_the_others_keep_their_start() -> None:
    model = _two()
    model[0].requires_grad_(False)
    session = _attach(Mixout(0.5), model)
    before = model[2].weight.detach().clone()
    session.step((torch.randn(6, 3), torch.ones(6, 2)))
    model[0].requires_grad_(True)
    with pytest.warns(UserWarning, match="more parameters are trained"):
        session.step((torch.randn(6, 3), torch.ones(6, 2)))
    assert torch.equal(session._memory["mixout"]["start"]["2.weight"], before)


def test_members_of_a_population_have_their_own_start() -> None:
    model = _two()
    together = Population(Recipe(Mixout(0.9)), model, _loss, SGD(0.0), 2, mode="vmap")
    weights = [{name: p.detach() + i for name, p in model.named_parameters()} for i in range(2)]
    state = together.begin(weights=weights)
    batch = (torch.randn(6, 3), torch.zeros(6, 2))
    _, notes = together(state, batch)
    for i in range(2):  # at its own start each is the plain net
        with torch.no_grad():
            out = torch.func.functional_call(model, weights[i], (batch[0],))
        torch.testing.assert_close(notes["loss"][i], _loss(out, batch[1]).mean())


def test_the_conv1d_of_gpt2_is_a_linear_layer() -> None:
    transformers = pytest.importorskip("transformers")
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(vocab_size=9, n_embd=4, n_layer=1, n_head=2)).train()
    session = Recipe(Mixout(0.5, by="units", at="transformer.h.*")).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.1), loss=None
    )
    ids = torch.arange(8).reshape(2, 4)
    session.step({"input_ids": ids, "labels": ids})
    assert len(session._memory["mixout"]["start"]) == 4


def test_what_cannot_be_mixed_is_refused() -> None:
    with pytest.raises(RecipeError, match="0 new layers"):
        _attach(Mixout(new="head*"), _two())
    with pytest.raises(RecipeError, match="0 pretrained"):
        _attach(Mixout(), nn.Sequential(nn.Conv2d(1, 1, 3)))
    with pytest.raises(SettingError, match="by='rows'"):
        Mixout(by="rows")
    assert any("Mixout" in line for line in Recipe(Mixout(), DropConnect()).warnings)


def _two() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def _loss(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return ((out - y) ** 2).mean(-1)


def _attach(one, model: nn.Module):
    return Recipe(one).attach(model.train(), torch.optim.SGD(model.parameters(), lr=0.1), loss=_loss)


def test_declares_the_copies_that_it_keeps() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = Recipe(Mixout(0.5)).attach(model, optimizer, loss=nn.CrossEntropyLoss())
    session.step((torch.randn(5, 4), torch.arange(5) % 3))
    beside = [layer._temperance_mixout_start for layer in model]
    memory = session._memory["mixout"]["start"].tensors
    places = {one.data_ptr() for one in (*beside, *memory)}
    assert len(places) == Mixout.cost.copies * len(model)
