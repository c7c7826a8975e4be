"""Transforms of image batches against plain NumPy, and cases by hand."""

import numpy as np
import pytest
import torch

import temperance
from temperance.core.batch import Batch
from temperance.core.convention import Convention, convention_of
from temperance.core.kit import images
from temperance.core.kit.images import choose, mask_fill, move_mask, on_scenes
from temperance.core.random import fold, uniform
from temperance.records.errors import RecipeError


def _rows(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_the_identity_map_and_a_quarter_turn() -> None:
    x = torch.randn(2, 1, 5, 5, dtype=torch.float64)
    one, zero = _rows(1, 1), _rows(0, 0)
    assert torch.allclose(images.warp(x, images.affine(one, zero, zero, zero, one, zero)), x, atol=1e-12)
    turned = images.warp(x, images.affine(zero, -one, zero, one, zero, zero))
    assert torch.allclose(turned, torch.rot90(x, 1, (-2, -1)), atol=1e-12)


def test_a_map_in_pixels_is_a_shift_also_where_sides_differ() -> None:
    x = torch.randn(1, 2, 4, 7, dtype=torch.float64)
    one, zero = _rows(1), _rows(0)
    moved = images.warp(x, images.affine(one, zero, _rows(2), zero, one, _rows(-1)))
    assert torch.allclose(moved, images.shift(x, torch.tensor([1]), torch.tensor([-2])), atol=1e-12)


def test_posterize_and_solarize_by_hand() -> None:
    u = _rows(0, 100 / 255, 200 / 255, 1).reshape(1, 1, 2, 2)
    bits, threshold = _rows(1).reshape(1, 1, 1, 1), _rows(0.5).reshape(1, 1, 1, 1)
    assert (images.posterize(u, bits) * 255).flatten().tolist() == [0, 0, 128, 128]
    assert torch.allclose(images.solarize(u, threshold).flatten(), _rows(0, 100 / 255, 55 / 255, 0))


def test_autocontrast_stretches_and_flat_channels_stay() -> None:
    u = torch.tensor([[[[0.2, 0.4]], [[0.3, 0.3]]]])
    assert torch.allclose(images.autocontrast(u), torch.tensor([[[[0.0, 1.0]], [[0.3, 0.3]]]]))


def test_equalize_against_numpy_with_ties() -> None:
    u = np.array([0.1, 0.1, 0.5, 0.9, 0.9, 0.9])
    share = np.array([(u <= v).mean() for v in u])
    expected = (share - share.min()) / (1 - share.min())
    got = images.equalize(torch.tensor(u).reshape(1, 1, 2, 3)).flatten().numpy()
    np.testing.assert_allclose(got, expected, atol=1e-12)
    flat = torch.full((1, 1, 2, 2), 0.4)
    assert torch.equal(images.equalize(flat), flat)


def test_smooth_against_numpy() -> None:
    x = np.random.default_rng(0).normal(size=(4, 5))
    wide = np.pad(x, 1, mode="edge")
    kernel = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13
    expected = np.array([[(wide[i : i + 3, j : j + 3] * kernel).sum() for j in range(5)] for i in range(4)])
    np.testing.assert_allclose(images.smooth(torch.tensor(x)[None, None])[0, 0].numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("name", [*images.GEOMETRIC, *images.PHOTOMETRIC])
def test_each_operation_changes_its_image_alone(name: str) -> None:
    x = torch.rand(3, 3, 6, 6, generator=torch.Generator().manual_seed(0)) * 0.7
    x[0, 0, 0, 0], x[0, 0, 0, 1] = 0.0, 1.0
    ops, reach = ("identity", name), images.Reach(0.3, 0.3, 30.0, 4.0, 0.9)
    which, sign = torch.tensor([0, 1, 0]), torch.ones(3)
    out = images.distort(x, ops, which, torch.full((3,), 0.8), sign, reach)
    assert torch.equal(out[0], x[0])
    assert torch.equal(out[2], x[2])
    assert not torch.allclose(out[1], x[1], atol=1e-3)


def test_grey_of_three_channels_is_luma() -> None:
    x = torch.eye(3).reshape(3, 3, 1, 1)
    assert images.gray(x).flatten().tolist() == pytest.approx([0.299, 0.587, 0.114])
    assert images.gray(torch.tensor([[[[1.0]], [[3.0]]]])).item() == 2.0


# -- masks beside images ----------------------------------------------------------------------------------------------


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
