import numpy as np
import pytest

from temperance.monitoring import reference
from temperance.monitoring.reference import EDGES, build, edges_of
from temperance.records.errors import BundleError, DataError


def test_edges_keep_a_value_that_repeats_in_a_bin_of_its_own():
    edges = edges_of(np.array([0.0] * 80 + list(range(1, 21))))
    known = edges[~np.isnan(edges)]
    assert (np.diff(known) > 0).all()
    assert np.searchsorted(known, 0.0, side="right") != np.searchsorted(known, 0.5, side="right")
    assert np.searchsorted(known, 20.0, side="right") != np.searchsorted(known, 20.5, side="right")


def test_edges_of_constant_and_of_empty_columns():
    constant = edges_of(np.ones(50))
    known = constant[~np.isnan(constant)]
    assert {int(np.searchsorted(known, v, side="right")) for v in (0.0, 1.0, 2.0)} == {0, 1, 2}
    assert np.isnan(edges_of(np.full(50, np.nan))).all()
    assert len(edges_of(np.arange(1000.0))) == EDGES


def test_reference_holds_counts_of_the_other_half_and_the_portrait(world):
    arrays = world.reference
    assert arrays["counts"].shape == (len(arrays["channels"]), 32)
    assert arrays["counts"][0].sum() == 400
    np.testing.assert_allclose(arrays["shares"].sum(axis=1), 1)
    assert (np.diff(arrays["quantiles"], axis=1) >= 0).all()
    assert arrays["missing"].shape == (5,)
    assert arrays["sample"].shape == (800, 2)
    assert 0.1 < arrays["loss"][0] < 0.4


def test_save_and_load_without_pickle(world, tmp_path):
    path = tmp_path / "reference.npz"
    reference.save(path, world.reference)
    back = reference.load(path)
    assert sorted(back) == sorted(world.reference)
    for name, array in back.items():
        np.testing.assert_array_equal(array, world.reference[name])
    assert [p.name for p in tmp_path.iterdir()] == ["reference.npz"]


def test_damaged_foreign_and_newer_files_are_refused(world, tmp_path):
    path = tmp_path / "reference.npz"
    path.write_bytes(b"PK not a zip")
    with pytest.raises(BundleError, match="Export again"):
        reference.load(path)
    with pytest.raises(BundleError, match="lacks"):
        reference.check({"version": np.array(1)})
    with pytest.raises(BundleError, match="version 99"):
        reference.check(world.reference | {"version": np.array(99)})


def test_too_few_rows_and_unequal_lengths_are_refused(world):
    rows, predictions, target = world.draw(10, seed=1)
    with pytest.raises(DataError, match="at least 20"):
        build(rows, predictions, world.schema)
    rows, predictions, target = world.draw(50, seed=1)
    with pytest.raises(DataError, match="differ in length"):
        build(rows, predictions, world.schema, target=target[:-1])
