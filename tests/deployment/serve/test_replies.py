from types import SimpleNamespace

import numpy as np

from temperance.deployment.serve.replies import Replies


def bundle(classes=(), width=None):
    return SimpleNamespace(
        classes=classes, has_interval=width is not None, bounds=lambda v: (v - width, v + width),
        answers=lambda p: p.argmax(axis=1),
    )  # fmt: skip


def test_classes_with_their_shares():
    replies = Replies(bundle(("a", "b", "c")))
    rows = replies.rows(np.array([[0.2, 0.5, 0.3], [1.0, 0.0, 0.0]]))
    assert rows[0] == {"prediction": "b", "probabilities": {"a": 0.2, "b": 0.5, "c": 0.3}}
    assert rows[1]["prediction"] == "a"
    assert replies.bounds(np.zeros((1, 3))) == {}


def test_values_with_and_without_an_interval():
    assert Replies(bundle()).rows(np.array([1.5])) == [{"prediction": 1.5}]
    replies = Replies(bundle(width=0.5))
    assert replies.rows(np.array([1.5])) == [{"prediction": 1.5, "low": 1.0, "high": 2.0}]
    assert replies.bounds(np.array([1.5]))["high"].tolist() == [2.0]


def test_the_bundle_decides_and_the_shares_stay():
    one = bundle(("a", "b"))
    one.answers = lambda p: (p[:, 1] > 0.1).astype(int)
    rows = Replies(one).rows(np.array([[0.8, 0.2], [0.95, 0.05]]))
    assert [row["prediction"] for row in rows] == ["b", "a"]
    assert rows[0]["probabilities"] == {"a": 0.8, "b": 0.2}
