"""Regularize a Lightning module and load what was validated: python examples/in_lightning.py"""

import logging
import tempfile
import warnings

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, TensorDataset

from temperance import EMA, Dropout, MixUp, Recipe, WeightDecay
from temperance.integrations.lightning import RecipeCallback


class Digits(lightning.LightningModule):
    """A small convnet, as users of Lightning write it."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10),
        )  # fmt: skip

    def forward(self, images):
        return self.net(images)

    def training_step(self, batch, batch_idx):
        return F.cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        logits = self(batch[0])
        self.log("val_loss", F.cross_entropy(logits, batch[1]))
        self.log("val_accuracy", (logits.argmax(1) == batch[1]).float().mean())

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=3e-3, weight_decay=0)


def main(epochs: int = 10) -> float:
    """Train on scikit-learn's digits, load the best checkpoint, return its accuracy on held-out rows."""
    torch.manual_seed(0)
    warnings.filterwarnings("ignore", module="lightning.*")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    images, labels = load_digits(return_X_y=True)
    x, y = torch.as_tensor(images).float().reshape(-1, 1, 8, 8) / 16, torch.as_tensor(labels)
    train = DataLoader(TensorDataset(x[:1400], y[:1400]), 64, shuffle=True)
    valid = DataLoader(TensorDataset(x[1400:], y[1400:]), 397)

    recipe = Recipe(Dropout(0.1), MixUp(0.2), WeightDecay(1e-2), EMA(0.95))
    with tempfile.TemporaryDirectory() as folder:
        best = ModelCheckpoint(folder, monitor="val_loss")
        trainer = lightning.Trainer(
            max_epochs=epochs, callbacks=[RecipeCallback(recipe, loss=F.cross_entropy), best], accelerator="cpu",
            logger=False, enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(Digits(), train, valid)
        state = torch.load(best.best_model_path, weights_only=True)["state_dict"]
    net = Digits()
    net.load_state_dict(state)
    with torch.no_grad():
        logits = net.eval()(x[1400:])
    loss, accuracy = F.cross_entropy(logits, y[1400:]).item(), (logits.argmax(1) == y[1400:]).float().mean().item()
    print(f"best val_loss while training {best.best_model_score:.4f}, of the file that was saved {loss:.4f}")
    print(f"accuracy on 397 held-out rows that chose the checkpoint: {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    main()
