from __future__ import annotations

import pytest
import torch

from temperance.models import ModelInfo, build
from temperance.models.resnet import ResidualBlock
from temperance.records.errors import SettingError


@pytest.mark.parametrize("side", [8, 16, 28, 64])
@pytest.mark.parametrize("channels", [1, 3])
def test_sizes(side: int, channels: int) -> None:
    net = build("resnet", ModelInfo(0, (), 7, "multiclass", image_shape=(side, side, channels)), 0)
    assert net(torch.randn(2, channels, side, side)).shape == (2, 7)


def test_a_block_starts_as_its_shortcut() -> None:
    block = ResidualBlock(8, 8, stride=1, groups=4)
    images = torch.randn(2, 8, 5, 5)
    torch.testing.assert_close(block(images), torch.relu(images))


def test_training_and_inference_agree() -> None:
    net = build("resnet", ModelInfo(0, (), 3, "multiclass", image_shape=(8, 8, 1)), 0)
    images = torch.randn(4, 1, 8, 8)
    assert torch.equal(net.train()(images), net.eval()(images))


def test_a_table_is_refused() -> None:
    with pytest.raises(SettingError, match="image_shape"):
        build("resnet", ModelInfo(3, (), 2, "binary"))


def test_it_learns_digits_fast() -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = torch.tensor(digits.images[:800, None] / 16, dtype=torch.float32)
    labels = torch.tensor(digits.target[:800])
    net = build("resnet", ModelInfo(0, (), 10, "multiclass", image_shape=(8, 8, 1), train_rows=600), 0)
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.0)
    for _ in range(6):
        for start in range(0, 600, 50):
            optimizer.zero_grad()
            rows = slice(start, start + 50)
            torch.nn.functional.cross_entropy(net(images[rows]), labels[rows]).backward()
            optimizer.step()
    with torch.no_grad():
        right = (net(images[600:]).argmax(-1) == labels[600:]).float().mean()
    assert float(right) > 0.8
