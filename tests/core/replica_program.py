"""One of two processes of ``test_replicas``: python replica_program.py RANK FOLDER."""

import sys
import warnings
from pathlib import Path

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from temperance import (
    EMA,
    LAWA,
    SAM,
    SWA,
    ConcreteDropout,
    Dropout,
    FrozenPrefix,
    GapFeedback,
    GreedySoup,
    MixUp,
    Recipe,
    ScheduleFree,
    WeightDecay,
)  # fmt: skip
from temperance.core.replicas import rank
from temperance.records.errors import RecipeError
from temperance.testing.problems import PROBLEMS

NUMBER, FOLDER = int(sys.argv[1]), Path(sys.argv[2])
MLP = PROBLEMS["mlp"]
RECIPES = {
    "plain": Recipe(),
    "cocktail": Recipe(
        Dropout(0.2), MixUp(0.5), SAM(0.1), WeightDecay(0.1), EMA(0.9), controller=GapFeedback(-0.5, noise=0.0)
    ),
}


def single():
    """Train on the rows of both processes at once."""
    model = MLP.model().train()
    session = Recipe().attach(model, torch.optim.SGD(model.parameters(), lr=0.05), loss=MLP.loss)
    for step in range(6):
        session.step([MLP.batch(10 * step + number) for number in range(2)])
    return dict(model.state_dict())


def together(kind):
    """Train on this process's rows; odd steps in two micro-batches."""
    model = DistributedDataParallel(MLP.model().train())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    session = RECIPES[kind].attach(model, optimizer, loss=MLP.loss, epochs=3, steps_per_epoch=2)
    losses = []
    for step in range(6):
        rows = MLP.batch(10 * step + NUMBER)
        micros = [(rows.inputs[:6], rows.targets[:6]), (rows.inputs[6:], rows.targets[6:])] if step % 2 else rows
        losses.append(session.step(micros).loss.item())
        if step % 2:
            session.validate([MLP.batch(100 + NUMBER)])
    kept = {"strengths": session.strengths, "moves": len(session.trace), "rank": rank(), "losses": losses}
    session.finish()
    return {**kept, "model": dict(model.module.state_dict())}


def soup():
    """Let each process validate on rows of its own; what is served must be the same."""
    model = DistributedDataParallel(MLP.model().train())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    session = Recipe(GreedySoup(keep=3)).attach(model, optimizer, loss=MLP.loss)
    for step in range(8):
        session.step(MLP.batch(10 * step + NUMBER))
        session.validate([MLP.batch(200 + 50 * NUMBER)])
    return {name: t.clone() for name, t in session.served.items()}


def averages():
    """Serve every kind of average."""
    kinds = (EMA(0.8), SWA(tail=0.5, every=1), LAWA(window=2, every=1), ScheduleFree())
    found = {}
    for one in kinds:
        model = DistributedDataParallel(MLP.model().train())
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        session = Recipe(one).attach(model, optimizer, loss=MLP.loss, epochs=1, steps_per_epoch=4)
        for step in range(4):
            session.step(MLP.batch(10 * step + NUMBER))
        found |= {f"{type(one).__name__} {name}": t.clone() for name, t in session.served.items()}
    return found


def learned_rates():
    """Train a technique that brings parameters of its own: DDP does not know them."""
    model = DistributedDataParallel(MLP.model().train())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    session = Recipe(ConcreteDropout()).attach(model, optimizer, loss=MLP.loss, epochs=1, steps_per_epoch=6)
    for step in range(6):
        session.step(MLP.batch(10 * step + NUMBER))
    return {name: t.detach().clone() for name, t in session.solo.home.items()}


def wrapped_too_late():
    """Attach first, then wrap: the session trains the bare module, each process on its own rows."""
    model = MLP.model().train()
    session = Recipe().attach(model, torch.optim.SGD(model.parameters(), lr=0.05), loss=MLP.loss)
    DistributedDataParallel(model)
    try:
        for step in range(3):
            session.step(MLP.batch(10 * step + NUMBER))
    except RecipeError as fault:
        return str(fault)
    return "nothing was said"


def thawing(**settings):
    """Train layers that thaw one after another; return the weights, or what was refused at attach."""
    model = DistributedDataParallel(MLP.model().train(), **settings)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    try:
        session = Recipe(FrozenPrefix(0.5)).attach(model, optimizer, loss=MLP.loss, epochs=1, steps_per_epoch=6)
    except RecipeError as fault:
        return str(fault)
    for step in range(6):
        session.step(MLP.batch(10 * step + NUMBER))
    return {name: t.detach().clone() for name, t in session.solo.home.items()}


def skipped():
    """Give one process a batch that is no number: both leave the step out."""
    model = DistributedDataParallel(MLP.model().train())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    session = Recipe(WeightDecay(0.1)).attach(model, optimizer, loss=MLP.loss, nan="skip")
    for step in range(4):
        batch = MLP.batch(10 * step + NUMBER)
        bad = step == 2 and NUMBER == 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            session.step(batch._replace(inputs=batch.inputs * float("nan")) if bad else batch)
    return {"left_out": session.left_out, "model": {n: t.detach().clone() for n, t in session.solo.home.items()}}


def main():
    torch.set_num_threads(1)
    store = distributed.FileStore(str(FOLDER / "store"), 2)
    distributed.init_process_group("gloo", store=store, rank=NUMBER, world_size=2)
    kept = {**{kind: together(kind) for kind in RECIPES}, "single": single()}
    kept |= {
        "soup": soup(),
        "averages": averages(),
        "rates": learned_rates(),
        "late": wrapped_too_late(),
        "skipped": skipped(),
        "thawing": thawing(find_unused_parameters=True),
        "impatient": [thawing(), thawing(find_unused_parameters=True, static_graph=True)],
    }
    torch.save(kept, FOLDER / f"{NUMBER}.pt")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
