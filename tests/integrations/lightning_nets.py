"""A small LightningModule and fits of it, for the tests."""

import warnings

import lightning
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, TensorDataset

from temperance.integrations.lightning import RecipeCallback, session_of

torch.manual_seed(0)
X = torch.randn(96, 6, dtype=torch.float64)
Y = (X[:, 0] > 0).long()
QUIET = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}


class Net(lightning.LightningModule):
    """A classifier as the docs of Lightning write it."""

    def __init__(self, *, manual=False, norm=False, lr=0.1):
        super().__init__()
        torch.manual_seed(1)
        middle = [nn.BatchNorm1d(8)] if norm else []
        self.net = nn.Sequential(nn.Linear(6, 8), *middle, nn.ReLU(), nn.Linear(8, 2)).double()
        self.automatic_optimization = not manual
        self.lr = lr
        self.seen: list[float] = []

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        if self.automatic_optimization:
            return F.cross_entropy(self(batch[0]), batch[1])
        return session_of(self).step(batch).loss.detach()

    def validation_step(self, batch, batch_idx):
        loss = F.cross_entropy(self(batch[0]), batch[1])
        self.seen.append(loss.item())
        self.log("val_loss", loss)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr, momentum=0.9)


def loader(size=16, dtype=torch.float64):
    return DataLoader(TensorDataset(X.to(dtype), Y), size)


def fit(
    recipe, net=None, *, loss=F.cross_entropy, ckpt_path=None, callbacks=(), size=16, valid=True, own=None, **trainer
):
    """Fit and return net, trainer and callback; no warning of Lightning counts but those of ours."""
    net = Net() if net is None else net
    callback = RecipeCallback(recipe, loss=loss, **(own or {}))
    settings = {"max_epochs": 3, "enable_checkpointing": False, **QUIET, **trainer}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning.*")
        warnings.filterwarnings("ignore", message=".*(num_workers|isinstance|logging interval|checkpoint).*")
        engine = lightning.Trainer(callbacks=[callback, *callbacks], **settings)
        dtype = next(net.parameters()).dtype
        engine.fit(net, loader(size, dtype), loader(32, dtype) if valid else None, ckpt_path=ckpt_path)
    return net, engine, callback


def plain(recipe, *, epochs=3, size=16, net=None, **settings):
    """Train the same in a loop of one's own."""
    net = Net() if net is None else net
    session = recipe.attach(
        net, net.configure_optimizers(), loss=F.cross_entropy, epochs=epochs, steps_per_epoch=-(-len(X) // size),
        select=None, **settings,
    )  # fmt: skip
    for _ in range(epochs):
        for batch in loader(size):
            session.step(batch)
    return session.finish(loader(size)), session


def apart(one, other):
    """Return the largest difference between the weights and buffers of two modules."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return max(float((p.double() - q.double()).abs().max()) for p, q in pairs)
