"""Regularize a loop under accelerate, with clipping and a checkpoint: python examples/in_accelerate.py"""

import tempfile

import torch
from accelerate import Accelerator
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, TensorDataset

from temperance import EMA, SAM, Dropout, Recipe, WeightDecay


def main(epochs: int = 8) -> float:
    """Train on scikit-learn's digits, stop in the middle, go on from the checkpoint; return the held-out accuracy."""
    torch.manual_seed(0)
    x, y = (torch.as_tensor(part) for part in load_digits(return_X_y=True))
    x = x.float().reshape(-1, 1, 8, 8) / 16
    accelerator = Accelerator(cpu=True)
    net = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 64), nn.ReLU(),
        nn.Linear(64, 10),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.0)
    loader = DataLoader(TensorDataset(x[:1400], y[:1400]), 64, shuffle=True)
    model, optimizer, loader = accelerator.prepare(net, optimizer, loader)

    recipe = Recipe(Dropout(0.1), SAM(0.05), WeightDecay(1e-2), EMA(0.95))
    session = recipe.attach(model, optimizer, loss=F.cross_entropy, epochs=epochs, steps_per_epoch=len(loader))
    accelerator.register_for_checkpointing(session)
    with tempfile.TemporaryDirectory() as folder:
        for epoch in range(epochs):
            for batch in loader:
                session.gradients(batch)
                accelerator.clip_grad_norm_(model.parameters(), 1.0)
                session.update()
            if epoch == epochs // 2:
                accelerator.save_state(folder)
                accelerator.load_state(folder)  # as after a restart: weights, averages and strengths go on
        numbers = session.log()
    model = accelerator.unwrap_model(session.finish())
    with torch.no_grad():
        accuracy = (model(x[1400:]).argmax(1) == y[1400:]).float().mean().item()
    print(f"{session.steps} steps; dropout {numbers['strength/dropout.p']:g}, last loss {numbers['loss']:.3f}")
    print(f"accuracy on {len(x) - 1400} held-out rows: {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    main()
