"""Concrete dropout: the rate is learned."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass
from temperance.core.kit.reach import reached
from temperance.core.kit.sites import change_input, named
from temperance.core.leaves import Leaves
from temperance.core.random import site_uniform
from temperance.core.regularizer import (
    Context,
    Effect,
    Memory,
    Objective,
    Rank,
    Regularizer,
    Strengths,
    Undo,
    techniques,
)
from temperance.core.rules import Rule
from temperance.core.traces import add_parameter, hold, together
from temperance.records.citation import Citation
from temperance.records.errors import RecipeError, SettingError

_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
_LOGIT = "temperance_logit"
_TEMPERATURE = 0.1


@techniques.add
@dataclass(frozen=True, repr=False)
class ConcreteDropout(Regularizer):
    """Drop inputs of layers at a rate that each layer learns while it trains.

        x' = x·(1 − z)/(1 − p),  z = σ((logit p + logit u)/t),  u ~ U(0, 1),  t = 0.1
        loss + Σ over layers of  wr·‖W‖²/(1 − p) + dr·d·(p ln p + (1 − p) ln(1 − p))

    ‖W‖² counts all parameters of the layer, d its inputs (channels of a convolution: whole channels are dropped). The
    first term wants few drops and small weights, the second (an entropy) pulls p towards 1/2. Both must shrink with
    the count N of training rows: wr = l²/N, dr = 2/N; give ``rows`` and they are set so. The logit of p is a parameter
    of the layer and joins the optimizer; ``learned(model)`` reads the rates before ``finish`` takes them out.

    Stage: layers and objective (penalty).  Cost: one soft mask per layer.  Strengths: wr in [1e-12, 0.1] and dr in
    [1e-7, 1], both neutral 0 and log; stronger = up. With dr = 0 nothing is dropped; dr is the one to move.
    Shapes: layer inputs (b, …, f) or (b, c, …) → same.
    Use when: there is no budget to search dropout rates; calibrated uncertainty matters.  Avoid when: N is unknown.

    Args:
        wr: weight of the weight term; None: from ``rows``, else the default.
        dr: weight of the entropy term; None: from ``rows``, else the default.
        rows: count N of training rows.
        length: prior length scale l.
        start: first rate p.
        at: shell pattern of linear or convolution layers; without it, all linear layers.

    Raises:
        SettingError: a setting outside its range.
        RecipeError: no layer found.

    Example:
        >>> ConcreteDropout(rows=1000).to_dict()
        {'name': 'ConcreteDropout', 'rows': 1000, 'length': 0.0001, 'start': 0.1}

    References: Gal, Hron and Kendall (2017), arXiv:1705.07832, section 3, eqs. 3 to 5.

    """

    wr: float | None = None
    dr: float | None = None
    rows: int | None = None
    length: float = 1e-4
    start: float = 0.1
    at: str | None = None

    strengths: ClassVar[dict[str, Strength]] = {
        "wr": Strength(1e-8, low=1e-12, high=0.1, neutral=0.0, scale="log", words="pull of weights towards zero"),
        "dr": Strength(1e-3, low=1e-7, high=1.0, neutral=0.0, scale="log", words="pull of the rates towards one half"),
    }
    takes_complex: ClassVar[bool] = False
    family: ClassVar[str] = "units"
    rank: ClassVar[Rank] = Rank.PENALTY
    draws: ClassVar[bool] = True
    effect: ClassVar[Effect] = {"wr": ("weight_size", "down"), "dr": ("final_weights", "down")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("noise on units",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("Dropout", "warn", "both drop units, and only one of the rates is learned", "Keep one of them"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation("gal2017", "Gal et al.", 2017, "Concrete dropout", "NeurIPS", "1705.07832", "section 3"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value, good, accepted in (
            ("rows", self.rows, self.rows is None or (isinstance(self.rows, int) and self.rows > 0), "1 or more"),
            ("length", self.length, 0 < self.length < math.inf, "above 0"),
            ("start", self.start, 0.001 <= self.start <= 0.9, "between 0.001 and 0.9"),
        ):
            if not good:
                raise SettingError(
                    f"ConcreteDropout got {name}={value!r}", f"{name} is {accepted}", "See its docstring"
                )

    def initial(self, context: Context) -> dict[str, float]:
        """Derive wr = l²/N and dr = 2/N where the rows are known."""
        derived = {"wr": self.strengths["wr"].default, "dr": self.strengths["dr"].default}
        if self.rows is not None:
            derived = {"wr": self.length**2 / self.rows, "dr": 2.0 / self.rows}
        given = {"wr": self.wr, "dr": self.dr}
        return {
            name: float(self.strengths[name].clip(derived[name])) if value is None else value
            for name, value in given.items()
        }

    def rewire(self, model: nn.Module, strengths: Strengths) -> Undo:
        """Give each layer a logit of its rate, and drop what goes in."""
        undos: list[Undo] = []
        for i, (_, layer) in enumerate(self._layers(model)):
            like = layer.weight  # a parametrized layer has it as a property
            value = math.log(self.start) - math.log1p(-self.start)
            logit = nn.Parameter(torch.full((), value, dtype=like.dtype, device=like.device))  # type: ignore[arg-type]
            undos.append(add_parameter(layer, _LOGIT, logit))
            undos.append(hold(layer, "_temperance_concrete_dropout_dr", strengths["dr"]))
            undos.append(change_input(layer, _Drop(f"{strengths.address}/{i}", strengths)))
        return together(undos)

    def _layers(self, model: nn.Module) -> list[tuple[str, nn.Module]]:
        pool = list(model.named_modules()) if self.at is None else named(model, self.at, "ConcreteDropout")
        kinds = (nn.Linear,) if self.at is None else _LAYERS
        found: list[tuple[str, nn.Module]] = [
            (name, m) for name, m in pool if isinstance(m, kinds) and not isinstance(m, NonDynamicallyQuantizableLinear)
        ]
        if not found:
            raise RecipeError(
                f"ConcreteDropout(at={self.at!r}) finds no layer in {type(model).__name__}",
                "it acts on linear layers, or on linear and convolution layers that match `at`",
                "Name some: ConcreteDropout(at='conv*')",
            )
        return found

    def plan(self, context: Context) -> tuple[_Layer, ...]:
        """Return the names that the penalty needs."""
        layers = []
        for name, m in context.model.named_modules():
            if _LOGIT in m._parameters:
                inputs = m.in_features if isinstance(m, nn.Linear) else m.in_channels
                own = tuple(n for n, p in m.named_parameters(name, recurse=False) if not n.endswith(_LOGIT))
                layers.append(_Layer(f"{name}.{_LOGIT}" if name else _LOGIT, own, int(inputs)))  # type: ignore[arg-type]
        return tuple(layers)

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Add the two terms of every layer."""
        address = strengths.address

        def learning(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            passed = inner(params, buffers, batch, key)
            if strengths.is_off("wr") and strengths.is_off("dr"):
                return passed
            layers = reached(memory, params, passed.loss, _names)
            if not layers:
                return passed
            rates = torch.sigmoid(torch.stack([params[layer.logit] for layer in layers]))
            sizes = torch.stack([_square(params, layer.parameters, rates) for layer in layers])
            inputs = rates.new_tensor([layer.inputs for layer in layers])
            terms = penalty(rates, sizes, strengths["wr"], strengths["dr"], inputs)
            loss = passed.loss + terms.sum().to(passed.loss.dtype)
            return passed._replace(loss=loss, notes={**passed.notes, f"{address}.p": rates.detach().mean()})

        return learning


class _Layer(NamedTuple):
    logit: str
    parameters: tuple[str, ...]
    inputs: int


def _names(layer: _Layer) -> tuple[str, ...]:
    return layer.logit, *layer.parameters


@dataclass(frozen=True)
class _Drop:
    site: str
    strengths: Strengths

    def __call__(self, owner: nn.Module, x: Tensor) -> Tensor:
        pull = self.strengths.number("dr")
        shape = x.shape if isinstance(owner, nn.Linear) else (*x.shape[:2], *[1] * (x.dim() - 2))
        dropped = x * soft_mask(owner.temperance_logit, site_uniform(self.site, x, shape)).to(x.dtype)  # type: ignore[arg-type]
        if not isinstance(pull, Tensor) and pull > 0:
            return dropped
        own: Tensor = owner._temperance_concrete_dropout_dr  # type: ignore[assignment]  # a rate without gradient still gets its 0
        return torch.where(own > 0, dropped, x)


def soft_mask(logit: Tensor, u: Tensor) -> Tensor:
    """Return (1 − z)/(1 − p), z = σ((logit p + logit u)/t), for uniform ``u``; differentiable in the logit.

    Shapes: logit (), u (b, …) → (b, …).
    """
    noise = torch.logit(u, 1e-7).mul_(-1 / _TEMPERATURE)
    return torch.sigmoid(noise - logit * (1 / _TEMPERATURE)) * (1 + torch.exp(logit))  # 1/(1 − p) = 1 + e^logit


def _square(params: Leaves, names: tuple[str, ...], like: Tensor) -> Tensor:
    """Return ‖W‖² of the trained parameters of a layer, ()."""
    parts = [(params[n] * params[n]).sum() for n in names if n in params.names]
    return torch.stack(parts).sum() if parts else like.new_zeros(())


def penalty(p: Tensor, size: Tensor, wr: Tensor | float, dr: Tensor | float, inputs: Tensor | int) -> Tensor:
    """Return wr·‖W‖²/(1 − p) + dr·d·(p ln p + (1 − p) ln(1 − p)) of each layer, from p, ‖W‖² and d, (l,)."""
    entropy = torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p)
    return wr * size / (1 - p) + dr * inputs * entropy


def learned(model: nn.Module) -> dict[str, float]:
    """Return the learned rate of each layer by name, while the recipe is attached."""
    return {
        name: float(torch.sigmoid(m.temperance_logit.detach()))  # type: ignore[operator, union-attr]
        for name, m in model.named_modules()
        if _LOGIT in m._parameters
    }
