from __future__ import annotations

import numpy as np
import pytest

from temperance.audit.image_matcher import GROUPS, OFF, Matcher, crops, edits, standard, turns


def textures(count=200, side=24, seed=0):
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(np.random.default_rng(seed).standard_normal((count, side, side)), (0, 2, 2))
    return np.clip(128 + 50 * noise / noise.std(), 0, 255).astype(np.uint8)[..., None]


@pytest.fixture(scope="module")
def matcher():
    return Matcher(textures(), 2, 0.01, np.random.default_rng(0))


@pytest.mark.parametrize("kind", ["noisy", "mirrored", "moved", "turned", "cropped"])
def test_changed_copies_are_found(kind, matcher):
    changed = edits(matcher.images[:40], np.random.default_rng(1), shift=2)[kind]
    seen = matcher.match(changed)
    hit = seen.is_copy & (seen.partner == np.arange(40))
    assert hit.mean() >= {"cropped": 0.4, "noisy": 0.8}.get(kind, 0.9)


def test_other_pictures_are_not(matcher):
    assert matcher.match(textures(seed=9)).is_copy.mean() <= 0.03
    assert matcher.natural_rate <= 0.03


def test_a_group_that_is_alike_by_nature_is_switched_off():
    same = np.repeat(textures(4), 30, axis=0)
    assert Matcher(same, 2, 0.01, np.random.default_rng(0)).limits["turned"] in (OFF, 0.99)
    ramp = np.tile(np.linspace(0, 250, 24).astype(np.uint8), (24, 1))
    turned = np.stack([np.rot90(ramp, i % 4) for i in range(60)])[..., None]
    matcher = Matcher(turned, 2, 0.01, np.random.default_rng(0))
    assert matcher.limits["turned"] == OFF
    assert set(matcher.limits) == set(GROUPS)


def test_turns_and_crops():
    images = textures(3)
    assert len(list(turns(images))) == 6
    assert len(list(turns(images[:, :20]))) == 2
    assert {part.shape[1] for part in crops(images)} == {22, 19}
    flat = standard(np.full((1, 8, 8, 1), 7, dtype=np.uint8))
    assert not flat.any()
