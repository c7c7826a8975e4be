"""The linear model on words, from raw rows through both whole paths and from disk."""

import numpy as np
import pytest

from temperance.data.blocks import Blocks, fit_blocks
from temperance.deployment.base import model_graph
from temperance.deployment.basic import basic_part
from temperance.deployment.bundle import load
from temperance.deployment.parity import gate
from temperance.deployment.sketch import Sketch
from temperance.deployment.words import Words
from temperance.deployment.write import Exported, write_bundle
from temperance.models.basic import Wide
from temperance.records.schema import Column, Rows, Schema, Target

CLASSES = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": ()}
TOPICS = (("sun", "rain", "wind"), ("bank", "loan", "fund"), ("cat", "dog", "bird"))


class Fitted:
    def __init__(self, task, *, alone):
        random = np.random.default_rng(0)
        topic = random.integers(0, max(2, len(CLASSES[task])), 200)
        text = np.empty((200, 1), dtype=object)
        text[:, 0] = [" ".join([*random.choice(TOPICS[k], 2), *random.choice(["the", "of"], 3)]) for k in topic]
        text[::20] = None
        columns = (Column("msg", "text"),)
        numeric, codes = np.empty((200, 0)), np.empty((200, 0), np.int32)
        if not alone:
            columns = (Column("n", "numeric"), Column("c", "categorical", vocabulary=("x", "y")), *columns)
            numeric = np.where(random.random((200, 1)) < 0.1, np.nan, random.normal(size=(200, 1)))
            codes = random.integers(-1, 2, (200, 1)).astype(np.int32)
        self.schema = Schema(columns, Target("y", task, CLASSES[task]))
        self.rows = Rows(numeric, codes, text=text)
        target = topic + 0.1 * random.normal(size=200) if task == "regression" else topic
        blocks = Blocks(fit_blocks(self.rows, self.schema), self.schema)
        self.fitted = Wide(grid=(1e-4,)).fit(self.rows, target, schema=self.schema, valid=None, inputs=blocks)

    def predict(self, rows):
        return self.fitted.predict(rows)


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("task", CLASSES)
def test_both_paths_agree(task, alone):
    one = Fitted(task, alone=alone)
    part, sketch = basic_part(one.fitted, one.schema), Sketch(one.schema)
    assert isinstance(part, Words)
    graph = model_graph(part, sketch, one.schema.target).SerializeToString()
    exported = Exported(one.schema, graph, sketch.blocks)
    assert gate(one, exported, one.rows, one.schema, scale=1.0) < 1e-5


def test_the_bundle_holds_no_text_and_answers_alike(tmp_path):
    one = Fitted("binary", alone=False)
    part = basic_part(one.fitted, one.schema)
    write_bundle(tmp_path / "b", part=part, schema=one.schema, predictor=one, rows=one.rows)
    bundle = load(tmp_path / "b")
    np.testing.assert_allclose(bundle.predict(one.rows), one.predict(one.rows), atol=1e-5)
    assert [entry["name"] for entry in bundle.card["inputs"]] == ["numeric", "categorical", "text"]
    assert bundle.card["inputs"][2] == {"name": "text", "datatype": "BYTES", "shape": [-1, 1], "columns": ["msg"]}
    golden = set(np.load(tmp_path / "b" / "parity.npz")["text"].ravel())
    assert not golden & {text for text in one.rows.text.ravel() if text}  # the rows to replay are made up
