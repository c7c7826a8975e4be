"""What a recipe costs inside a framework's loop, beside the framework's own loop with the same thing by hand.

    python benchmarks/integrations.py [--blocks 30] [--only "Trainer: empty" ...] [--try]

Both trainings run in turn in short blocks on one thread; a cell is the median over blocks of (step with the recipe) /
(step by hand), with quartiles, in processor time from the end of one step to the end of the next, so that loaders,
clipping, schedulers and callbacks are in it. The record is written after each cell.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from temperance import EMA, SAM, Dropout, LabelSmoothing, Recipe, WeightDecay

RECORD = Path(__file__).parent / "records" / "integrations.json"
BAR = 1.05
STEPS, WARM = 24, 4  # of a block; the first ones are not counted
WORDS, LENGTH, ROWS = 1000, 32, 32

Run = Callable[[], list[float]]  # trains one block, returns the seconds of its steps
Cell = Callable[[], tuple[Run, Run]]  # with the recipe, by hand


# -- Trainer -----------------------------------------------------------------------------------------------------------


def _classifier(dropout: float) -> Any:
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=WORDS, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128,
        max_position_embeddings=LENGTH, num_labels=4, hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout,
    )  # fmt: skip
    return BertForSequenceClassification(config)


def _rows() -> list[dict[str, Any]]:
    made = torch.Generator().manual_seed(0)
    ids = torch.randint(0, WORDS, (STEPS * ROWS, LENGTH), generator=made)
    return [{"input_ids": one, "attention_mask": torch.ones_like(one), "labels": int(one.sum()) % 4} for one in ids]


def _clocked(trainer: Any) -> Run:
    from transformers import TrainerCallback

    seen: list[float] = []

    class Clock(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            seen.append(time.process_time())

    trainer.add_callback(Clock())

    def run() -> list[float]:
        seen.clear()
        trainer.train()
        return [b - a for a, b in zip(seen[WARM:], seen[WARM + 1 :], strict=False)]

    return run


def _arguments(**named: Any) -> Any:
    from transformers import TrainingArguments

    return TrainingArguments(
        output_dir=tempfile.mkdtemp(), report_to=[], use_cpu=True, disable_tqdm=True, num_train_epochs=1,
        per_device_train_batch_size=ROWS, save_strategy="no", logging_strategy="no", dataloader_pin_memory=False,
        **{"weight_decay": 0.0} | named,
    )  # fmt: skip


def _trainer(recipe: Recipe, *, dropout: float = 0.0) -> Run:
    from temperance.integrations.transformers import RecipeTrainer

    return _clocked(RecipeTrainer(_classifier(dropout), _arguments(), recipe=recipe, train_dataset=_rows()))


def trainer_empty() -> tuple[Run, Run]:
    from transformers import Trainer

    return _trainer(Recipe()), _clocked(Trainer(_classifier(0.0), _arguments(), train_dataset=_rows()))


def trainer_cocktail() -> tuple[Run, Run]:
    """Dropout of the model's own, smoothing and decay of TrainingArguments, an average in a callback."""
    from transformers import Trainer, TrainerCallback

    class Average(TrainerCallback):
        def on_train_begin(self, *_: Any, model: Any = None, **__: Any) -> None:
            self.live = [p for p in model.parameters() if p.requires_grad]
            self.kept = [p.detach().clone() for p in self.live]

        def on_optimizer_step(self, *_: Any, **__: Any) -> None:
            with torch.no_grad():
                torch._foreach_lerp_(self.kept, self.live, 0.01)

    by_hand = Trainer(
        _classifier(0.1), _arguments(weight_decay=0.01, label_smoothing_factor=0.1), train_dataset=_rows(),
        callbacks=[Average()],
    )  # fmt: skip
    recipe = Recipe(Dropout(0.1), LabelSmoothing(0.1), WeightDecay(0.01), EMA(0.99))
    return _trainer(recipe, dropout=0.1), _clocked(by_hand)


def trainer_sam() -> tuple[Run, Run]:
    """Two passes in an own ``training_step``."""
    from transformers import Trainer

    class Sharp(Trainer):
        def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
            first = super().training_step(model, dict(inputs), num_items_in_batch)
            live = [p for p in model.parameters() if p.grad is not None]
            with torch.no_grad():
                grads = [p.grad for p in live]
                size = torch.stack(torch._foreach_norm(grads)).norm()
                steps = torch._foreach_mul(grads, 0.05 / (size + 1e-12))
                before = [p.data for p in live]
                moved = torch._foreach_add(before, steps)
                for p, new in zip(live, moved, strict=True):
                    p.data, p.grad = new, None
            super().training_step(model, inputs, num_items_in_batch)
            for p, old in zip(live, before, strict=True):
                p.data = old
            return first

    by_hand = Sharp(_classifier(0.0), _arguments(), train_dataset=_rows())
    return _trainer(Recipe(SAM(0.05))), _clocked(by_hand)


CELLS: dict[str, Cell] = {
    "Trainer: empty": trainer_empty,
    "Trainer: dropout, smoothing, decay, average": trainer_cocktail,
    "Trainer: SAM": trainer_sam,
}


def measure(cell: Cell, blocks: int) -> dict[str, float]:
    """Return the two times and the quartiles of their ratio."""
    ours, hand = cell()
    ours(), hand()
    pairs = []
    for block in range(blocks):
        took = {one: statistics.median(one()) for one in ((ours, hand) if block % 2 else (hand, ours))}
        pairs.append((took[ours], took[hand]))
    low, ratio, high = statistics.quantiles((a / b for a, b in pairs), n=4)
    return {
        "recipe_ms": 1e3 * statistics.median(a for a, _ in pairs),
        "hand_ms": 1e3 * statistics.median(b for _, b in pairs),
        "ratio": ratio, "low": low, "high": high, "blocks": blocks, "steps_per_block": STEPS - WARM - 1,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=30)
    parser.add_argument("--only", nargs="*", default=[], help="cells to run")
    parser.add_argument("--try", dest="trial", action="store_true", help="write no record")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {"cells": {}}
    record |= {"bar": BAR, "torch": torch.__version__, "python": platform.python_version()}
    for name, cell in CELLS.items():
        if chosen.only and name not in chosen.only:
            continue
        row = record["cells"][name] = measure(cell, chosen.blocks)
        verdict = "within" if row["ratio"] <= BAR else "above"
        print(f"{name}: {row['ratio']:.3f} ({row['low']:.3f} to {row['high']:.3f}), {verdict} the bar of {BAR}")
        if not chosen.trial:
            RECORD.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
