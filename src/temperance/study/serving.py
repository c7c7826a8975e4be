"""What a fitted model costs where it is used: its ONNX graph, drawn and timed. Once per architecture for nets."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from temperance.deployment import Encoding, Network, Sketch, basic_part, model_graph
from temperance.deployment.write import Exported
from temperance.records.cost import TrialCost
from temperance.records.errors import BundleError
from temperance.records.schema import Rows
from temperance.study.runner import Fitted, Runner
from temperance.training.predictor import NetPredictor
from temperance.training.price import latency_ms

_KNOWN: dict[str, tuple[float, float, int]] = {}


def part_of(runner: Runner, fitted: Fitted) -> Any:
    """Return the fitted model as a part of a bundle."""
    if fitted.spec.kind == "basic":
        return basic_part(fitted.predictor.fitted, runner.schema)
    one: NetPredictor = fitted.predictor
    inputs: tuple[str, ...] = ("image",) if runner.schema.kind == "images" else ("numeric", "categorical")
    if not one.own_inputs and runner.schema.kind == "table" and not runner.schema.categorical:
        inputs = ("numeric",)
    return Network(
        copy.deepcopy(one.model).cpu(), Encoding.of(one.preprocess, runner.schema), inputs,
        centre=one.preprocess.target_mean, scale=one.preprocess.target_sd,
        log=runner.schema.target.counts,
    )  # fmt: skip


def served_cost(runner: Runner, fitted: Fitted, rows: Rows) -> TrialCost:
    """Return the trial's cost with latency and size of the graph that would be served."""
    parts = getattr(getattr(fitted.predictor, "model", None), "view_of", None)  # a mixture has views of its own
    key = f"{runner.folder} {fitted.spec.model} {fitted.spec.architecture} {parts}"
    if not fitted.spec.is_net or key not in _KNOWN:
        try:
            part = part_of(runner, fitted)
        except BundleError as fault:  # a candidate from outside: priced as it is
            fitted.cannot_export = str(fault)
            one, many = (latency_ms(fitted.predictor, rows, count, seconds=0.1) for count in (1, 256))
            return _with(fitted.cost, (one, many, int(fitted.cost.bytes or 0)))
        sketch = Sketch(runner.schema)
        graph = model_graph(part, sketch, runner.schema.target).SerializeToString()
        exported = Exported(runner.schema, graph, sketch.blocks)
        measured = (
            latency_ms(exported, rows, 1, seconds=0.1),
            latency_ms(exported, rows, 256, seconds=0.1),
            exported.size,
        )
        if not fitted.spec.is_net:
            return _with(fitted.cost, measured)
        _KNOWN[key] = measured
    return _with(fitted.cost, _KNOWN[key])


def _with(cost: TrialCost, measured: tuple[float, float, int]) -> TrialCost:
    return replace(cost, latency_1_ms=measured[0], latency_256_ms=measured[1], bytes=measured[2])
