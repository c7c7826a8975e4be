"""Recipes inside Lightning: the plain loop's weights, Lightning's own counters, checkpoints and hooks."""

import pytest

pytest.importorskip("lightning")

import lightning
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from tests.integrations.lightning_nets import QUIET, Net, X, Y, apart, fit, loader, plain
from torch import nn
from torch.nn import functional as F  # noqa: N812

from temperance import (
    EMA,
    SAM,
    SWA,
    ConcreteDropout,
    Dropout,
    GapFeedback,
    GradientNoise,
    LabelSmoothing,
    MixUp,
    Recipe,
    SpectralNorm,
    WeightDecay,
)
from temperance.control import Linear
from temperance.integrations.lightning import RecipeCallback, session_of
from temperance.records.errors import RecipeError

torch.set_num_threads(1)
COCKTAIL = Recipe(Dropout(0.2), MixUp(0.3), LabelSmoothing(0.1), WeightDecay(0.1), EMA(0.9))
CLIMB = Recipe(SAM(0.1), Dropout(0.2), EMA(0.9))
QUIETLY = pytest.mark.filterwarnings("ignore")
pytestmark = QUIETLY


# -- the plain loop's weights -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", [Recipe(), COCKTAIL, CLIMB], ids=["none", "cocktail", "sam"])
@pytest.mark.parametrize("manual", [False, True], ids=["automatic", "manual"])
def test_three_epochs_give_the_plain_loops_weights(recipe, manual):
    net, trainer, callback = fit(recipe, Net(manual=manual))
    assert apart(net, plain(recipe)[0]) < 1e-6
    assert trainer.global_step == callback.session.steps == 18


@pytest.mark.parametrize(
    "recipe", [Recipe(Dropout(0.2), WeightDecay(0.1), GradientNoise(0.01)), CLIMB], ids=["one", "two"]
)
def test_without_loss_the_training_step_is_the_loss(recipe):
    net, trainer, _ = fit(recipe, loss=None)
    assert apart(net, plain(recipe)[0]) < 1e-6
    assert trainer.global_step == 18


def test_max_steps_ends_the_training():
    for manual in (False, True):
        _, trainer, callback = fit(COCKTAIL, Net(manual=manual), max_steps=5)
        assert trainer.global_step == callback.session.steps == 5


def test_accumulation_is_the_step_of_the_big_batch():
    recipe = Recipe(WeightDecay(0.1), EMA(0.9))
    net, trainer, callback = fit(recipe, size=8, accumulate_grad_batches=2)
    assert apart(net, plain(recipe)[0]) < 1e-9
    assert trainer.global_step == callback.session.steps == 18


def test_accumulation_of_an_own_training_step():
    recipe = Recipe(WeightDecay(0.1))
    net, _, callback = fit(recipe, loss=None, size=8, accumulate_grad_batches=2)
    assert apart(net, plain(recipe)[0]) < 1e-9
    assert callback.session.steps == 18


def by_hand(clip, net):
    optimizer = net.configure_optimizers()
    for _ in range(3):
        for x, y in loader():
            optimizer.zero_grad()
            F.cross_entropy(net(x), y).backward()
            nn.utils.clip_grad_norm_(net.parameters(), clip)
            optimizer.step()
    return net


@pytest.mark.parametrize("loss", [F.cross_entropy, None], ids=["loss", "training_step"])
def test_gradient_clip_val_acts(loss):
    net, _, _ = fit(Recipe(), loss=loss, gradient_clip_val=0.05)
    assert apart(net, by_hand(0.05, Net())) < 1e-12
    assert apart(net, by_hand(1e9, Net())) > 1e-2


def test_gradient_clip_val_acts_on_the_second_pass_of_sam():
    net, _, _ = fit(Recipe(SAM(0.1)), Net(lr=1.0), gradient_clip_val=1e-4)
    moved = apart(net, Net())
    assert 0 < moved < 18 * 10 * 1e-4  # 18 steps with momentum 0.9 of length 1e-4 at most


@pytest.mark.parametrize("recipe", [COCKTAIL, CLIMB], ids=["cocktail", "sam"])
def test_precision_bf16_mixed(recipe):
    net, _, _ = fit(recipe, Net().float(), precision="bf16-mixed")
    other, _ = plain_float(recipe, torch.bfloat16)
    assert next(net.parameters()).dtype == torch.float32
    assert apart(net, other) < 1e-6


def plain_float(recipe, autocast):
    net = Net().float()
    session = recipe.attach(
        net, net.configure_optimizers(), loss=F.cross_entropy, epochs=3, steps_per_epoch=6, select=None,
        autocast=autocast,
    )  # fmt: skip
    for _ in range(3):
        for batch in loader(16, torch.float32):
            session.step(batch)
    return session.finish(), session


def test_precision_64_true():
    net, _, _ = fit(COCKTAIL, Net().float(), precision="64-true")
    start = Net().float().double()
    assert next(net.parameters()).dtype == torch.float64
    session = COCKTAIL.attach(
        start, start.configure_optimizers(), loss=F.cross_entropy, epochs=3, steps_per_epoch=6, select=None
    )
    for _ in range(3):
        for x, y in loader(16, torch.float32):
            session.step((x.double(), y))
    assert apart(net, session.finish()) < 1e-6


class Scaled(Net):
    """A net whose loss overflows float16's scaler at the third batch."""


def test_an_overflow_is_a_step_left_out():
    from lightning.pytorch.plugins import MixedPrecision

    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**8)
    plugin = MixedPrecision("16-mixed", "cpu", scaler)
    count = iter(range(100))

    def loss(outputs, targets):
        return F.cross_entropy(outputs, targets) * (float("inf") if next(count) == 2 else 1.0)

    net, trainer, callback = fit(
        Recipe(WeightDecay(0.01)), Net().float(), loss=loss, plugins=[plugin], own={"nan": "ignore"}, valid=False
    )
    assert trainer.global_step == callback.session.steps == 18
    assert scaler.get_scale() == 2.0**7
    assert all(bool(torch.isfinite(p).all()) for p in net.parameters())


def test_a_training_step_that_gives_none_is_left_out():
    class Picky(Net):
        def training_step(self, batch, batch_idx):
            return None if batch_idx == 1 else {"loss": super().training_step(batch, batch_idx), "extra": 3}

    net, trainer, callback = fit(Recipe(WeightDecay(0.01)), Picky(), loss=None)
    assert trainer.global_step == callback.session.steps == 18
    assert apart(net, Net()) > 1e-3


# -- checkpoints ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipe", "loss", "manual"),
    [
        (Recipe(Dropout(0.2), MixUp(0.3), EMA(0.9), controller=Linear(0.0, 1.0)), F.cross_entropy, False),
        (CLIMB, F.cross_entropy, False),
        (Recipe(Dropout(0.2), EMA(0.9)), None, False),
        (COCKTAIL, F.cross_entropy, True),
        (Recipe(ConcreteDropout(), EMA(0.9)), F.cross_entropy, False),
        (Recipe(SWA(tail=0.5, every=1), WeightDecay(0.1)), F.cross_entropy, False),
    ],
    ids=["cocktail", "sam", "own step", "manual", "brings parameters", "swa"],
)
def test_resuming_from_lightnings_checkpoint_is_bit_for_bit(tmp_path, recipe, loss, manual):
    whole, _, one = fit(recipe, Net(manual=manual), loss=loss)
    keep = ModelCheckpoint(dirpath=tmp_path, filename="{epoch}", save_top_k=-1)
    fit(recipe, Net(manual=manual), loss=loss, callbacks=[keep], enable_checkpointing=True)
    again, trainer, two = fit(recipe, Net(manual=manual), loss=loss, ckpt_path=str(tmp_path / "epoch=0.ckpt"))
    assert apart(whole, again) == 0.0
    assert one.session.steps == two.session.steps == trainer.global_step == 18
    assert one.session.strengths == two.session.strengths


def test_what_is_validated_is_what_is_saved_and_the_training_goes_on(tmp_path):
    recipe = Recipe(EMA(0.9))
    keep = ModelCheckpoint(dirpath=tmp_path, filename="{epoch}", save_top_k=-1)
    light = ModelCheckpoint(dirpath=tmp_path, filename="light-{epoch}", save_top_k=-1, save_weights_only=True,
                            monitor="val_loss")  # fmt: skip
    net, _, callback = fit(recipe, callbacks=[keep, light], enable_checkpointing=True, own={}, num_sanity_val_steps=0)
    plain_one, session = plain(recipe)
    seen = [sum(net.seen[i : i + 3]) / 3 for i in (0, 3, 6)]
    for epoch, value in enumerate(seen):
        for name in ("", "light-"):
            kept = torch.load(tmp_path / f"{name}epoch={epoch}.ckpt", weights_only=True)["state_dict"]
            fresh = Net()
            fresh.load_state_dict(kept)
            with torch.no_grad():
                assert F.cross_entropy(fresh(X), Y).item() == pytest.approx(value, abs=1e-9)
    assert apart(net, plain_one) < 1e-9  # validating and saving averages has not touched the training
    held = torch.load(tmp_path / "epoch=0.ckpt", weights_only=True)
    trained = held["callbacks"]["RecipeCallback"]["model"]
    assert max(float((trained[n] - held["state_dict"][n]).abs().max()) for n in trained) > 1e-4
    assert callback.session.steps == session.steps


def test_a_checkpoint_after_fit_resumes_too(tmp_path):
    whole, _, _ = fit(COCKTAIL, max_epochs=3)
    _, trainer, _ = fit(COCKTAIL, max_epochs=2, own={})
    trainer.save_checkpoint(tmp_path / "end.ckpt")
    recipe_of_progress = torch.load(tmp_path / "end.ckpt", weights_only=True)["callbacks"]["RecipeCallback"]
    again, _, _ = fit(COCKTAIL, ckpt_path=str(tmp_path / "end.ckpt"))
    assert recipe_of_progress["counts"]["steps"] == 12
    assert apart(whole, again) == 0.0


def test_batch_norm_is_estimated_anew_for_averages():
    recipe = Recipe(EMA(0.9))
    net, _, _ = fit(recipe, Net(norm=True))
    other, _ = plain(recipe, net=Net(norm=True))
    assert apart(net, other) < 1e-9


def test_fit_twice_and_after_an_error():
    class Broken(Net):
        fail = True

        def validation_step(self, batch, batch_idx):
            if self.fail and self.trainer.global_step:
                raise ValueError("broken")
            super().validation_step(batch, batch_idx)

    net = Broken()
    callback = RecipeCallback(COCKTAIL, loss=F.cross_entropy)
    settings = {"max_epochs": 1, "enable_checkpointing": False, **QUIET}
    with pytest.raises(ValueError, match="broken"):
        lightning.Trainer(callbacks=[callback], **settings).fit(net, loader(), loader())
    assert not any("Site" in type(m).__name__ for m in net.modules())
    net.fail = False
    for _ in range(2):
        lightning.Trainer(callbacks=[callback], **settings).fit(net, loader(), loader())
        assert callback.session.steps == 6
    assert type(net.net[1]) is nn.ReLU


# -- controllers, loggers, stopping -----------------------------------------------------------------------------------


def test_controllers_hear_the_held_out_rows():
    recipe = Recipe(Dropout(0.2), controller=GapFeedback(-0.5, noise=0.0))
    _, _, callback = fit(recipe)
    assert len(callback.session.trace) > 0
    assert callback.session.epoch == 3
    assert {"gap", "valid_loss"} <= set(callback.session.signals)


def test_a_monitored_loss_is_heard_without_another_pass():
    recipe = Recipe(Dropout(0.2), controller=GapFeedback(-0.5, noise=0.0))
    _, trainer, callback = fit(recipe, own={"monitor": "val_loss"})
    assert callback.session.signals["valid_loss"] == pytest.approx(float(trainer.callback_metrics["val_loss"]))
    with pytest.raises(RecipeError, match="'other' was not logged"):
        fit(recipe, own={"monitor": "other"})


def test_strengths_and_signals_reach_the_logger(tmp_path):
    recipe = Recipe(Dropout(0.4), controller=Linear(0.0, 1.0))
    logger = CSVLogger(tmp_path)
    fit(recipe, logger=logger, log_every_n_steps=2)
    text = (next(tmp_path.rglob("metrics.csv"))).read_text().splitlines()
    names = text[0].split(",")
    assert "train_loss" in "".join(names)
    place = names.index("temperance/strength/dropout.p")
    values = [float(row.split(",")[place]) for row in text[1:] if row.split(",")[place]]
    assert values == sorted(values)
    assert values[0] < 0.1 < values[-1]


def test_what_training_step_logs_is_that_of_the_first_pass():
    class Logging(Net):
        def training_step(self, batch, batch_idx):
            loss = super().training_step(batch, batch_idx)
            self.log_dict({"own": loss})
            return {"loss": loss, "kept": loss.detach()}

    _, trainer, _ = fit(Recipe(SAM(2.0)), Logging(), loss=None, max_steps=1, valid=False)
    with torch.no_grad():
        start = F.cross_entropy(Net()(X[:16]), Y[:16]).item()
    assert float(trainer.callback_metrics["own"]) == pytest.approx(start)


def test_metrics_of_the_training_pass_are_logged():
    def metrics(outputs, targets):
        return {"accuracy": (outputs.argmax(1) == targets).double().mean()}

    _, trainer, _ = fit(Recipe(Dropout(0.1)), own={"metrics": metrics})
    assert 0.5 < float(trainer.callback_metrics["train_accuracy"]) <= 1
    assert "train_loss" in trainer.callback_metrics


def test_early_stopping_of_lightning_stops():
    stop = EarlyStopping("val_loss", patience=1, mode="max", check_on_train_epoch_end=False)
    _, trainer, callback = fit(COCKTAIL, callbacks=[stop], max_epochs=20)
    assert trainer.current_epoch < 19
    assert callback.session.steps == trainer.global_step


def test_schedulers_of_lightning_step_without_a_warning(recwarn):
    class Scheduled(Net):
        def configure_optimizers(self):
            optimizer = super().configure_optimizers()
            return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1)]

    net, trainer, _ = fit(COCKTAIL, Scheduled())
    assert trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(1e-4)
    assert not [w for w in recwarn if "lr_scheduler.step" in str(w.message) or "overridden" in str(w.message)]
    assert apart(net, Net()) > 0


# -- what the user changes --------------------------------------------------------------------------------------------


def test_unfreezing_in_mid_training_is_noticed():
    class Thawing(Net):
        def __init__(self):
            super().__init__()
            self.net[0].requires_grad_(False)

        def on_train_epoch_start(self):
            if self.current_epoch == 1:
                self.net[0].requires_grad_(True)

    net, _, callback = fit(Recipe(WeightDecay(0.1), EMA(0.9)), Thawing())
    assert apart(net.net[0], Net().net[0]) > 1e-3
    assert "net.0.weight" in callback.session.served


def test_two_optimizers_and_two_recipes_under_manual_optimization():
    class Pair(Net):
        def __init__(self):
            super().__init__(manual=True)
            self.other = nn.Linear(6, 2).double()

        def training_step(self, batch, batch_idx):
            session_of(self, "net").step(batch)
            if batch_idx % 2 == 0:
                session_of(self, "other").step(batch)

        def configure_optimizers(self):
            return torch.optim.SGD(self.net.parameters(), lr=0.1), torch.optim.SGD(self.other.parameters(), lr=0.1)

    first = RecipeCallback(Recipe(EMA(0.9)), loss=F.cross_entropy, part="net")
    second = RecipeCallback(Recipe(WeightDecay(0.1)), loss=F.cross_entropy, part="other", optimizer=1)
    trainer = lightning.Trainer(max_epochs=1, callbacks=[first, second], enable_checkpointing=False, **QUIET)
    trainer.fit(Pair(), loader(), loader())
    assert (first.session.steps, second.session.steps, trainer.global_step) == (6, 3, 9)
    assert set(trainer._checkpoint_connector.dump_checkpoint(False)["callbacks"]) >= {
        "RecipeCallback[net]",
        "RecipeCallback[other]",
    }


def test_a_step_past_the_session_is_refused_under_manual_optimization():
    class Past(Net):
        def training_step(self, batch, batch_idx):
            self.optimizers().step()

    with pytest.raises(RecipeError, match="past the session"):
        fit(Recipe(Dropout(0.1)), Past(manual=True))


def test_spectral_norm_checkpoints_compute_what_was_scored(tmp_path):
    keep = ModelCheckpoint(dirpath=tmp_path, filename="last")
    net, _, _ = fit(Recipe(SpectralNorm()), callbacks=[keep], enable_checkpointing=True, num_sanity_val_steps=0)
    fresh = Net()
    fresh.load_state_dict(torch.load(tmp_path / "last.ckpt", weights_only=True)["state_dict"])
    with torch.no_grad():
        assert F.cross_entropy(fresh(X), Y).item() == pytest.approx(sum(net.seen[-3:]) / 3, abs=1e-9)
