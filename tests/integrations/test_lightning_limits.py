"""What cannot act inside Lightning is refused by name, before anything is trained."""

import pytest

pytest.importorskip("lightning")

import lightning
import torch
from tests.integrations.lightning_nets import QUIET, Net, fit, loader
from torch import nn

from temperance import AWP, EMA, SAM, Dropout, GapFeedback, GreedySoup, LabelSmoothing, MixUp, Recipe, WeightDecay
from temperance.integrations.lightning import RecipeCallback
from temperance.records.errors import RecipeError, SettingError

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("ignore")
COCKTAIL = Recipe(Dropout(0.2), MixUp(0.3), LabelSmoothing(0.1), WeightDecay(0.1), EMA(0.9))
CLIMB = Recipe(SAM(0.1), Dropout(0.2), EMA(0.9))


@pytest.mark.parametrize(
    ("recipe", "settings", "named"),
    [
        (COCKTAIL, {"loss": None}, "mixup, label_smoothing"),
        (Recipe(AWP()), {"accumulate_grad_batches": 2}, "awp"),
        (CLIMB, {"accumulate_grad_batches": 2}, "sam with accumulate_grad_batches=2"),
        (Recipe(EMA()), {"loss": None, "net": Net(norm=True)}, "BatchNorm"),
        (Recipe(Dropout(0.1), controller=GapFeedback()), {"loss": None}, "gap"),
        (Recipe(GreedySoup()), {"loss": None}, "greedy_soup"),
        (Recipe(GreedySoup()), {"own": {"monitor": "val_loss"}}, "greedy_soup.*monitor='val_loss'"),
        (Recipe(), {"own": {"part": "net"}}, "part='net'"),
    ],
    ids=["objective", "awp", "accumulation", "batch norm", "gap", "rows", "rows and a number", "part"],
)
def test_what_cannot_act_is_refused_by_name(recipe, settings, named):
    with pytest.raises(RecipeError, match=named):
        fit(recipe, **settings)


def test_lightnings_settings_and_metrics_without_loss_are_refused():
    with pytest.raises(SettingError, match="recipe=Dropout"):
        RecipeCallback(Dropout(0.1))
    with pytest.raises(SettingError, match="epochs"):
        RecipeCallback(Recipe(), epochs=3)
    with pytest.raises(SettingError, match="metrics= without loss="):
        RecipeCallback(Recipe(), metrics=lambda outputs, targets: {})


def test_a_module_without_forward_and_a_fit_without_callback_are_refused():
    class Bare(lightning.LightningModule):
        def training_step(self, batch, batch_idx):
            return None

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

        def __init__(self):
            super().__init__()
            self.net = nn.Linear(6, 2).double()

    with pytest.raises(RecipeError, match="has no forward"):
        fit(Recipe(), Bare(), valid=False)
    trainer = lightning.Trainer(max_epochs=1, enable_checkpointing=False, **QUIET)
    with pytest.raises(RecipeError, match="no session"):
        trainer.fit(Net(manual=True), loader())
