"""Regularize a model in your own PyTorch loop: python examples/own_loop.py"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F  # noqa: N812

from temperance import EMA, Dropout, MixUp, Recipe, WeightDecay


def main(epochs: int = 15) -> float:
    """Train a small net on scikit-learn's digits and return its accuracy on held-out rows."""
    torch.manual_seed(0)
    x, y = (torch.as_tensor(part) for part in load_digits(return_X_y=True))
    x = x.float() / 16
    train, test = slice(0, 1400), slice(1400, None)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0)
    batches = list(zip(x[train].split(100), y[train].split(100), strict=True))

    recipe = Recipe(Dropout(0.1), MixUp(0.2), WeightDecay(1e-2), EMA(0.98))
    print(recipe.explain())
    session = recipe.attach(model, optimizer, loss=F.cross_entropy, epochs=epochs, steps_per_epoch=len(batches))
    for _ in range(epochs):
        for batch in batches:
            session.step(batch)
    for evidence in session.proof():
        print(f"{evidence.ingredient}: {evidence.evidence}")
    model = session.finish()

    accuracy = (model(x[test]).argmax(1) == y[test]).float().mean().item()
    print(f"accuracy on {len(x[test])} held-out rows: {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    main()
