import sys

import numpy as np
import pytest

from temperance.deployment.opening.of_code import call, open_code, open_skops
from temperance.records.errors import DataError, MissingExtra, TaskError

CODE = """
import numpy as np
import polars as pl
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

def _read(name):
    frame = pl.read_csv(f"{FOLDER}/{name}.csv")
    return frame.drop("y"), frame["y"].to_numpy()

def numbers():
    x, y = _read("numbers")
    return LogisticRegression().fit(x.to_numpy(), y)

def frames():
    x, y = _read("mixed")
    prepare = make_column_transformer((OneHotEncoder(), ["c"]), remainder="passthrough")
    return make_pipeline(prepare, LogisticRegression()).fit(x, y)

def labels():
    x, y = _read("numbers")
    return RidgeClassifier().fit(x.to_numpy(), y)

def values():
    x, y = _read("values")
    return LinearRegression().fit(x.to_numpy(), y)

def other_classes():
    x, y = _read("numbers")
    return LogisticRegression().fit(x.to_numpy(), np.where(y == "yes", "maybe", "no"))

def unfitted():
    return LogisticRegression()

def fails():
    raise RuntimeError("no disk")

def exits():
    raise SystemExit(0)

def nothing():
    return 3

constant = numbers
"""


@pytest.fixture
def code(files, tmp_path, monkeypatch):
    name = f"user_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(f"FOLDER = {str(files)!r}\n{CODE}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield name
    sys.modules.pop(name, None)


def test_estimators_on_matrices_frames_and_values(code, tables, true_chance) -> None:
    subject = open_code(f"{code}:numbers", tables.numbers.schema)
    assert subject.kind == "sklearn"
    assert np.abs(subject.predict(tables.numbers.rows) - true_chance).mean() < 0.1
    framed = open_code(f"{code}:frames", tables.mixed.schema)
    assert framed.predict(tables.mixed.rows).shape == (200, 2)
    values = open_code(f"{code}:values", tables.values.schema)
    assert np.corrcoef(values.predict(tables.values.rows), tables.values.target)[0, 1] > 0.99


def test_answers_without_chances_are_said_to_be_so(code, tables) -> None:
    subject = open_code(f"{code}:labels", tables.numbers.schema)
    assert "no predict_proba" in subject.why_not("probabilities")
    found = subject.predict(tables.numbers.rows)
    assert set(np.unique(found)) == {0.0, 1.0}
    assert (found.argmax(axis=1) == tables.numbers.target).mean() > 0.7


@pytest.mark.parametrize(("name", "said"), [
    ("fails", "no disk"), ("nothing", "gave a int"), ("unfitted", "no classes_"), ("numbrs", "no 'numbrs'"),
    ("values", "no classes_"), ("exits", "failed with SystemExit"),
])  # fmt: skip
def test_what_cannot_be_used_is_named(code, tables, name, said) -> None:
    with pytest.raises(TaskError, match=said):
        open_code(f"{code}:{name}", tables.numbers.schema)


def test_other_classes_columns_and_tasks(code, tables) -> None:
    with pytest.raises(DataError, match="maybe"):
        open_code(f"{code}:other_classes", tables.numbers.schema)
    with pytest.raises(TaskError, match="is a classifier"):
        open_code(f"{code}:numbers", tables.values.schema)
    with pytest.raises(DataError, match="'c'"):
        open_code(f"{code}:frames", tables.numbers.schema).predict(tables.numbers.rows)
    with pytest.raises(TaskError, match="no_such_module_here"):
        call("no_such_module_here:f")


def test_a_predictor_is_taken_as_it_is(code, tables, tmp_path) -> None:
    class Constant:
        schema = tables.numbers.schema

        def predict(self, rows):
            return np.full((rows.size, 2), 0.5)

    sys.modules[code] = type(sys)(code)
    sys.modules[code].made = Constant()
    assert open_code(f"{code}:made", tables.numbers.schema).predict(tables.numbers.rows).shape == (200, 2)


def test_skops_is_asked_for_where_it_is_absent(tmp_path, tables) -> None:
    pytest.importorskip("sklearn")
    try:
        import skops  # noqa: F401  # an extra
    except ImportError:
        with pytest.raises(MissingExtra, match="skops"):
            open_skops(str(tmp_path / "m.skops"), tables.numbers.schema)
        return
    from sklearn.linear_model import LogisticRegression
    from skops import io

    model = LogisticRegression().fit(tables.numbers.rows.numeric, np.array(["no", "yes"])[tables.numbers.target])
    io.dump(model, tmp_path / "good.skops")
    subject = open_skops(str(tmp_path / "good.skops"), tables.numbers.schema)
    assert subject.predict(tables.numbers.rows) == pytest.approx(model.predict_proba(tables.numbers.rows.numeric))
    (tmp_path / "m.skops").write_bytes(b"no archive")
    with pytest.raises(TaskError, match="cannot be opened"):
        open_skops(str(tmp_path / "m.skops"), tables.numbers.schema)
