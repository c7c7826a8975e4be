"""Training code as people have it, inside Lightning: what went wrong with other tools goes right or is told."""

import warnings

import pytest

pytest.importorskip("lightning")

import lightning
import torch
from tests.integrations.lightning_nets import QUIET, Net, X, Y, apart, fit, loader, plain
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, IterableDataset

from temperance import EMA, SWA, Dropout, LabelSmoothing, MixUp, Recipe, WeightDecay
from temperance.core.readings import NeverBegan
from temperance.integrations.lightning import RecipeCallback
from temperance.records.errors import RecipeError, SettingError

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("ignore")


def trained(net, rows, recipe, loss=F.cross_entropy, **settings):
    callback = RecipeCallback(recipe, loss=loss, **settings)
    trainer = lightning.Trainer(max_epochs=3, callbacks=[callback], enable_checkpointing=False, **QUIET)
    trainer.fit(net, rows)
    return net, callback


class Named(Net):
    """A net for batches of names, whose answer has names too."""

    def forward(self, x):
        return {"logits": self.net(x), "hidden": None}

    def training_step(self, batch, batch_idx):
        return F.cross_entropy(self(batch["x"])["logits"], batch["y"])


def test_batches_and_answers_with_names():
    rows = [{"x": X[i : i + 16], "y": Y[i : i + 16]} for i in range(0, 96, 16)]
    recipe = Recipe(MixUp(0.3), LabelSmoothing(0.1), Dropout(0.1))
    net, _ = trained(Named(), DataLoader(rows, batch_size=None), recipe)
    assert apart(net, plain(recipe)[0]) < 1e-12


def test_own_training_steps_take_any_batch():
    rows = [{"x": X[i : i + 16], "y": Y[i : i + 16], "names": ["a"] * 16} for i in range(0, 96, 16)]
    recipe = Recipe(Dropout(0.1), WeightDecay(0.1))
    net, _ = trained(Named(), DataLoader(rows, batch_size=None), recipe, loss=None)
    assert apart(net, plain(recipe)[0]) < 1e-12


def test_a_stream_without_length():
    class Stream(IterableDataset):
        def __iter__(self):
            yield from zip(X, Y, strict=True)

    recipe = Recipe(Dropout(0.1), EMA(0.9))
    net, callback = trained(Net(), DataLoader(Stream(), 16), recipe)
    assert callback.session.steps == 18
    assert apart(net, plain(recipe)[0]) < 1e-12


def test_before_a_late_average_begins_the_trained_weights_are_validated():
    late, _, _ = fit(Recipe(SWA(tail=0.2, every=1)), num_sanity_val_steps=0, max_epochs=4)
    never, _, _ = fit(Recipe(), num_sanity_val_steps=0, max_epochs=4)
    assert late.seen[:9] == never.seen[:9]
    assert late.seen[9:] != never.seen[9:]


def test_an_average_that_never_began_is_told_and_the_trained_weights_ship():
    class Stop(lightning.Callback):
        def on_train_epoch_end(self, trainer, pl_module):
            trainer.should_stop = True

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        callback = RecipeCallback(Recipe(SWA(tail=0.1, every=1)), loss=F.cross_entropy)
        trainer = lightning.Trainer(max_epochs=20, callbacks=[callback, Stop()], enable_checkpointing=False, **QUIET)
        net = Net()
        trainer.fit(net, loader())
    assert any(issubclass(one.category, NeverBegan) for one in told)
    assert apart(net, fit(Recipe(), max_epochs=1)[0]) == 0.0


@pytest.mark.parametrize("manual", [False, True], ids=["automatic", "manual"])
def test_a_loss_that_is_no_number_names_its_step(manual):
    rows = [(X[i : i + 16] * (float("nan") if i == 32 else 1.0), Y[i : i + 16]) for i in range(0, 96, 16)]
    net = Net(manual=manual)
    with pytest.raises(RecipeError, match=r"step 3.*inputs"):
        trained(net, DataLoader(rows, batch_size=None), Recipe(Dropout(0.1)))
    assert type(net.net[1]) is nn.ReLU
    assert all(bool(torch.isfinite(p).all()) for p in net.parameters())


@pytest.mark.parametrize("manual", [False, True], ids=["automatic", "manual"])
def test_a_loss_that_is_no_number_is_left_out_where_asked(manual):
    rows = [(X[i : i + 16] * (float("nan") if i == 32 else 1.0), Y[i : i + 16]) for i in range(0, 96, 16)]
    net, callback = trained(Net(manual=manual), DataLoader(rows, batch_size=None), Recipe(Dropout(0.1)), nan="skip")
    assert callback.session.left_out == [3, 9, 15]
    assert callback.session.steps == 18
    assert all(bool(torch.isfinite(p).all()) for p in net.parameters())


def test_a_last_batch_of_one_row_meets_batch_norm():
    with pytest.raises(RecipeError, match="one row, and BatchNorm"):
        fit(Recipe(Dropout(0.1)), Net(norm=True), size=19, valid=False)


def test_groups_with_decays_of_their_own_are_taken_over():
    class Grouped(Net):
        def configure_optimizers(self):
            weights = [p for p in self.parameters() if p.dim() > 1]
            others = [p for p in self.parameters() if p.dim() < 2]
            return torch.optim.AdamW([{"params": weights}, {"params": others, "weight_decay": 0.0}], weight_decay=0.1)

    recipe = Recipe(WeightDecay.from_optimizer(Grouped().configure_optimizers()))
    net, _, _ = fit(recipe, Grouped())
    assert apart(net, plain(recipe, net=Grouped())[0]) < 1e-12


def test_an_error_in_half_a_step_is_the_one_that_the_user_sees():
    def metrics(outputs, targets):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        trained(Net(), loader(), Recipe(MixUp(0.2)), metrics=metrics)


def test_metrics_that_are_no_function_are_refused():
    with pytest.raises(SettingError, match="one function"):
        RecipeCallback(Recipe(MixUp(0.2)), loss=F.cross_entropy, metrics={"accuracy": None})
