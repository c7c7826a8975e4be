"""Where an adapter of PEFT switched off is the model as it stands."""

import pytest
import torch
from torch import nn

from temperance.core.kit.adapters import off_is_now


class Low(nn.Module):
    """A linear layer with a low-rank adapter, as PEFT names its parts."""

    adapter_layer_names = ("lora_A", "lora_B")

    def __init__(self):
        super().__init__()
        self.base_layer = nn.Linear(3, 3).requires_grad_(False)
        self.lora_A = nn.ModuleDict({"default": nn.Linear(3, 2, bias=False)})
        self.lora_B = nn.ModuleDict({"default": nn.Linear(2, 3, bias=False)})
        nn.init.zeros_(self.lora_B["default"].weight)


class Saved(nn.Module):
    def __init__(self):
        super().__init__()
        self.original_module = nn.Linear(3, 2).requires_grad_(False)
        self.modules_to_save = nn.ModuleDict({"default": nn.Linear(3, 2)})
        self.modules_to_save["default"].load_state_dict(self.original_module.state_dict())


class Adapted(nn.Module):
    def __init__(self):
        super().__init__()
        self.low, self.saved, self.other = Low(), Saved(), nn.Linear(3, 3).requires_grad_(False)

    def disable_adapter(self):
        raise AssertionError("nobody may switch it to find out")


def test_a_silent_adapter_and_copies_that_equal_the_original():
    assert off_is_now(Adapted())
    assert not off_is_now(nn.Linear(3, 2))


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.low.lora_B["default"].weight.data.add_(0.1),  # it was trained before, or began from the weights
        lambda m: m.saved.modules_to_save["default"].bias.data.add_(0.1),
        lambda m: m.low.base_layer.bias.requires_grad_(),
        lambda m: m.other.weight.requires_grad_(),
    ],
    ids=["a factor that is not 0", "a copy that moved", "a bias of the base", "a layer elsewhere"],
)
def test_anything_else_is_not(change):
    model = Adapted()
    change(model)
    assert not off_is_now(model)


def test_another_kind_of_adapter_is_not():
    model = Adapted()
    del model.low.lora_B
    model.low.lora_B = nn.ModuleDict()
    assert not off_is_now(model)
    torch.testing.assert_close(model.low.base_layer(torch.zeros(1, 3)), model.low.base_layer.bias[None])
