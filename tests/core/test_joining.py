"""What a user changes between two steps: frozen, unfrozen, added, foreign and replaced parameters."""

import pytest
import torch
from torch import nn

from temperance import (
    AWD,
    CPR,
    EMA,
    L2SP,
    LAWA,
    SAM,
    CautiousDecay,
    CorrectedDecay,
    FixedNorm,
    GradientClipping,
    GroupLasso,
    NormControl,
    Recipe,
    StableDecay,
    WeightDecay,
)  # fmt: skip
from temperance.core.joining import Noticed
from temperance.core.readings import NeverBegan
from temperance.records.errors import RecipeError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_same

MLP = PROBLEMS["mlp"]
DECAYS = (
    WeightDecay(0.1), CautiousDecay(0.1), CorrectedDecay(0.1), StableDecay(0.1), GroupLasso(0.1), AWD(0.1),
    NormControl(0.5), CPR(0.5, rule="dependent"), L2SP(0.1), FixedNorm(target=0.5), EMA(0.9), LAWA(window=3, every=1),
)  # fmt: skip


class Two(nn.Module):
    """A body, a head on it, and a head that nobody calls."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.body, self.head, self.idle = nn.Linear(6, 5), nn.Linear(5, 3), nn.Linear(5, 3)

    def forward(self, x):
        return self.head(torch.relu(self.body(x)))


@pytest.mark.parametrize("one", DECAYS, ids=lambda one: type(one).__name__)
def test_an_idle_head_after_300_steps_is_as_adamw_leaves_it(one):
    model = Two()
    start = model.idle.weight.detach().clone()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.0)
    session = Recipe(one).attach(model, optimizer, loss=MLP.loss, epochs=1, steps_per_epoch=300)
    for number in range(300):
        session.step(MLP.batch(number % 7))
    assert torch.equal(model.idle.weight, start)
    assert torch.equal(session.served["idle.weight"], start)
    assert torch.equal(session.finish().idle.weight, start)


def test_decay_leaves_weights_that_the_optimizer_does_not_hold():
    model = Two()
    body = model.body.weight.detach().clone()
    optimizer = torch.optim.AdamW(model.head.parameters(), lr=0.1, weight_decay=0.0)
    session = Recipe(WeightDecay(0.5), SAM(0.1), GradientClipping(0.1)).attach(model, optimizer, loss=MLP.loss)
    head = model.head.weight.detach().clone()
    for number in range(5):
        session.step(MLP.batch(number))
    assert torch.equal(model.body.weight, body)
    assert not torch.equal(model.head.weight, head)


class Margin(nn.Module):
    """A loss with a parameter of its own."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, outputs, targets):
        return MLP.loss(outputs * self.scale, targets)


@pytest.mark.parametrize("scaled", [False, True])
def test_a_parameter_of_the_loss_trains_as_by_hand(scaled):
    def made():
        model, loss = MLP.model().train(), Margin()
        return model, loss, torch.optim.SGD([*model.parameters(), *loss.parameters()], lr=0.05)

    model, loss, optimizer = made()
    for number in range(5):
        optimizer.zero_grad()
        loss(model(MLP.batch(number).inputs), MLP.batch(number).targets).mean().backward()
        optimizer.step()
    ours, margin, own = made()
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10) if scaled else None
    with pytest.warns(Noticed, match="holds 1 parameters that are not the model's"):
        session = Recipe().attach(ours, own, loss=margin, scaler=scaler)
    for number in range(5):  # a second warning would be an error
        session.step(MLP.batch(number))
    assert session.warnings[-1].startswith("The optimizer holds 1")
    torch.testing.assert_close(margin.scale, loss.scale, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(dict(ours.state_dict()), dict(model.state_dict()), rtol=1e-5, atol=1e-6)


def by_hand(late):
    """Train the head, then the body too (rate 0.02); AdamW with decay on matrices."""
    model = Two()
    model.body.requires_grad_(False)
    decayed = {"params": [model.head.weight], "weight_decay": 0.1}
    optimizer = torch.optim.AdamW([decayed, {"params": [model.head.bias], "weight_decay": 0.0}], lr=0.05)
    for number in range(8):
        if number == 4 and late:
            model.body.requires_grad_(True)
            optimizer.add_param_group({"params": [model.body.weight], "lr": 0.02, "weight_decay": 0.1})
            optimizer.add_param_group({"params": [model.body.bias], "lr": 0.02, "weight_decay": 0.0})
        optimizer.zero_grad()
        MLP.loss(model(MLP.batch(number).inputs), MLP.batch(number).targets).mean().backward()
        optimizer.step()
    return model


def test_what_is_unfrozen_and_added_later_is_trained_and_decayed_from_then_on():
    model = Two()
    model.body.requires_grad_(False)
    optimizer = torch.optim.AdamW(model.head.parameters(), lr=0.05, weight_decay=0.0)
    session = Recipe(WeightDecay(0.1), EMA(0.5)).attach(model, optimizer, loss=MLP.loss)
    for number in range(4):
        session.step(MLP.batch(number))
    model.body.requires_grad_(True)
    optimizer.add_param_group({"params": model.body.parameters(), "lr": 0.02, "weight_decay": 0.0})
    before = model.body.weight.detach().clone()
    with pytest.warns(Noticed, match=r"body.weight and 1 more parameters are trained and regularized"):
        session.step(MLP.batch(4))
    torch.testing.assert_close(session.served["body.weight"], before.lerp(model.body.weight, 0.5))
    for number in range(5, 8):  # told once: a second warning would be an error
        session.step(MLP.batch(number))
    torch.testing.assert_close(dict(model.state_dict()), dict(by_hand(late=True).state_dict()), rtol=1e-6, atol=1e-7)


def test_unfreezing_what_the_optimizer_holds_is_noticed():
    model = Two()
    model.body.requires_grad_(False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05, weight_decay=0.0)
    session = Recipe(FixedNorm(), EMA(0.9)).attach(model, optimizer, loss=MLP.loss)
    session.step(MLP.batch(0))
    kept = session.state_dict()
    norm = model.head.weight.norm().item()
    model.body.requires_grad_(True)
    with torch.no_grad():
        model.body.weight.mul_(2.0)
    wide = model.body.weight.norm().item()
    with pytest.warns(Noticed, match="body.weight"):
        session.step(MLP.batch(1))
    goals = dict(zip(session._memory["fixed_norm"].plan, session._memory["fixed_norm"]["goal"].tolist(), strict=True))
    assert goals["head.weight"] == pytest.approx(norm, rel=1e-5)
    assert goals["body.weight"] == pytest.approx(wide, rel=1e-5)
    later = session.state_dict()
    session.step(MLP.batch(2))
    frozen = Two()
    frozen.body.requires_grad_(False)
    other = torch.optim.AdamW(frozen.parameters(), lr=0.05, weight_decay=0.0)
    fresh = Recipe(FixedNorm(), EMA(0.9)).attach(frozen, other, loss=MLP.loss)
    fresh.load_state_dict(kept)
    with pytest.raises(RecipeError, match=r"body.* trained when the checkpoint was written"):
        fresh.load_state_dict(later)


def test_numbers_by_weight_follow_their_weights():
    model = Two()
    model.body.requires_grad_(False)
    optimizer = torch.optim.SGD(
        [{"params": model.body.parameters(), "lr": 0.5}, {"params": model.head.parameters()}], lr=0.1
    )
    session = Recipe(CorrectedDecay(0.1, layers="all")).attach(model, optimizer, loss=MLP.loss)
    optimizer.param_groups[0]["lr"] = optimizer.param_groups[1]["lr"] = 0.4
    session.step(MLP.batch(0))
    model.body.requires_grad_(True)
    with pytest.warns(Noticed, match="body.weight"):
        session.step(MLP.batch(1))
    memory = session._memory["corrected_decay"]
    assert memory.plan[0][:2] == ("body.weight", "head.weight")
    assert memory["peak"].tolist() == pytest.approx([0.5, 0.5, 0.5][: len(memory["peak"])])


def test_weights_loaded_after_attach_are_where_averages_and_anchors_begin():
    def weights():
        torch.manual_seed(11)
        return nn.Linear(6, 3).state_dict()

    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    early = Recipe(L2SP(0.5), EMA(0.9)).attach(model, optimizer, loss=MLP.loss)
    model.load_state_dict(weights())
    twin = nn.Linear(6, 3)
    twin.load_state_dict(weights())
    late = Recipe(L2SP(0.5), EMA(0.9)).attach(twin, torch.optim.SGD(twin.parameters(), lr=0.1), loss=MLP.loss)
    for number in range(3):
        early.step(MLP.batch(number))
        late.step(MLP.batch(number))
    assert_same(dict(early.served), dict(late.served), "loaded after attach")


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.double(),
        lambda model: model.to("meta"),
        lambda model: model.load_state_dict(MLP.model().state_dict(), assign=True),
    ],
    ids=["dtype", "device", "assigned"],
)
def test_a_model_moved_after_attach_is_refused_with_the_right_order(change):
    model = MLP.model().train()
    session = Recipe(WeightDecay(0.1)).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=MLP.loss)
    session.step(MLP.batch(0))
    change(model)
    with pytest.raises(RecipeError, match=r"the order is model\.to"):
        session.step(MLP.batch(1))


def test_a_frozen_layer_does_not_break_what_signals_ask():
    model = Two()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = Recipe().attach(model, optimizer, loss=MLP.loss)
    session.step(MLP.batch(0))
    model.body.requires_grad_(False)
    session.step(MLP.batch(1))
    gradient = session.solo.plain_gradient(MLP.batch(2))
    assert float(gradient["body.weight"].norm()) == 0 < float(gradient["head.weight"].norm())
    along = session.solo.product(MLP.batch(2), gradient)
    assert float(along["body.weight"].norm()) == 0 < float(along["head.weight"].norm())


def test_two_sessions_on_two_models_train_in_one_loop():
    """A small GAN: each session steps its own model only, as two optimizers by hand do."""
    torch.manual_seed(0)
    real = torch.randn(64, 1) * 0.5 + 2.0

    def nets():
        torch.manual_seed(5)
        return nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)), nn.Sequential(
            nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1)
        )

    def noise(step):
        return torch.randn(16, 2, generator=torch.Generator().manual_seed(step))

    def judge(outputs, targets):
        return nn.functional.binary_cross_entropy_with_logits(outputs.squeeze(1), targets, reduction="none")

    def rows(step, generator):
        with torch.no_grad():
            fake = generator(noise(step))
        both = torch.cat([real[step * 4 % 48 : step * 4 % 48 + 16], fake])
        return both, torch.cat([torch.ones(16), torch.zeros(16)])

    make, tell = nets()
    first, second = torch.optim.Adam(make.parameters(), lr=0.01), torch.optim.Adam(tell.parameters(), lr=0.01)
    for step in range(6):
        x, y = rows(step, make)
        second.zero_grad()
        judge(tell(x), y).mean().backward()
        second.step()
        first.zero_grad()
        judge(tell(make(noise(step))), torch.ones(16)).mean().backward()
        first.step()

    ours, theirs = nets()
    one, two = torch.optim.Adam(ours.parameters(), lr=0.01), torch.optim.Adam(theirs.parameters(), lr=0.01)
    generator = Recipe().attach(ours, one, loss=lambda outputs, y: judge(theirs(outputs), y))
    critic = Recipe().attach(theirs, two, loss=judge)
    for step in range(6):
        critic.step(rows(step, ours))
        generator.step((noise(step), torch.ones(16)))
    assert_same(dict(ours.state_dict()), dict(make.state_dict()), "the generator")
    assert_same(dict(theirs.state_dict()), dict(tell.state_dict()), "the critic")
    assert (generator.finish(), critic.finish()) == (ours, theirs)


@pytest.mark.parametrize("one", [EMA(0.9), L2SP(0.1), WeightDecay(0.1)], ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("how", ["same count", "added", "layer", "not told"])
def test_a_head_that_is_replaced_is_refused_wherever_it_stands(one, how):
    """Only the first parameter was looked at: a new head was trained by nobody, or met the old one's average."""
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = Recipe(one).attach(model, optimizer, loss=nn.functional.cross_entropy)
    batch = torch.randn(4, 6), torch.randint(0, 3, (4,))
    session.step(batch)
    if how == "layer":
        model[2].weight = nn.Parameter(torch.randn(3, 8))
    else:
        model[2] = nn.Linear(8, 5)
    if how == "same count":
        optimizer.param_groups.clear()
        optimizer.add_param_group({"params": list(model.parameters()), "lr": 0.1})
    elif how == "added":
        optimizer.add_param_group({"params": list(model[2].parameters())})
    with pytest.raises(RecipeError, match="replaced after a recipe was attached"):
        session.step(batch)


def test_training_in_evaluation_mode_is_told_once():
    model = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.5), nn.Linear(8, 3))
    session = Recipe().attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=nn.functional.cross_entropy)
    batch = torch.randn(4, 6), torch.randint(0, 3, (4,))
    model.eval()
    with pytest.warns(Noticed, match=r"evaluation mode.*model\.train"):
        session.step(batch)
    session.step(batch)
    assert not model.training


def small():
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    return model, torch.optim.SGD(model.parameters(), lr=0.1)


def test_an_optimizer_step_left_in_the_loop_is_told_once():
    model, optimizer = small()
    session = Recipe(WeightDecay(0.1)).attach(model, optimizer, loss=MLP.loss)
    session.step(MLP.batch(0))
    with pytest.warns(Noticed, match="each batch counts twice"):
        optimizer.step()
    for number in (1, 2):
        session.step(MLP.batch(number))
        optimizer.step()
    assert not optimizer._optimizer_step_post_hooks  # so the steps after the first cost what they did
    session.finish()


def test_validation_and_proof_after_the_first_step_are_no_step_of_the_user():
    model, optimizer = small()
    session = Recipe(SAM(0.1), EMA(0.9)).attach(model, optimizer, loss=MLP.loss)
    session.step(MLP.batch(0))
    session.validate([MLP.batch(1)])
    session.proof(MLP.batch(0))
    with session.served_weights():
        pass
    session.finish()
    assert not optimizer._optimizer_step_post_hooks
    optimizer.step()


def test_a_loop_of_the_users_own_steps_the_optimizer_where_the_session_does():
    model, optimizer = small()
    session = Recipe(WeightDecay(0.1)).attach(model, optimizer, loss=MLP.loss)
    for number in range(3):
        for part in range(2):
            session.loss(MLP.batch(2 * number + part)).backward()
            session.validate([MLP.batch(9)])
        session.update()
        optimizer.zero_grad()
    assert session.steps == 3


def test_an_update_past_the_session_is_told_and_its_weights_are_kept():
    model, optimizer = small()
    session = Recipe(WeightDecay(0.1), EMA(0.9)).attach(model, optimizer, loss=MLP.loss)
    session.loss(MLP.batch(0)).backward()
    optimizer.step()
    with pytest.warns(Noticed, match="updated past the session"):
        session.loss(MLP.batch(1)).backward()
    optimizer.step()
    trained = model[0].weight.detach().clone()
    with pytest.warns(NeverBegan, match="updated past the session"):
        session.finish()
    assert torch.equal(model[0].weight, trained)  # not the average, which knows the start alone


def test_a_session_that_was_forgotten_says_so_and_the_training_stays():
    model, optimizer = small()
    session = Recipe(EMA(0.9)).attach(model, optimizer, loss=MLP.loss)
    for number in range(3):
        optimizer.zero_grad()
        batch = MLP.batch(number)
        MLP.loss(model(batch.inputs), batch.targets).mean().backward()
        optimizer.step()
    trained = model[0].weight.detach().clone()
    with pytest.warns(NeverBegan, match="the session made no step"):
        session.finish()
    assert torch.equal(model[0].weight, trained)


def test_a_session_without_a_step_and_with_the_weights_of_the_start_says_nothing():
    model, optimizer = small()
    assert Recipe(EMA(0.9)).attach(model, optimizer, loss=MLP.loss).finish() is model
