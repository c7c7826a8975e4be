"""The classifier on arrays and frames."""

from __future__ import annotations

import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from temperance.estimators import TemperanceClassifier
from temperance.records.errors import DataError


def test_it_learns_and_gives_probabilities_in_the_order_of_its_classes(data: SimpleNamespace) -> None:
    model = TemperanceClassifier(epochs=8).fit(data.X, data.labels)
    chances = model.predict_proba(data.X)
    assert model.classes_.tolist() == ["down", "up"]
    assert np.allclose(chances.sum(axis=1), 1)
    assert np.array_equal(model.predict(data.X), model.classes_[chances.argmax(axis=1)])
    assert model.score(data.X, data.labels) > 0.85
    assert model.n_features_in_ == 3


def test_frames_with_words_are_taken_by_name(data: SimpleNamespace) -> None:
    model = TemperanceClassifier(epochs=8).fit(data.frame, data.positive)
    assert model.feature_names_in_.tolist() == ["a", "word", "b"]
    assert model.score(data.frame, data.positive) > 0.85
    assert model.classes_.tolist() == [False, True]
    odd = data.frame.with_columns(word=np.full(160, "never seen"))
    assert np.isfinite(model.predict_proba(odd)).all()
    with pytest.raises(ValueError, match="feature names"):
        model.predict(data.frame.rename({"a": "other"}))


def test_same_seed_same_model_and_pickling_changes_nothing(data: SimpleNamespace) -> None:
    one, two = (TemperanceClassifier(epochs=2, random_state=3).fit(data.X, data.labels) for _ in range(2))
    other = TemperanceClassifier(epochs=2, random_state=4).fit(data.X, data.labels)
    chances = one.predict_proba(data.X)
    assert chances.tobytes() == two.predict_proba(data.X).tobytes()
    assert chances.tobytes() == pickle.loads(pickle.dumps(one)).predict_proba(data.X).tobytes()
    assert chances.tobytes() != other.predict_proba(data.X).tobytes()


@pytest.mark.parametrize(
    "names", [np.array(["10", "9", "8"]), np.array([2.0, -1.0, 7.0]), np.array(["", "NA", "x"]), np.array([30, 4, 5])]
)
def test_labels_of_any_kind_come_back_as_they_were(data: SimpleNamespace, names: np.ndarray) -> None:
    code = np.digitize(data.X[:, 0], [-0.5, 0.5])
    model = TemperanceClassifier(epochs=15).fit(data.X, names[code])
    assert np.array_equal(model.classes_, np.unique(names))
    assert model.score(data.X, names[code]) > 0.7


def test_it_works_in_pipelines_and_cross_validation(data: SimpleNamespace) -> None:
    pipe = make_pipeline(StandardScaler(), TemperanceClassifier(epochs=4))
    assert cross_val_score(clone(pipe), data.X, data.labels, cv=2).mean() > 0.7


def test_one_class_is_refused(data: SimpleNamespace) -> None:
    with pytest.raises(DataError, match="one class"):
        TemperanceClassifier(epochs=1).fit(data.X, np.zeros(160))


def test_class_weights_lift_a_class(data: SimpleNamespace) -> None:
    plain = TemperanceClassifier(epochs=3).fit(data.X, data.labels)
    heavy = TemperanceClassifier(epochs=3, class_weight={"up": 1.0, "down": 20.0}).fit(data.X, data.labels)
    assert heavy.predict_proba(data.X)[:, 0].mean() > plain.predict_proba(data.X)[:, 0].mean() + 0.05
    with pytest.raises(ValueError):
        TemperanceClassifier(epochs=1, class_weight={"sideways": 2.0}).fit(data.X, data.labels)


def test_costs_decide_and_leave_probabilities_alone(data: SimpleNamespace) -> None:
    plain = TemperanceClassifier(epochs=3).fit(data.X, data.labels)
    careful = TemperanceClassifier(epochs=3, costs=[[0, 9], [1, 0]]).fit(data.X, data.labels)  # missing "down" is dear
    chances = careful.predict_proba(data.X)
    np.testing.assert_array_equal(chances, plain.predict_proba(data.X))
    expected = np.where(9 * chances[:, 0] >= chances[:, 1], "down", "up")
    np.testing.assert_array_equal(careful.predict(data.X), expected)
    assert (careful.predict(data.X) == "down").sum() > (plain.predict(data.X) == "down").sum()


@pytest.mark.parametrize("costs", [[[0, 1]], [[0, np.nan], [1, 0]], np.zeros((3, 3))])
def test_costs_that_do_not_fit_are_refused(data: SimpleNamespace, costs: object) -> None:
    with pytest.raises(ValueError, match="costs of shape"):
        TemperanceClassifier(epochs=1, costs=costs).fit(data.X, data.labels)
