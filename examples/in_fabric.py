"""Regularize a loop under Lightning Fabric: python examples/in_fabric.py"""

import lightning
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, TensorDataset

from temperance import EMA, Dropout, LabelSmoothing, MixUp, Recipe, WeightDecay


def main(epochs: int = 8) -> float:
    """Train on scikit-learn's digits; return the accuracy on held-out rows."""
    torch.manual_seed(0)
    x, y = (torch.as_tensor(part) for part in load_digits(return_X_y=True))
    x = x.float().reshape(-1, 1, 8, 8) / 16
    fabric = lightning.Fabric(accelerator="cpu", devices=1)
    net = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 64), nn.ReLU(),
        nn.Linear(64, 10),
    )  # fmt: skip
    model, optimizer = fabric.setup(net, torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.0))
    loader = fabric.setup_dataloaders(DataLoader(TensorDataset(x[:1300], y[:1300]), 64, shuffle=True))
    valid = [(x[1300:1500], y[1300:1500])]

    recipe = Recipe(Dropout(0.1), MixUp(0.2), LabelSmoothing(0.05), WeightDecay(1e-2), EMA(0.95))
    session = recipe.attach(
        model, optimizer, loss=F.cross_entropy, fabric=fabric, epochs=epochs, steps_per_epoch=len(loader)
    )
    for _ in range(epochs):
        for batch in loader:
            session.step(batch)
        session.validate(valid)
    print(f"kept: {session.chosen}")
    model = session.finish()
    with torch.no_grad():
        accuracy = (model(x[1500:]).argmax(1) == y[1500:]).float().mean().item()
    print(f"accuracy on {len(x) - 1500} held-out rows: {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    main()
