"""Let a study regularize a text classifier with embeddings of its own: python examples/text_from_scratch.py

The reports are generated: each is a few clauses about one of four topics, with words of other topics strewn in, and a
part of the labels is wrong. A text is a row of word numbers, filled up with 0.
"""

import numpy as np
from torch import Tensor, nn

import temperance
from temperance import Dropout, Recipe, Task, TaskInfo, WeightDecay

TOPICS = {
    "delivery": "parcel late driver address courier missing box damaged tracking door",
    "payment": "card charged invoice refund twice amount bank declined receipt tax",
    "account": "login password locked email code reset profile name delete sign",
    "quality": "broken screen battery scratch noise colour size button cheap seam",
}
COMMON = "the my a was is and but not again please today order for since it"
WORDS = [word for words in TOPICS.values() for word in words.split()]
VOCABULARY = {word: number for number, word in enumerate([*COMMON.split(), *WORDS], 1)}  # 0 is the padding
LENGTH = 16


class Classifier(nn.Module):
    """The mean of the word vectors, then two layers."""

    def __init__(self, words: int, classes: int, width: int = 32):
        super().__init__()
        self.embed = nn.Embedding(words, width, padding_idx=0)
        self.layers = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, classes))

    def forward(self, words: Tensor) -> Tensor:
        """Return logits (b, c) of word numbers (b, t); where 0 stands is no word."""
        vectors = self.embed(words)
        there = (words > 0).unsqueeze(-1).to(vectors.dtype)
        return self.layers((vectors * there).sum(1) / there.sum(1).clamp(min=1))


def task(info: TaskInfo) -> Task:
    """Return the net for a study; ``info.largest`` is the last word number in the data."""
    recipe = Recipe(Dropout(0.3), WeightDecay(0.1))
    return Task(Classifier(info.largest + 1, info.outputs), inputs="tokens", recipe=recipe)


def reports(count: int, *, seed: int, wrong: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return word numbers (count, 16) and topics; a share ``wrong`` of the topics is drawn anew."""
    draw, names = np.random.default_rng(seed), list(TOPICS)
    texts, labels = np.zeros((count, LENGTH), dtype=int), []
    for row in texts:
        topic = draw.choice(names)
        kinds = draw.choice(["own", "any", "common"], draw.integers(8, LENGTH + 1), p=[0.3, 0.2, 0.5])
        pools = {"own": TOPICS[topic].split(), "any": WORDS, "common": COMMON.split()}
        row[: len(kinds)] = [VOCABULARY[draw.choice(pools[kind])] for kind in kinds]
        labels.append(draw.choice(names) if draw.random() < wrong else topic)
    return texts, np.array(labels)


def main(budget: str | None = "2m", count: int = 1000) -> float:
    """Return the accuracy on reports that nothing was chosen on."""
    model = temperance.fit(*reports(count, seed=0, wrong=0.3), net=task, budget=budget)
    accuracy = float(model.score(*reports(1000, seed=1)))
    print(f"accuracy on 1000 new reports: {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    main()
