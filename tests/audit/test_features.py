from __future__ import annotations

import numpy as np
import pytest

from temperance.audit.features import Ruler, nearest, neighbours, thumbnails, tree_matrix
from temperance.records.schema import Rows


def test_tree_matrix_marks_missing_values(make_table):
    table = make_table([[1.0, np.nan], [np.inf, 2.0]], [0, 1], words={"w": ["a", ""]})
    X = tree_matrix(table.rows)
    assert X.dtype == np.float32
    assert np.isnan(X).tolist() == [[False, True, False], [True, False, True]]


def test_thumbnails_are_area_means():
    image = np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1)
    assert thumbnails(image, side=2)[0].tolist() == [[2.5, 4.5], [10.5, 12.5]]


@pytest.mark.parametrize("size", [5, 16, 33])
def test_thumbnails_keep_the_mean_for_any_size(size):
    images = np.random.default_rng(0).integers(0, 256, (2, size, size, 3)).astype(np.uint8)
    assert np.allclose(thumbnails(images).mean(axis=(1, 2)), images.mean(axis=(1, 2, 3)), rtol=1e-4)


def test_ruler_scales_numbers_and_places_categories_one_apart(make_table):
    g = np.random.default_rng(0)
    table = make_table(g.normal(0, 1000.0, (400, 1)), g.integers(2, size=400), words={"w": list("ab" * 200)})
    points = Ruler.fit(table.rows).points(table.rows)
    assert 0.8 < points[:, 0].std() < 1.3
    assert np.linalg.norm(points[0, 1:] - points[2, 1:]) == 0
    assert 0.4 < np.linalg.norm(points[0, 1:] - points[1, 1:]) <= np.sqrt(2) + 1e-6


def test_ruler_keeps_missing_apart_from_the_median():
    rows = Rows(np.array([[1.0], [2.0], [3.0], [np.nan]]), np.zeros((4, 0), np.int32))
    points = Ruler.fit(rows).points(rows)
    assert np.linalg.norm(points[1] - points[3]) > 0.5


def test_nearest_equals_the_plain_loop():
    g = np.random.default_rng(1)
    a, b = g.random((40, 3)).astype(np.float32), g.random((60, 3)).astype(np.float32)
    slow = np.sqrt(((a[:, None].astype(float) - b[None]) ** 2).sum(axis=2))
    distance, place = nearest(a, b, chunk=7)
    assert np.allclose(distance, slow.min(axis=1))
    assert np.array_equal(place, slow.argmin(axis=1))


def test_neighbours_never_share_the_fold():
    g = np.random.default_rng(2)
    points, folds = g.random((50, 2)).astype(np.float32), np.arange(50) % 5
    found = neighbours(points, folds, k=4, chunk=16)
    assert found.shape == (50, 4)
    assert not np.any(folds[found] == folds[:, None])
