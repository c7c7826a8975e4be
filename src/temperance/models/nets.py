"""Nets by name: sized for the data, settings changed, weights drawn from a seed."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import torch
from torch import nn

from temperance.models import convnet, plain, resnet, tabular  # noqa: F401  # each registers its architecture
from temperance.models.base import ARCHITECTURES, Architecture, ModelInfo
from temperance.records.errors import SettingError, nearest


def default_name(info: ModelInfo) -> str:
    """Return the name of the net that suits the inputs: ``ConvNet`` for images, ``Tabular`` for tables."""
    return "ConvNet" if info.image_shape else "Tabular"


def architecture(name: str, info: ModelInfo, **settings: Any) -> Architecture:
    """Return the sized settings of the net ``name`` with ``settings`` changed.

    Raises:
        SettingError: an unknown name or setting.

    """
    cls = ARCHITECTURES[name]
    known = {field.name for field in fields(cls)}
    for key in settings:
        if key not in known:
            accepted = f"{cls.__name__} has {', '.join(sorted(known))}"
            raise SettingError(f"the net {name!r} has no setting {key!r}", accepted, nearest(key, known))
    sized = cls.sized(info)
    return cls(**{**{key: getattr(sized, key) for key in known}, **settings})


def build(name: str, info: ModelInfo, seed: int = 0, **settings: Any) -> nn.Module:
    """Build the net ``name`` for ``info``; the same seed gives the same weights, torch's global generator is untouched.

    Args:
        name: ``tabular``, ``plain``, ``convnet``, ``resnet`` or a plug-in's; case is ignored.
        info: the shape of the data.
        seed: seed of the weights.
        settings: fields of the architecture to change, e.g. ``members=4``.

    Returns:
        A module called as ``net(numeric, categorical)`` (tables) or ``net(images)``; outputs are (b, c) logits, or
        (b, k, c) from a net of k members. See ``models.loss`` for what is done with the axis k.

    """
    chosen = architecture(name, info, **settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return chosen.make(info)
