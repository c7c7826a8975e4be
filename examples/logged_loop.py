"""Log strengths and signals of your own loop, to a file and to MLflow: python examples/logged_loop.py"""

import csv
import tempfile
from importlib.util import find_spec
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F  # noqa: N812

from temperance import Dropout, GapFeedback, Recipe, WeightDecay
from temperance.integrations.loggers import send


class Table:
    """A logger of your own: anything with ``log(numbers, step=…)``."""

    def __init__(self, path: Path):
        self.path, self.rows = path, []

    def log(self, numbers: dict[str, float], step: int) -> None:
        self.rows.append({"at": step, **numbers})
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        with self.path.open("w", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(self.rows)


def main(epochs: int = 8) -> list[dict[str, float]]:
    """Train on scikit-learn's digits and return what was logged, a row per epoch."""
    torch.manual_seed(0)
    x, y = (torch.as_tensor(part) for part in load_digits(return_X_y=True))
    x = x.float() / 16
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.0)
    batches = list(zip(x[:1200].split(64), y[:1200].split(64), strict=True))
    recipe = Recipe(Dropout(0.1), WeightDecay(1e-2), controller=GapFeedback())
    session = recipe.attach(model, optimizer, loss=F.cross_entropy, epochs=epochs, steps_per_epoch=len(batches))

    folder = Path(tempfile.mkdtemp())
    table, loggers = Table(folder / "log.csv"), []
    if find_spec("mlflow"):
        import mlflow

        mlflow.set_tracking_uri(f"sqlite:///{folder / 'runs.db'}")
        mlflow.start_run()
        loggers.append(mlflow)
    for _ in range(epochs):
        for batch in batches:
            session.step(batch)
        session.validate([(x[1200:1500], y[1200:1500])])
        send(session, table, *loggers)
    session.finish()
    if loggers:
        mlflow.end_run()
    print(f"{len(table.rows)} rows of {len(table.rows[-1])} numbers are in {table.path}")
    return table.rows


if __name__ == "__main__":
    main()
