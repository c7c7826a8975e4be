"""Regularize a skorch net inside a grid search: python examples/in_skorch.py"""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from skorch import NeuralNetClassifier
from torch import nn

from temperance import EMA, Dropout, MixUp, Recipe, WeightDecay
from temperance.integrations.skorch import RecipeCallback


class Convolutions(nn.Module):
    """A small convnet for images of 8 × 8 pixels."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10),
        )  # fmt: skip

    def forward(self, images):
        return self.layers(images)


def main(epochs: int = 8) -> float:
    """Choose between two recipes by three folds; return the accuracy on held-out rows."""
    torch.manual_seed(0)
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32").reshape(-1, 1, 8, 8)
    recipes = [
        Recipe(Dropout(0.1), WeightDecay(1e-2), EMA(0.95)),
        Recipe(Dropout(0.1), MixUp(0.2), WeightDecay(1e-2), EMA(0.95)),
    ]
    net = NeuralNetClassifier(
        Convolutions, criterion=nn.CrossEntropyLoss, optimizer=torch.optim.AdamW, optimizer__weight_decay=0.0, lr=3e-3,
        max_epochs=epochs, batch_size=64, train_split=None, verbose=0,
        callbacks=[("recipe", RecipeCallback(recipes[0]))],
    )  # fmt: skip
    search = GridSearchCV(net, {"callbacks__recipe__recipe": recipes}, cv=3, scoring="accuracy")
    search.fit(x[:1200], y[:1200])
    print(f"chosen: {search.best_params_['callbacks__recipe__recipe']}")
    accuracy = float(search.score(x[1200:], y[1200:]))
    print(f"accuracy on {len(x) - 1200} held-out rows: {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    main()
