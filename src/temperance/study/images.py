"""Images in a study: which nets are worth trying, in which order. Decisions, measured; no torch here."""

from __future__ import annotations

from typing import Any

from temperance.records.schema import Schema, Task
from temperance.study.search.portfolio import singles
from temperance.study.spec import Kind, TrialSpec

SHIFT = 0.04  # of the side: a pixel of 28; two were worse than none after 20 epochs on 2,000 images of clothes
FAR = 0.125  # of the side: where things lie anywhere
RECOLORED = 0.8  # of the images: the rest keep the colours in which they will be asked for
DECAY, DROPOUT = 0.05, 0.2
FIRST_NETS = 3  # tried before the best of them comes again with other seeds


def default_net(schema: Schema) -> str:
    """Return the name of the net that suits the inputs."""
    return "ConvNet" if schema.image_shape is not None else "Tabular"


def image_specs(
    *,
    settings: dict[str, Any],
    steps: int,
    task: Task,
    shape: tuple[int, int, int],
    seed: int,
    few: bool = False,
    model: str = "ConvNet",
) -> list[TrialSpec]:
    """Return the nets for images in the order in which they are worth trying when time is short.

    Shifts help nearly everywhere, mirrors only where a mirrored picture has the same class: both are tried before
    anything else, the held-out rows decide, and the ensemble takes the mean of what is good. A net that trained on
    both sides of an image is asked for both as well. Few images cannot teach a
    net what does not count, so it is told: light and contrast, colours, and for things that lie anywhere also place and
    turn. Whether colours count is for the held-out rows to say: both ways are tried.

    Args:
        settings: of the training.
        steps: of one training; an average of the weights looks back over a share of it.
        task: of the target.
        shape: height, width and channels.
        seed: of every trial.
        few: the images are so few that each trial trains once per fold.
        model: the net.

    """
    shifted = [{"name": "RandomCrop", "margin": round(max(SHIFT, 1 / min(shape[:2])), 4)}]
    mirrored = [{"name": "RandomFlip", "p": 0.5}, *shifted]
    calm = [{"name": "WeightDecay", "rate": DECAY}, {"name": "Dropout", "p": DROPOUT}]

    both = [{"name": "RandomFlip", "p": 0.5}, {"name": "RandomFlip", "p": 0.5, "axis": "vertical"}]
    far = [*both, {"name": "RandomCrop", "margin": FAR, "border": "edge"}]

    def spec(name: str, techniques: list[dict[str, Any]], *, adapt: bool = False, **net: Any) -> TrialSpec:
        recipe: dict[str, Any] = {"regularizers": techniques}
        if adapt:
            recipe["controller"] = {"name": "Curriculum"}
        kind: Kind = ("plain", "single")[len(techniques)] if len(techniques) < 2 else "cocktail"
        return TrialSpec("", name, kind, model, recipe, settings, seed=seed, adaptive=adapt, architecture=net)

    usual = [spec("mirrored and shifted images", [*mirrored, *calm], both_sides=True),
             spec("shifted images", [*shifted, *calm])]  # fmt: skip
    modest = [] if task == "regression" else [{"name": "LabelSmoothing", "eps": 0.1}]  # few images, surest mistakes
    colors = [{"name": "RandomColor", "p": RECOLORED}]
    told = [
        spec("evenly lit images of things anywhere in any colour", [*far, *colors, *calm], even=True),
        spec("evenly lit and shifted images in any colour", [*shifted, *colors, *calm], even=True),
        spec("evenly lit images of things anywhere", [*far, *calm, *modest], even=True, grid=1),
        spec("evenly lit and shifted images", [*shifted, *calm, *modest], even=True),
    ]
    found = [
        *(told + usual if few else [*usual, told[3], told[1], told[0], told[2]]),
        spec("plain net", []),
        spec("adaptive cocktail", [*mirrored, *calm], adapt=True, both_sides=True),
        spec(
            "mirrored, shifted and mixed images", [*mirrored, *calm, {"name": "MixUp", "alpha": 0.2}], both_sides=True
        ),
        spec("shifted images alone", shifted),
    ]
    one_by_one = singles(task=task, images=True, steps=steps)
    del one_by_one["stochastic depth"]  # a net without branches has nothing to drop
    return found + [spec(f"{name} alone", [technique]) for name, technique in one_by_one.items()]
