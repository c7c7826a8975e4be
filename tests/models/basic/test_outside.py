"""Estimators that the user brings."""

from __future__ import annotations

import pickle
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from temperance.models.basic import CodeMatrix, LinearMatrix, Outside
from temperance.models.basic.matrices import FrameMatrix
from temperance.models.basic.outside import estimator
from temperance.records.errors import TaskError


def kept(one: object, folder: Path) -> str:
    path = folder / "one.pickle"
    path.write_bytes(pickle.dumps(one))
    return f"pickle:{path}"


def test_what_takes_gaps_gets_them_and_the_rest_gets_scaled_numbers(kit: SimpleNamespace, tmp_path: Path) -> None:
    rows, target, schema = kit.made("binary")
    for one, matrix in ((RandomForestClassifier(5), CodeMatrix), (GaussianNB(), LinearMatrix)):
        fitted = Outside(kept(one, tmp_path)).fit(rows, target, schema=schema, valid=None)
        assert isinstance(fitted.matrix, matrix)
        assert (fitted.predict(rows).argmax(axis=1) == target).mean() > 0.7


def test_a_column_transformer_gets_a_frame_with_names(kit: SimpleNamespace, tmp_path: Path) -> None:
    rows, target, schema = kit.made("binary")
    words = ColumnTransformer([("words", OrdinalEncoder(), ["c"]), ("numbers", StandardScaler(), ["x0"])])
    origin = kept(make_pipeline(words, RandomForestClassifier(10, random_state=0)), tmp_path)
    fitted = Outside(origin).fit(rows, target, schema=schema, valid=None, weight=np.ones(len(target)))
    assert isinstance(fitted.matrix, FrameMatrix)
    assert (fitted.predict(rows).argmax(axis=1) == target).mean() > 0.9


def test_a_name_may_be_an_estimator_its_class_or_a_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "brought.py").write_text(
        "from sklearn.linear_model import Ridge\nfrom sklearn.ensemble import ExtraTreesRegressor\n"
        "one = Ridge(alpha=3.0)\n"
        "def grown():\n    return ExtraTreesRegressor(7)\n"
        "def broken():\n    raise ValueError('no trees today')\n"
        "def number():\n    return 3\n"
    )
    monkeypatch.chdir(tmp_path)
    assert estimator("brought:one")[0].alpha == 3.0
    assert estimator("brought:Ridge")[0].alpha == 1.0
    grown, frames = estimator("brought:grown", seed=11)
    assert (grown.n_estimators, grown.random_state, frames) == (7, 11, False)
    for name, words in {"broken": "no trees today", "number": "fit and predict", "gone": "has no 'gone'"}.items():
        with pytest.raises(TaskError, match=words):
            estimator(f"brought:{name}")
    with pytest.raises(TaskError, match="module:name"):
        estimator("brought")
    with pytest.raises(TaskError, match="importing"):
        estimator("nowhere_at_all:x")
    with pytest.raises(TaskError, match="cannot be opened"):
        estimator(f"pickle:{tmp_path / 'none.pickle'}")


def test_probabilities_and_weights_are_asked_for(kit: SimpleNamespace, tmp_path: Path) -> None:
    rows, target, schema = kit.made("binary")
    with pytest.raises(TaskError, match="predict_proba"):
        Outside("sklearn.svm:LinearSVC").fit(rows, target, schema=schema, valid=None)
    with pytest.raises(TaskError, match="sample_weight"):
        Outside("sklearn.neighbors:KNeighborsClassifier").fit(
            rows, target, schema=schema, valid=None, weight=np.ones(len(target))
        )
    piped = kept(make_pipeline(StandardScaler(), LogisticRegression()), tmp_path)
    heavy = Outside(piped).fit(rows, target, schema=schema, valid=None, weight=1.0 + 9.0 * target)
    plain = Outside(piped).fit(rows, target, schema=schema, valid=None)
    assert heavy.predict(rows)[:, 1].mean() > plain.predict(rows)[:, 1].mean()
