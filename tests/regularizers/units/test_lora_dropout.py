"""LoRA dropout: only the adapter's input is thinned."""

import pytest
import torch
from torch import Tensor, nn

from temperance import Recipe
from temperance.core.random import pulse
from temperance.records.errors import RecipeError
from temperance.regularizers.units.lora_dropout import LoRADropout


class Adapted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.base = nn.Linear(200, 3)
        self.lora_A = nn.ModuleDict({"default": nn.Linear(200, 2, bias=False)})
        self.lora_B = nn.Linear(2, 3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + self.lora_B(self.lora_A["default"](x))


def test_the_adapter_alone_sees_dropped_inputs() -> None:
    model, seen = Adapted(), {}
    _attach(LoRADropout(0.4), model)
    model.base.register_forward_hook(lambda _, inputs, __: seen.__setitem__("base", inputs[0]))
    model.lora_A["default"].register_forward_hook(lambda _, inputs, __: seen.__setitem__("adapter", inputs[0]))
    x = torch.ones(100, 200)
    with pulse(3):
        model(x)
    assert torch.equal(seen["base"], x)
    assert float((seen["adapter"] == 0).float().mean()) == pytest.approx(0.4, abs=0.02)
    assert float(seen["adapter"].max()) == pytest.approx(1 / 0.6)
    model.eval()(x)
    assert torch.equal(seen["adapter"], x)


def test_no_adapter_is_an_error() -> None:
    with pytest.raises(RecipeError, match="lora_A"):
        _attach(LoRADropout(), nn.Sequential(nn.Linear(3, 2)))
    with pytest.raises(RecipeError, match="containers"):
        _attach(LoRADropout(at="lora_A"), Adapted())


def _attach(one: LoRADropout, model: nn.Module):
    return Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=nn.MSELoss())
