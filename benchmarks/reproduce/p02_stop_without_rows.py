"""P2: prediction flips tell when to stop, without a clean label."""

from __future__ import annotations

import torch
from benchmarks.reproduce.lab import accuracy, digits, mlp, train
from benchmarks.reproduce.shape import Check, Figures, Shape

from temperance import Recipe
from temperance.control.rising import LabelWave
from temperance.core.session import Session


def run(seed: int) -> Figures:
    data = digits(seed, 1000, noise=0.4)
    model, course = mlp(seed), [0.0]

    def each(_: Session) -> None:
        course.append(accuracy(model, data.test_x, data.test_y))

    train(Recipe(), model, data, epochs=120, size=64, seed=seed, each=each)

    stopped = mlp(seed)
    first = next(data.batches(64, torch.Generator().manual_seed(seed)))

    def wave(session: Session) -> bool:
        session.validate([first])
        return session.stopped

    session = train(Recipe(controller=LabelWave()), stopped, data, epochs=120, size=64, seed=seed, each=wave)
    epoch = float(session.epoch)
    chosen = accuracy(session.finish(), data.test_x, data.test_y)
    return {
        "stop": chosen, "stop_epoch": epoch, "last": course[-1], "best": max(course),
        "over_last": chosen - course[-1], "under_best": chosen - max(course),
    }  # fmt: skip


SHAPE = Shape(
    "P2",
    "Under label noise, the first low point of the count of changed predictions is a good moment to stop; no clean "
    "label and no validation row is needed.",
    "Yuan et al. (2024), Early stopping against label noise without validation data, ICLR",
    "digits, 1000 training rows with 40 % wrong labels, MLP 64-256-256-10, AdamW 1e-3, batch 64, 120 epochs, window 3",
    (),
    3,
    run,
    (
        Check("over_last", "test accuracy where Label Wave stops minus at the end", low=0.15),
        Check("under_best", "test accuracy where Label Wave stops minus at the best epoch", low=-0.08),
    ),
)
