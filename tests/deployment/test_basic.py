"""The basic models, each through both whole paths: from raw rows by scikit-learn and by the bundle."""

from dataclasses import replace

import numpy as np
import pytest

from temperance.deployment.base import model_graph
from temperance.deployment.basic import KINDS, basic_part
from temperance.deployment.parity import gate
from temperance.deployment.sketch import Sketch
from temperance.deployment.write import Exported
from temperance.models.basic import BASIC
from temperance.records.errors import BundleError

TASKS = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": ()}


def needs_package(name):
    if BASIC[name].needs:
        pytest.importorskip(BASIC[name].needs)


def exported(part, schema):
    graph = model_graph(part, Sketch(schema), schema.target)
    return Exported(schema, graph.SerializeToString())


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", KINDS)
def test_both_paths_agree_to_the_last_digits(name, task, kit):
    needs_package(name)
    schema = kit.schema_of(task, TASKS[task])
    fitted = kit.Fitted(name, schema)
    scale = 1000.0 if task == "regression" else 0.0
    assert gate(fitted, exported(basic_part(fitted.fitted, schema), schema), fitted.rows, schema, scale=scale) < 1e-12


@pytest.mark.parametrize("name", KINDS[1:])
def test_a_class_that_training_never_saw_keeps_its_place(name, kit):
    schema = kit.schema_of("multiclass", ("a", "b", "c"))
    needs_package(name)
    fitted = kit.Fitted(name, schema)
    kept = fitted.target != 1
    rows, target = fitted.rows.take(kept), fitted.target[kept]
    fitted.fitted = BASIC[name]().fit(rows, target, schema=schema, valid=(rows, target))
    graph = exported(basic_part(fitted.fitted, schema), schema)
    assert gate(fitted, graph, fitted.rows, schema, scale=0.0) < 1e-12
    assert graph.predict(fitted.rows)[:, 1].max() <= 2 * fitted.fitted.floor


@pytest.mark.parametrize("task", TASKS)
def test_estimators_from_outside_with_a_rule_are_exported_and_the_others_refused(task, kit):
    schema = kit.schema_of(task, TASKS[task])
    fitted = kit.Fitted("linear", schema)
    kinds = ("ensemble:RandomForestRegressor", "linear_model:Ridge", "linear_model:Lasso")
    if task != "regression":
        kinds = ("ensemble:RandomForestClassifier", "linear_model:LogisticRegression")
    for kind in kinds:
        fitted.fitted = BASIC["Outside"](f"sklearn.{kind}").fit(fitted.rows, fitted.target, schema=schema, valid=None)
        graph = exported(basic_part(fitted.fitted, schema), schema)
        assert gate(fitted, graph, fitted.rows, schema, scale=1000.0 if task == "regression" else 0.0) < 1e-12
    other = "sklearn.neighbors:KNeighbors" + ("Regressor" if task == "regression" else "Classifier")
    near = BASIC["Outside"](other).fit(fitted.rows, fitted.target, schema=schema, valid=None)
    with pytest.raises(BundleError, match="KNeighbors"):
        basic_part(near, schema)


@pytest.mark.parametrize("name", KINDS)
def test_counts_agree_on_both_paths_and_are_never_below_0(name, kit):
    needs_package(name)
    schema = kit.schema_of("regression", ())
    schema = replace(schema, target=replace(schema.target, counts=True))
    fitted = kit.Fitted(name, schema)
    rows, target = fitted.rows, np.random.default_rng(0).poisson(np.exp(1 + np.nan_to_num(fitted.rows.numeric[:, 0])))
    fitted.fitted = BASIC[name]().fit(rows, target.astype(float), schema=schema, valid=(rows, target.astype(float)))
    graph = exported(basic_part(fitted.fitted, schema), schema)
    assert gate(fitted, graph, rows, schema, scale=float(target.std())) < 1e-10
    told = graph.predict(rows)
    assert told.min() >= 0
    assert told.mean() == pytest.approx(target.mean(), rel=0.1)
