"""Rough factors on the time of a step, used only to plan; every trial's real seconds are measured."""

from __future__ import annotations

STEP_FACTOR: dict[str, float] = {"SAM": 2.1, "MixUp": 1.15, "FeatureNoise": 1.05}
