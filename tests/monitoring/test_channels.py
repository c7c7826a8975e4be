import numpy as np
import pytest

from temperance.monitoring import channels
from temperance.monitoring.channels import EDGES, SKIP, cut, encode, names, numbers, outputs
from temperance.records.errors import DataError
from temperance.records.schema import Column, Rows, Schema, Target

TABLE = Schema(
    (Column("x", "numeric"), Column("c", "categorical", vocabulary=("a", "b"))),
    Target("y", "multiclass", ("p", "q", "r")),
)
IMAGES = Schema((), Target("y", "binary", ("no", "yes")), kind="images", image_shape=(4, 4, 1))


def test_names_are_in_the_documented_order():
    assert names(TABLE) == [
        "feature:x",
        "feature:c",
        "missing:x",
        "missing:c",
        "unseen:c",
        "confidence",
        "prediction",
    ]
    assert names(IMAGES) == ["feature:brightness", "feature:contrast", "feature:sharpness", "confidence", "prediction"]


def test_cut_counts_edges_and_skips_missing_values():
    edges = np.full((2, EDGES), np.nan)
    edges[0, :3], edges[1, :1] = (0.0, 1.0, 2.0), 5.0
    values = np.array([[-1.0, 5.0], [1.0, 4.9], [np.nan, np.inf], [np.inf, np.nan]])
    np.testing.assert_array_equal(cut(values, edges), [[0, 2, SKIP, 3], [1, 0, 1, SKIP]])


def test_encode_maps_every_channel():
    edges = np.full((2, EDGES), np.nan)
    edges[:, 0] = 0.5
    arrays = {"edges": edges, "order": np.array([[1, 0, 0], [0, 1, 2]], dtype=np.int8)}
    numeric = np.array([[0.0], [1.0], [np.nan], [0.0]])
    categorical = np.array([[0], [1], [-1], [-2]], dtype=np.int32)
    probabilities = np.array([[0.9, 0.1, 0.0], [0.3, 0.4, 0.3], [0.0, 0.0, 1.0], [0.2, 0.4, 0.4]])
    codes = encode(TABLE, arrays, numeric, categorical, *outputs(probabilities, TABLE))
    np.testing.assert_array_equal(
        codes,
        [[0, 1, SKIP, 0], [1, 0, SKIP, SKIP], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 1, 0], [0, 1, 2, 1]],
    )


def test_images_become_three_numbers():
    flat = np.full((1, 4, 4, 1), 100, dtype=np.uint8)
    stripes = flat.copy()
    stripes[:, ::2] = 0
    rows = Rows(np.empty((2, 0)), np.empty((2, 0), np.int32), np.concatenate([flat, stripes]))
    np.testing.assert_allclose(numbers(rows, IMAGES), [[100, 0, 0], [50, 50, 100]])
    with pytest.raises(DataError, match="no images"):
        numbers(Rows(np.empty((2, 0)), np.empty((2, 0), np.int32)), IMAGES)


def test_outputs_refuses_the_wrong_shape():
    with pytest.raises(DataError, match="predictions"):
        outputs(np.zeros(3), TABLE)
    regression = Schema((Column("x", "numeric"),), Target("y", "regression"))
    with pytest.raises(DataError, match="predictions"):
        outputs(np.zeros((3, 2)), regression)
    number, top = outputs(np.array([1.0, 2.0]), regression)
    np.testing.assert_array_equal(number, [1, 2])
    np.testing.assert_array_equal(top, [0, 0])


def test_bins_fit_one_word():
    assert channels.BINS == 32
