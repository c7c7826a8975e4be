"""One name for a class wherever it is written small: addresses of strengths, names of signals, names of files."""

from __future__ import annotations

import re

# What the field writes as one word, with capitals inside. It stays one word in a longer name too: MyMixUp → my_mixup.
_WORDS = (
    "CMixUp", "RegMixUp", "MixUp", "CutMix", "AugMix", "DropBlock", "DropConnect", "MaxSup", "LoRA", "NEFTune", "R3F",
)  # fmt: skip
_WORD = re.compile(rf"({'|'.join(_WORDS)})(?![a-z])")
_BEFORE_A_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(name: str) -> str:
    """Return a class name in small letters: ``WeightDecay`` → ``weight_decay``, ``MixUp`` → ``mixup``."""
    return _BEFORE_A_WORD.sub("_", _WORD.sub(lambda word: word[0].capitalize(), name)).lower()
