from __future__ import annotations

import numpy as np
import pytest

from temperance.audit.context import Context
from temperance.audit.image_duplicates import ImageDuplicates, edits
from temperance.records.roles import Roles

EMPTY = np.empty(0, dtype=np.int64)


def crops(count, size=64, seed=0):
    """Return crops of scikit-learn's two photographs; nearly plain ones (sky) are left out, as the check says."""
    from sklearn.datasets import load_sample_images

    g = np.random.default_rng(seed)
    photos = load_sample_images().images
    out = []
    places = [(p, y, x) for p in range(2) for y in range(0, 427 - size, 12) for x in range(0, 640 - size, 12)]
    for k in g.permutation(len(places)):
        p, y, x = places[k]
        crop = photos[p][y : y + size, x : x + size]
        if crop.mean(axis=2).std() >= 20:
            out.append(crop)
    return np.stack(out[:count])


def jpeg(images, quality):
    import io

    from PIL import Image

    out = []
    for image in images:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=quality)
        out.append(np.asarray(Image.open(buffer)))
    return np.stack(out)


@pytest.fixture(scope="module")
def photos():
    return crops(400)


KINDS = {
    "exact": lambda images, g: images,
    "jpeg 40": lambda images, g: jpeg(images, 40),
    "noisy": lambda images, g: edits(images, g, shift=2)["noisy"],
    "half-size": lambda images, g: edits(images, g, shift=2)["half-size"],
    "mirrored": lambda images, g: images[:, :, ::-1],
    "moved": lambda images, g: edits(images, g, shift=2)["moved"],
}


@pytest.mark.slow
def test_finds_changed_copies_of_photographs(photos, make_images):
    """One table holds 30 copies of each kind; at least 90 % of each kind must come back."""
    g = np.random.default_rng(1)
    train, fresh = photos[:300], photos[300:]
    parts = {kind: change(train[:30], g) for kind, change in KINDS.items()}
    images = np.concatenate([train, fresh, *parts.values()])
    table = make_images(images, np.arange(len(images)) % 2)
    test = np.arange(300, len(images))
    finding = ImageDuplicates().inspect(Context(table, Roles(np.arange(300), EMPTY, EMPTY, EMPTY, test)))
    found = set(finding.evidence["rows"])
    for i, kind in enumerate(KINDS):
        start = 400 + 30 * i
        assert len(found & set(range(start, start + 30))) >= 27, kind
    assert len(found & set(range(300, 400))) <= 3
    assert finding.state == "fix_before_use"
    assert finding.confidence["found"] >= 0.85 * finding.confidence["planted"]


def test_clean_photographs(photos, make_images, make_roles):
    table = make_images(photos, np.arange(400) % 2)
    finding = ImageDuplicates().inspect(Context(table, make_roles(400)))
    assert finding.evidence["k"] <= 0.03 * 80


def test_limit_rises_for_simple_pictures(make_images, make_roles):
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = (digits.images * 15).astype(np.uint8)[..., None]
    table = make_images(images, digits.target)
    finding = ImageDuplicates().inspect(Context(table, make_roles(len(table))))
    assert finding.evidence["natural_rate"] <= 0.03
    assert finding.evidence["k"] <= 0.03 * finding.evidence["n"]


def test_flat_images_are_not_copies_of_each_other_by_thumbnail(make_images):
    images = np.repeat(np.arange(60, dtype=np.uint8), 16 * 16).reshape(60, 16, 16, 1)
    table = make_images(images, np.arange(60) % 2)
    roles = Roles(np.arange(40), EMPTY, EMPTY, EMPTY, np.arange(40, 60))
    assert ImageDuplicates().inspect(Context(table, roles)).evidence["k"] == 0


def test_unsuited_for_tables(bundled, make_context):
    assert "no images" in ImageDuplicates().unsuited(make_context(bundled("wine")))
