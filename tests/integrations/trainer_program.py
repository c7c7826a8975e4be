"""One of two processes of ``test_transformers_replicas``: python trainer_program.py FOLDER, as torchrun would."""

import os
import sys
from pathlib import Path

import torch
from small import classifier, trainer, weights

from temperance import EMA, SAM, Dropout, GapFeedback, LabelSmoothing, Recipe, WeightDecay

FOLDER, RANK = Path(sys.argv[1]), int(os.environ["RANK"])
FALLS = GapFeedback(-0.5, noise=0.0)
RECIPES = {
    "plain": Recipe(),
    "cocktail": Recipe(Dropout(0.2), LabelSmoothing(0.1), SAM(0.05), WeightDecay(0.1), EMA(0.8), controller=FALLS),
}


def main():
    found = {}
    for name, recipe in RECIPES.items():
        steps = dict.fromkeys(("save_strategy", "eval_strategy"), "steps")
        named = {**steps, "save_steps": 2, "eval_steps": 2, "ddp_backend": "gloo", "max_grad_norm": 0.5}
        named |= {"gradient_accumulation_steps": 2, "per_device_train_batch_size": 4, "optim": "sgd"}
        ours = trainer(FOLDER / name, recipe, train_sampling_strategy="sequential", **named)
        ours.train()
        again = trainer(FOLDER / name, recipe, model=classifier(seed=7), train_sampling_strategy="sequential", **named)
        again.train(resume_from_checkpoint=str(FOLDER / name / "checkpoint-2"))
        found[name] = {"model": weights(ours.model), "again": weights(again.model), "steps": ours.state.global_step}
        found[name]["strengths"] = ours.session.strengths
    torch.save(found, FOLDER / f"{RANK}.pt")


main()
