"""Let the gap between training and held-out loss move the strengths: python examples/adaptive.py"""

import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.nn import functional as F  # noqa: N812

from temperance import Dropout, EarlyStopping, GapFeedback, Recipe, WeightDecay


def loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return one loss per row, so that the gap has a standard error."""
    return F.cross_entropy(outputs, targets, reduction="none")


def main(epochs: int = 40) -> int:
    """Train on scikit-learn's breast cancer data and return how often a strength moved."""
    torch.manual_seed(0)
    x, y = (torch.as_tensor(part) for part in load_breast_cancer(return_X_y=True))
    x = ((x - x.mean(0)) / x.std(0)).float()
    order = torch.randperm(len(x))
    train, valid = order[:350], order[350:]
    model = nn.Sequential(nn.Linear(30, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0)

    recipe = Recipe(Dropout(0.1), WeightDecay(1e-2), controller=[GapFeedback(0.0), EarlyStopping(15)])
    session = recipe.attach(model, optimizer, loss=loss, epochs=epochs, steps_per_epoch=7)
    for _ in range(epochs):
        for rows in torch.randperm(len(train)).split(50):
            session.step((x[train[rows]], y[train[rows]]))
        session.validate([(x[valid], y[valid])])
        if session.stopped:
            break
    for move in session.trace[-4:]:
        print(f"step {move.step}: {move.strength} → {move.value:.4g}, because {move.reason}")
    print({name: round(value, 4) for name, value in session.strengths.items()})
    session.finish()
    return len(session.trace)


if __name__ == "__main__":
    main()
