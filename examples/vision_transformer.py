"""Let a study regularize a small vision transformer: python examples/vision_transformer.py

The images are scikit-learn's digits, 8 × 8 pixels. The transformer sees 16 patches of 2 × 2.
"""

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

import temperance
from temperance import Dropout, Recipe, Task, TaskInfo, WeightDecay


class Transformer(nn.Module):
    """Patches as tokens, with a place each; two blocks of attention; the mean of the tokens is classified."""

    def __init__(self, channels: int, side: int, classes: int, patch: int = 2, width: int = 32):
        super().__init__()
        self.patches = nn.Conv2d(channels, width, patch, stride=patch)
        self.places = nn.Parameter(0.02 * torch.randn(1, (side // patch) ** 2, width))
        block = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(block, 2, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (b, c) of images (b, channels, side, side)."""
        tokens = self.patches(images).flatten(2).transpose(1, 2) + self.places
        return self.head(self.blocks(tokens).mean(1))


def task(info: TaskInfo) -> Task:
    """Return the net for a study; ``info.image_shape`` is that of one image."""
    channels, side, _ = info.image_shape
    recipe = Recipe(Dropout(0.1), WeightDecay(0.1))
    return Task(Transformer(channels, side, info.outputs), recipe=recipe, optimizer=adam, epochs=30, batch_size=32)


def adam(model: nn.Module) -> torch.optim.Optimizer:
    """Return the optimizer; a transformer of this size wants a faster rate than the default."""
    return torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.0)


def main(budget: str | None = "3m") -> float:
    """Return the accuracy on digits that nothing was chosen on."""
    digits = load_digits()
    images = (digits.images * 255 / 16).astype("uint8")
    model = temperance.fit(images[:1200], digits.target[:1200], net=task, budget=budget)
    accuracy = float(model.score(images[1200:], digits.target[1200:]))
    print(f"accuracy on {len(images) - 1200} other digits: {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    main()
