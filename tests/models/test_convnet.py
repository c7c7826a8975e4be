from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from temperance.models import ModelInfo, build
from temperance.models.convnet import LARGEST, ConvNet, _windows
from temperance.records.errors import SettingError


def info(*shape: int, outputs: int = 7) -> ModelInfo:
    height, width, channels = shape
    return ModelInfo(0, (), outputs, "multiclass", image_shape=(height, width, channels))


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 40, 1), (8, 8, 1), (28, 28, 1), (31, 45, 3), (96, 224, 3)])
def test_sizes(shape: tuple[int, int, int]) -> None:
    net = build("convnet", info(*shape), 0)
    assert net(torch.randn(3, shape[2], *shape[:2])).shape == (3, 7)


@pytest.mark.parametrize("side", [8, 28, 32, 64, 96, 224])
def test_the_work_is_bounded_whatever_the_size(side: int) -> None:
    settings = ConvNet.sized(info(side, side, 3))
    inner = side // settings.shrink // settings.first_stride
    assert side // settings.shrink <= LARGEST
    assert min(side, 24) <= inner <= 40


def test_both_sides_of_an_image_have_one_answer_once_trained() -> None:
    images = torch.randn(5, 2, 12, 9)
    one, both = (build("convnet", info(12, 9, 2), 0, both_sides=sides) for sides in (False, True))
    assert one.state_dict().keys() == both.state_dict().keys()
    torch.testing.assert_close(both.train()(images), one.train()(images))  # in training one side is seen
    one.eval()
    both.eval()
    torch.testing.assert_close(both(images), both(images.flip(-1)))
    torch.testing.assert_close(both(images), (one(images) + one(images.flip(-1))) / 2)
    assert not torch.allclose(one(images), one(images.flip(-1)))


def test_every_image_is_answered_alone_once_trained() -> None:
    net = build("convnet", info(12, 12, 1), 0)
    images = torch.randn(6, 1, 12, 12)
    net.train()(images)
    net.eval()
    torch.testing.assert_close(net(images)[:2], net(images[:2]))


@pytest.mark.parametrize("side", [1, 2, 3, 5, 7, 8, 10])
def test_the_grid_covers_the_image_with_windows_of_one_length(side: int) -> None:
    length, step, count = _windows(side, 3)
    assert count == min(side, 3)
    assert step * (count - 1) + length == side
    assert length >= step


@pytest.mark.parametrize("side", [3, 6, 7, 9])
def test_the_grid_is_adaptive_pooling_where_that_has_windows_of_one_length(side: int) -> None:
    length, step, _ = _windows(side, 3)
    images = torch.randn(2, 4, side, side)
    grid = functional.avg_pool2d(images, length, step)
    torch.testing.assert_close(grid, functional.adaptive_avg_pool2d(images, 3))


def test_weights_lie_channels_last_and_images_follow() -> None:
    net = build("convnet", info(16, 16, 3), 0)
    seen = net.get_submodule("body")[:3](torch.randn(2, 3, 16, 16))  # type: ignore[index]
    assert seen.is_contiguous(memory_format=torch.channels_last)


def test_light_and_contrast_do_not_count_where_images_are_made_even() -> None:
    net = build("convnet", info(16, 16, 3), 0, even=True).eval()
    images = torch.randn(2, 3, 16, 16)
    torch.testing.assert_close(net(images * 3 - 1), net(images), rtol=1e-3, atol=1e-4)


def test_a_grid_of_one_forgets_the_place() -> None:
    net = build("convnet", info(32, 32, 1), 0, grid=1).eval()
    images = torch.zeros(2, 1, 32, 32)
    images[0, 0, 12:15, 12:14] = 1.0
    images[1, 0, 16:19, 8:10] = 1.0
    answers = net(images)
    torch.testing.assert_close(answers[0], answers[1])


def test_a_table_is_refused() -> None:
    with pytest.raises(SettingError, match="image_shape"):
        build("convnet", ModelInfo(3, (), 2, "binary"))


def test_it_learns_digits_fast() -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = torch.tensor(digits.images[:800, None] / 16, dtype=torch.float32)
    labels = torch.tensor(digits.target[:800])
    net = build("convnet", info(8, 8, 1, outputs=10), 0)
    optimizer = torch.optim.AdamW(net.parameters(), lr=5e-3, weight_decay=0.0)
    for _ in range(8):
        for start in range(0, 600, 50):
            optimizer.zero_grad()
            rows = slice(start, start + 50)
            functional.cross_entropy(net(images[rows]), labels[rows]).backward()
            optimizer.step()
    with torch.no_grad():
        right = (net.eval()(images[600:]).argmax(-1) == labels[600:]).float().mean()
    assert float(right) > 0.9
