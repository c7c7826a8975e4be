"""One training of one cell under one rule that moves strengths; the weights after every epoch come back."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from benchmarks.single_net.averages import everything
from benchmarks.single_net.tasks import Data, Task, net
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from temperance import Dropout, GapFeedback, LabelSmoothing, MixUp, Recipe, WeightDecay
from temperance.control.hypergradient import Hypergradient
from temperance.control.pressure import begin_pressure, under_pressure
from temperance.core.random import fold, pulse
from temperance.core.session import Session

LR, SIZE = 6e-3, 64


@dataclass
class Run:
    """A training under way."""

    session: Session
    data: Data
    cosine: bool
    epochs: int
    generator: torch.Generator
    points: list[Tensor] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    pressure: float = 0.0
    extra: int = 0  # epochs trained beside the plan

    def __post_init__(self) -> None:
        import numpy as np

        self.start = {a: np.array(v) for a, v in self.session.strengths.items()}
        self.memory = begin_pressure(self.start, self.session.recipe.specs)

    def epoch(self, number: int) -> None:
        for k, chosen in enumerate(torch.randperm(len(self.data.x), generator=self.generator).split(SIZE)):
            if self.cosine:
                done = (number + k * SIZE / len(self.data.x)) / self.epochs
                for group in self.session.optimizer.param_groups:
                    group["lr"] = LR * 0.5 * (1 + math.cos(math.pi * done))
            self.session.step((self.data.x[chosen], self.data.y[chosen]))

    def read(self) -> None:
        self.points.append(nn.utils.parameters_to_vector(self.session.model.parameters()).detach())
        self.losses.append(self.held(self.points[-1]))

    def score(self, point: Tensor, x: Tensor, y: Tensor) -> tuple[float, float]:
        now = nn.utils.parameters_to_vector(self.session.model.parameters()).detach()
        nn.utils.vector_to_parameters(point.clone(), self.session.model.parameters())
        self.session.model.eval()
        with torch.no_grad():
            out = self.session.model(x)
        self.session.model.train()
        nn.utils.vector_to_parameters(now, self.session.model.parameters())
        return F.cross_entropy(out, y).item(), (out.argmax(1) == y).double().mean().item()

    def held(self, point: Tensor) -> float:
        return self.score(point, self.data.held_x, self.data.held_y)[0]

    def test(self, point: Tensor) -> tuple[float, float]:
        return self.score(point, self.data.test_x, self.data.test_y)

    def push(self, pressure: float) -> None:
        """Move all strengths to a pressure in [-1, 1], 0 where they began."""
        import numpy as np

        self.pressure = min(0.9, max(-1.0, pressure))
        values = under_pressure(np.array(self.pressure), self.start, {**self.memory, "pressure": np.array(9.0)},
                                self.session.recipe.specs)  # fmt: skip
        for address, value in values.items():
            self.session.set_strength(address, float(value))

    def snapshot(self) -> tuple[dict, dict]:
        return copy.deepcopy(self.session.model.state_dict()), copy.deepcopy(self.session.optimizer.state_dict())

    def restore(self, state: tuple[dict, dict]) -> None:
        self.session.model.load_state_dict(state[0])
        self.session.optimizer.load_state_dict(copy.deepcopy(state[1]))


def plain(run: Run) -> None:
    for number in range(run.epochs):
        run.epoch(number)
        run.read()


def gap(run: Run) -> None:
    for number in range(run.epochs):
        run.epoch(number)
        run.session.validate([(run.data.held_x, run.data.held_y)])
        run.read()


def ramp(run: Run) -> None:
    for number in range(run.epochs):
        run.push(-1 + 1.5 * number / run.epochs)
        run.epoch(number)
        run.read()


def look_ahead(run: Run, every: int = 8, step: float = 0.2) -> None:
    """From one snapshot train one epoch weaker, as it is and stronger; go on from the best by held-out loss."""
    for number in range(run.epochs):
        if number % every != every - 1:
            run.epoch(number)
            run.read()
            continue
        start, drawn, base, found = run.snapshot(), run.generator.get_state(), run.pressure, []
        for change in (-step, 0.0, step):
            run.restore(start)
            run.generator.set_state(drawn)
            run.push(base + change)
            run.epoch(number)
            run.read()
            found.append((run.losses.pop(), run.points.pop(), run.snapshot(), run.pressure))
        loss, point, state, pressure = min(found, key=lambda one: one[0])
        run.restore(state)
        run.push(pressure)
        run.losses.append(loss)
        run.points.append(point)
        run.extra += 2


def forked(run: Run, calm: int = 3, step: float = 0.2, ways: tuple[int, ...] = (-1, 0, 1)) -> None:
    """As looking ahead, but the branches are epochs of the plan: no more steps than any other run."""
    number = 0
    while number < run.epochs:
        for _ in range(min(calm, run.epochs - number)):
            run.epoch(number)
            run.read()
            number += 1
        if run.epochs - number < len(ways):
            continue
        start, base, found = run.snapshot(), run.pressure, []
        for way in ways:
            run.restore(start)
            run.push(base + step * way)
            run.epoch(number)
            run.read()
            number += 1
            found.append((run.losses[-1], number, run.snapshot(), run.pressure))
        _, _, state, pressure = min(found, key=lambda one: one[:2])
        run.restore(state)
        run.push(pressure)


def held_out_gradient(run: Run, half: float = 0.03) -> None:
    """Cross-regularization of dropout: the slope of the *noisy* held-out loss, by a central difference, same masks."""
    rule, session = Hypergradient(0.03), run.session
    specs = {"dropout.p": session.recipe.specs["dropout.p"]}
    import numpy as np

    memory = rule.begin({"dropout.p": np.array(session.strengths["dropout.p"])}, specs)
    for number in range(run.epochs):
        run.epoch(number)
        now = session.strengths["dropout.p"]
        low, high = max(0.0, now - half), min(0.8, now + half)
        seen = []
        for value in (low, high):
            session.set_strength("dropout.p", value)
            with torch.no_grad(), pulse(fold(session.seed, number, 99)):
                seen.append(F.cross_entropy(session.model(run.data.held_x), run.data.held_y).item())
        slope = (seen[1] - seen[0]) / (high - low)
        signals = {"hypergradient/dropout.p": slope, "epoch": number + 1.0}
        values, memory = rule.steer({"dropout.p": np.array(now)}, signals, memory, specs)
        session.set_strength("dropout.p", float(values["dropout.p"]))
        run.read()


def back(run: Run, change: float, patience: int = 5) -> None:
    """After ``patience`` readings without a new best go back to the best one and push by ``change``."""
    kept, at, level = run.snapshot(), -1, math.inf
    for number in range(run.epochs):
        run.epoch(number)
        run.read()
        if run.losses[-1] < level:
            kept, at, level = run.snapshot(), number, run.losses[-1]
        elif number - at >= patience:
            run.restore(kept)
            run.push(run.pressure + change)
            at = number


RULES: dict[str, Callable[[Run], None]] = {
    "constant": plain, "gap": gap, "gap to best": gap, "held-out gradient": held_out_gradient, "ramp": ramp,
    "look ahead": look_ahead, "look ahead, equal": lambda run: look_ahead(run, step=0.0),
    "forked": forked, "forked, equal": lambda run: forked(run, step=0.0),
    "back and stronger": lambda run: back(run, 0.25), "back and weaker": lambda run: back(run, -0.25),
    "back, equal": lambda run: back(run, 0.0),
}  # fmt: skip  # "equal": the same moves among weights without a move of the strengths, so what the strengths are worth
CONTROLLERS = {"gap": GapFeedback(), "gap to best": GapFeedback(reference="best")}


def default(rule: str = "constant") -> Recipe:
    return Recipe(Dropout(0.1), WeightDecay(1e-4), MixUp(0.2), controller=CONTROLLERS.get(rule))


def drawn(seed: int, trial: int) -> Recipe:
    """Return a random static recipe of the same techniques and label smoothing, each on a usual range."""
    chance = torch.Generator().manual_seed(1000 * seed + trial)
    u = torch.rand(4, generator=chance).tolist()
    return Recipe(
        Dropout(0.6 * u[0]), WeightDecay(10 ** (-5 + 5 * u[1])), MixUp(1e-3 * 1000 ** u[2]), LabelSmoothing(0.2 * u[3])
    )


def fit(task: Task, data: Data, seed: int, recipe: Recipe, rule: str = "constant", noise: int = 0) -> tuple[Run, float]:
    """Train once and return the run and its seconds. First weights and order of batches depend on seed and noise."""
    torch.manual_seed(1000 * noise + seed)
    model = net(task.family, data.x, data.classes).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=0.0)
    session = recipe.attach(
        model, optimizer, loss=nn.CrossEntropyLoss(reduction="none"), epochs=task.epochs, select=None,
        steps_per_epoch=-(-len(data.x) // SIZE), seed=1000 * noise + seed,
    )  # fmt: skip
    run = Run(session, data, seed % 2 == 1, task.epochs, torch.Generator().manual_seed(1000 * noise + seed))
    started = time.process_time()
    RULES[rule](run)  # its seconds hold one look at the held-out rows an epoch, as everybody takes
    seconds = time.process_time() - started
    session.finish()
    return run, seconds


def served(run: Run) -> dict[str, dict[str, float]]:
    """Return held-out loss, test loss and test accuracy of what each averaging rule serves."""
    rows = {}
    for name, point in everything(run.points, run.losses, run.held).items():
        loss, accuracy = run.test(point)
        rows[name] = {"held": run.held(point), "loss": loss, "accuracy": accuracy}
    return rows


def one_call(task: Task, data: Data, seed: int, recipe: Recipe, select: str) -> dict:
    """Train as a user would, ``session.validate`` once an epoch, and return what ``finish`` serves and the seconds."""
    torch.manual_seed(seed)
    model = net(task.family, data.x, data.classes).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=0.0)
    started = time.process_time()
    session = recipe.attach(
        model, optimizer, loss=nn.CrossEntropyLoss(reduction="none"), epochs=task.epochs,
        steps_per_epoch=-(-len(data.x) // SIZE), seed=seed, select=select,
    )  # fmt: skip
    run = Run(session, data, seed % 2 == 1, task.epochs, torch.Generator().manual_seed(seed))
    for number in range(task.epochs):
        run.epoch(number)
        session.validate([(data.held_x, data.held_y)])
        if session.stopped:
            break
    session.finish()
    seconds = time.process_time() - started
    point = nn.utils.parameters_to_vector(model.parameters()).detach()
    loss, accuracy = run.test(point)
    row = {"held": run.held(point), "loss": loss, "accuracy": accuracy}
    return {"served": {"last": row}, "seconds": seconds, "epochs": number + 1, "readings": len(session.chosen.readings)}
