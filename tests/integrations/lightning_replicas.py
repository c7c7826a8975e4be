"""Fits on two gloo processes, for ``test_lightning_replicas``: python lightning_replicas.py FOLDER."""

import sys
import warnings
from pathlib import Path

import lightning
import torch
from torch.nn import functional as F  # noqa: N812

sys.path.insert(0, str(Path(__file__).parents[2]))

from lightning.pytorch.strategies import DDPStrategy
from tests.integrations.lightning_nets import QUIET, Net, loader

from temperance import EMA, SAM, ConcreteDropout, Dropout, GapFeedback, MixUp, Recipe, WeightDecay
from temperance.integrations.lightning import RecipeCallback

FOLDER = Path(sys.argv[1])
KINDS = {
    "lightning alone": (None, None, False),
    "plain": (Recipe(), F.cross_entropy, False),
    "cocktail": (
        Recipe(Dropout(0.2), MixUp(0.3), WeightDecay(0.1), EMA(0.9), controller=GapFeedback(-0.5, noise=0.0)),
        F.cross_entropy,
        False,
    ),
    "sam": (Recipe(SAM(0.1), ConcreteDropout()), F.cross_entropy, False),
    "own step": (Recipe(SAM(0.1), Dropout(0.2), EMA(0.9)), None, False),
    "manual": (Recipe(SAM(0.1), Dropout(0.2), MixUp(0.3), EMA(0.9)), F.cross_entropy, True),
}


class Told(lightning.Callback):
    """Writes what each process ended with."""

    def __init__(self, kind, callback):
        self.kind, self.callback = kind, callback

    def on_fit_end(self, trainer, pl_module):
        kept = {"model": {n: t.clone() for n, t in pl_module.state_dict().items()}}
        if self.callback is not None:
            session = self.callback.session
            kept |= {"strengths": session.strengths, "steps": (trainer.global_step, session.steps)}
        torch.save(kept, FOLDER / f"{self.kind}-{trainer.global_rank}.pt")


def main():
    warnings.simplefilter("ignore")
    for kind, (recipe, loss, manual) in KINDS.items():
        callback = None if recipe is None else RecipeCallback(recipe, loss=loss)
        trainer = lightning.Trainer(
            max_epochs=2,
            callbacks=[*[callback] * (recipe is not None), Told(kind, callback)],
            strategy=DDPStrategy(start_method="fork"),
            devices=2,
            enable_checkpointing=False,
            **QUIET,
        )
        trainer.fit(Net(manual=manual), loader(8), loader(16))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
