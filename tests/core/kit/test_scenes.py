"""Masks move with their images, to the pixel; what cannot move along is refused by name."""

import pytest
import torch

import temperance
from temperance.core.batch import Batch
from temperance.core.convention import Convention, convention_of
from temperance.core.kit.images import choose
from temperance.core.kit.scenes import mask_fill, move_mask, on_scenes
from temperance.core.random import fold, uniform
from temperance.records.errors import RecipeError


def scene(rows=6, size=12):
    """Images whose first channel is their mask, as numbers."""
    generator = torch.Generator().manual_seed(3)
    mask = torch.randint(0, 4, (rows, size // 3, size // 3), generator=generator)
    mask = mask.repeat_interleave(3, 1).repeat_interleave(3, 2)
    return mask[:, None].float(), mask


class Same(torch.nn.Module):
    """Gives back what it got, and remembers it."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))

    def forward(self, x):
        self.seen = x
        return torch.stack([(x[:, 0] - k).square().neg() for k in range(4)], 1) * self.scale


def moved(one, images, targets, loss=torch.nn.functional.cross_entropy):
    """Return images and targets as model and loss took them."""
    model, kept = Same(), {}

    def noted(outputs, y):
        kept["y"] = y
        return loss(outputs, y if not isinstance(y, dict) else y["masks"])

    noted.convention = convention_of(loss)
    session = temperance.Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.0), loss=noted)
    session.step((images, targets))
    return model.seen, kept["y"]


EXACT = [temperance.RandomFlip(0.5), temperance.RandomFlip(0.5, axis="vertical"), temperance.RandomCrop(0.3),
         temperance.RandomCrop(0.3, border="edge")]  # fmt: skip


@pytest.mark.parametrize("one", EXACT, ids=repr)
@pytest.mark.parametrize("form", ["(b, h, w)", "(b, 1, h, w)", "heads"])
def test_a_mask_moves_exactly_as_its_image(one, form):
    images, mask = scene()
    given = {"(b, h, w)": mask, "(b, 1, h, w)": mask[:, None].float(), "heads": {"masks": mask}}[form]
    loss = torch.nn.functional.cross_entropy if form != "(b, 1, h, w)" else lambda out, y: out.square().mean()
    seen, told = moved(one, images, given, loss)
    assert not torch.equal(seen, images)
    told = told["masks"] if isinstance(told, dict) else told
    told = told if told.dim() == 4 else told[:, None]
    outside = told == -100
    assert torch.equal(torch.where(outside, 0, told).float(), seen)
    assert bool(outside.any()) == (repr(one) == "RandomCrop(margin=0.3)" and form != "(b, 1, h, w)")


@pytest.mark.parametrize("one", [temperance.TrivialAugment(1.0, wide=False), temperance.AdaptiveAugmentation(0.8)])
def test_a_mask_is_warped_with_its_image_without_new_classes(one):
    torch.manual_seed(0)
    image = torch.zeros(64, 1, 24, 24)
    image[:, :, 4:14, 8:16] = 1.0
    mask = image[:, 0].long()
    model, kept = Same(), {}

    def noted(outputs, y):
        kept["y"] = y
        return torch.nn.functional.cross_entropy(outputs, y.clamp_min(0))

    session = temperance.Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.0), loss=noted)
    session.step((image, mask))
    assert set(kept["y"].unique().tolist()) <= {0, 1}
    went = (kept["y"] != mask).flatten(1).any(1)
    assert 10 < int(went.sum()) < 64
    centre = torch.arange(24.0)
    for picture, own in zip(model.seen[went, 0], kept["y"][went], strict=True):
        light = (picture - picture.min()) / (picture.max() - picture.min()).clamp_min(1e-6)
        if own.sum() < 20 or abs(float(light.mean()) - float(own.double().mean())) > 0.1:
            continue  # nearly out of sight, or its colours were turned round
        for axis in (0, 1):
            there = float((light.sum(axis) * centre).sum() / light.sum())
            assert there == pytest.approx(float((own.sum(axis) * centre).sum() / own.sum()), abs=1.0)


def test_what_cannot_move_along_is_refused_by_name():
    images, mask = scene()
    flip = temperance.RandomFlip(0.5)
    with pytest.raises(RecipeError, match=r"RandomFlip moves images.*boxes, which it does not know"):
        moved(flip, images, {"masks": mask, "boxes": torch.zeros(6, 2, 4)})
    with pytest.raises(RecipeError, match=r"RandomFlip moves images of .*\(6, 6, 6\), which would stay"):
        moved(flip, images, mask[:, ::2, ::2])
    with pytest.raises(RecipeError, match=r"AugMix moves images, and the batch has a target of shape \(6, 12, 12\)"):
        moved(temperance.AugMix(), images, mask)


def test_pictures_of_one_scene_and_integer_inputs_of_their_size_move_together():
    images, mask = scene()
    key = fold(3, "x")
    batch = Batch({"a": images, "b": images + 1, "place": mask, "age": torch.arange(6)}, torch.arange(6))

    def change(x, number, is_mask):
        return choose(uniform(fold(key, number), (6,), x.device) < 0.5, x.flip(-1), x)

    out = on_scenes(batch, change, "X").inputs
    assert torch.equal(out["a"] + 1, out["b"])
    assert torch.equal(out["a"][:, 0].long(), out["place"])
    assert torch.equal(out["age"], torch.arange(6))
    assert not torch.equal(out["a"], images)


def test_what_comes_into_a_mask_from_outside():
    classes, unknown = Batch((), None, convention=Convention("classes", 255)), Batch((), None)
    codes = torch.zeros(1, 1, 2, 2, dtype=torch.uint8)
    assert mask_fill(classes, codes) == 255
    assert mask_fill(classes._replace(convention=Convention("classes")), codes) == 0
    assert mask_fill(classes, codes.float()) == 0
    assert mask_fill(unknown, codes.long()) == 0
    assert move_mask(codes, 7, torch.zeros_like).unique().tolist() == [7]


@pytest.mark.parametrize("one", EXACT, ids=repr)
@pytest.mark.parametrize("form", ["int (b, h, w)", "float (b, h, w)", "float (b, 1, h, w)"])
def test_a_mask_among_the_inputs_moves_exactly_as_its_image(one, form):
    images, mask = scene()
    given = mask if form.startswith("int") else mask.float()
    given = given[:, None] if "1" in form else given
    seen = {}

    class Masked(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(()))

        def forward(self, image, mask):
            seen.update(image=image, mask=mask)
            return image.mean((1, 2, 3))[:, None] * self.scale * torch.ones(2)

    model = Masked()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    session = temperance.Recipe(one).attach(model, optimizer, loss=torch.nn.functional.cross_entropy)
    session.step({"image": images, "mask": given, "label": torch.zeros(len(images), dtype=torch.int64)})
    assert not torch.equal(seen["image"], images)
    assert seen["mask"].dtype == given.dtype
    moved = seen["mask"] if seen["mask"].dim() == 4 else seen["mask"][:, None]
    assert torch.equal(torch.where(moved == -100, 0, moved).float(), seen["image"])
