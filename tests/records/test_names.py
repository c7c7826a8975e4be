"""One rule gives the small name of a class, also of a third party's."""

import sys
from pathlib import Path

import pytest

from temperance.records.names import snake


@pytest.mark.parametrize(
    ("name", "small"),
    [
        ("WeightDecay", "weight_decay"), ("SAM", "sam"), ("FriendlySAM", "friendly_sam"), ("L2SP", "l2_sp"),
        ("EMA", "ema"), ("PGDTraining", "pgd_training"), ("MixUp", "mixup"), ("ManifoldMixUp", "manifold_mixup"),
        ("LoRADropout", "lora_dropout"), ("MyMixUp", "my_mixup"), ("MyCMixUp", "my_cmixup"), ("MyCutMix", "my_cutmix"),
        ("MyDropBlock", "my_dropblock"), ("MixUp2", "mixup2"), ("L2", "l2"), ("MyAugMixture", "my_aug_mixture"),
    ],
)  # fmt: skip
def test_small_names(name: str, small: str) -> None:
    assert snake(name) == small


def test_a_new_technique_gets_the_file_and_the_address_by_the_same_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "scripts"))
    import new_regularizer

    assert new_regularizer.snake is snake
    sys.modules.pop("new_regularizer")
