"""Train a small transformer on short reports with Trainer and a recipe: python examples/huggingface.py

The reports are generated: each is a few clauses about one of four topics, with words of other topics strewn in, and a
part of the labels is wrong. The model and its vocabulary are made here; nothing is downloaded.
"""

import random
import tempfile

import torch
import transformers
from transformers import DistilBertConfig, DistilBertForSequenceClassification, TrainingArguments

from temperance import EMA, Dropout, GapFeedback, LabelSmoothing, Recipe, WeightDecay
from temperance.integrations.transformers import RecipeTrainer

TOPICS = {
    "delivery": ("parcel", "late", "driver", "address", "courier", "missing", "box", "damaged", "tracking", "door"),
    "payment": ("card", "charged", "invoice", "refund", "twice", "amount", "bank", "declined", "receipt", "tax"),
    "account": ("login", "password", "locked", "email", "code", "reset", "profile", "name", "delete", "sign"),
    "quality": ("broken", "screen", "battery", "scratch", "noise", "colour", "size", "button", "cheap", "seam"),
}
COMMON = ("the", "my", "a", "was", "is", "and", "but", "not", "again", "please", "today", "order", "for", "since", "it")
WORDS = [word for words in TOPICS.values() for word in words]
VOCABULARY = {word: i for i, word in enumerate(["[pad]", *COMMON, *WORDS])}
LENGTH = 16


def report(draw: random.Random) -> tuple[list[str], int]:
    """Return the words of one report, and its topic."""
    topic = draw.randrange(len(TOPICS))
    own = list(TOPICS.values())[topic]
    count = draw.randint(8, LENGTH)
    words = [
        draw.choice(own) if (u := draw.random()) < 0.3 else draw.choice(WORDS) if u < 0.5 else draw.choice(COMMON)
        for _ in range(count)
    ]
    return words, topic


def rows(count: int, *, seed: int, wrong: float = 0.0) -> list[dict]:
    """Return reports as Trainer takes them; a share ``wrong`` of the labels is drawn anew."""
    draw, made = random.Random(seed), []
    for _ in range(count):
        words, topic = report(draw)
        ids = [VOCABULARY[w] for w in words]
        mask = [1] * len(ids) + [0] * (LENGTH - len(ids))
        label = draw.randrange(len(TOPICS)) if draw.random() < wrong else topic
        made.append({"input_ids": ids + [0] * (LENGTH - len(ids)), "attention_mask": mask, "labels": label})
    return made


def main(epochs: int = 6, count: int = 1000) -> dict[str, float]:
    """Train with and without the recipe; return both accuracies on reports that nothing was chosen on."""
    transformers.logging.set_verbosity_error()
    recipe = Recipe(Dropout(0.1), LabelSmoothing(0.1), WeightDecay(0.05), EMA(0.95), controller=GapFeedback())
    print(recipe.explain())
    train, valid, test = rows(count, seed=0, wrong=0.3), rows(300, seed=1, wrong=0.3), rows(1000, seed=2)
    found = {}
    for name, one in (("plain", Recipe()), ("recipe", recipe)):
        torch.manual_seed(0)
        config = DistilBertConfig(
            vocab_size=len(VOCABULARY), max_position_embeddings=LENGTH, dim=64, hidden_dim=128, n_layers=2, n_heads=4,
            num_labels=len(TOPICS),
        )  # fmt: skip
        arguments = TrainingArguments(
            output_dir=tempfile.mkdtemp(), num_train_epochs=epochs, per_device_train_batch_size=16, learning_rate=2e-3,
            eval_strategy="epoch", save_strategy="no", report_to=[], disable_tqdm=True, use_cpu=True,
            logging_strategy="epoch", dataloader_pin_memory=False,
        )  # fmt: skip
        trainer = RecipeTrainer(
            DistilBertForSequenceClassification(config), arguments, recipe=one, train_dataset=train, eval_dataset=valid,
            compute_metrics=lambda told: {"accuracy": float((told.predictions.argmax(-1) == told.label_ids).mean())},
        )  # fmt: skip
        trainer.train()
        found[name] = trainer.evaluate(test)["eval_accuracy"]
        print(name, {address: round(value, 3) for address, value in trainer.session.strengths.items()})
    print(f"accuracy on 1000 new reports: plain {found['plain']:.3f}, with the recipe {found['recipe']:.3f}")
    return found


if __name__ == "__main__":
    main()
