from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from temperance.models import ARCHITECTURES, ModelInfo, architecture, build, default_name
from temperance.records.errors import SettingError

TABLE = ModelInfo(5, (2, 4, 30), 3, "multiclass", train_rows=500)
IMAGES = ModelInfo(0, (), 10, "multiclass", image_shape=(8, 8, 1))


NETS = [("tabular", TABLE), ("plain", TABLE), ("resnet", IMAGES), ("convnet", IMAGES)]


def inputs(info: ModelInfo, rows: int = 6) -> tuple[torch.Tensor, ...]:
    key = torch.Generator().manual_seed(0)
    if info.image_shape:
        height, width, channels = info.image_shape
        return (torch.randn(rows, channels, height, width, generator=key),)
    codes = [torch.randint(0, c, (rows,), generator=key) for c in info.cardinalities]
    return torch.randn(rows, info.numeric, generator=key), torch.stack(codes, 1)


@pytest.mark.parametrize(("name", "info"), NETS)
def test_the_seed_fixes_the_weights_and_the_global_generator_is_untouched(name: str, info: ModelInfo) -> None:
    before = torch.get_rng_state()
    first, again, other = build(name, info, 1), build(name, info, 1), build(name, info, 2)
    assert torch.equal(torch.get_rng_state(), before)
    given = inputs(info)
    assert torch.equal(first(*given), again(*given))
    assert not torch.equal(first(*given), other(*given))


@pytest.mark.parametrize(("name", "info"), NETS)
def test_a_row_does_not_depend_on_its_neighbours_and_every_parameter_learns(name: str, info: ModelInfo) -> None:
    net = build(name, info, 3).eval()
    given = inputs(info)
    whole = net(*given)
    part = net(*(x[:2] for x in given))
    torch.testing.assert_close(whole[:2], part, rtol=1e-4, atol=1e-5)
    whole.square().sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    assert whole.shape[0] == 6
    assert whole.shape[-1] == info.outputs


@pytest.mark.parametrize(("name", "info"), NETS)
def test_members_of_a_population_equal_single_nets(name: str, info: ModelInfo) -> None:
    nets = [build(name, info, seed).double() for seed in range(3)]
    given = tuple(x.double() if x.is_floating_point() else x for x in inputs(info))
    parameters, buffers = torch.func.stack_module_state(nets)  # type: ignore[arg-type]
    stacked = torch.func.vmap(lambda p, b: torch.func.functional_call(nets[0], (p, b), given))(parameters, buffers)
    torch.testing.assert_close(stacked[2], nets[2](*given), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("name", "info"), NETS)
def test_the_graph_exports_with_a_free_batch(name: str, info: ModelInfo) -> None:
    net, given = build(name, info, 0).eval(), inputs(info)
    batch = torch.export.Dim("b")
    program = torch.export.export(net, given, dynamic_shapes=tuple({0: batch} for _ in given))
    other = tuple(torch.cat([x, x[:1]]) for x in given)
    torch.testing.assert_close(program.module()(*other), net(*other))


def test_default_names_and_settings() -> None:
    assert default_name(TABLE) == "Tabular"
    assert default_name(IMAGES) == "ConvNet"
    assert architecture("Tabular", TABLE, members=4).members == 4  # type: ignore[attr-defined]
    assert build("tabular", TABLE, members=4)(*inputs(TABLE)).shape == (6, 4, 3)
    with pytest.raises(SettingError, match=r"no setting 'membres'.*Did you mean 'members'"):
        architecture("tabular", TABLE, membres=3)
    with pytest.raises(SettingError, match="Use members=4"):
        architecture("tabular", TABLE, members=3)
    with pytest.raises(SettingError, match="there is no net 'tabluar'"):
        build("tabluar", TABLE)


def test_the_registry_is_full_as_soon_as_it_is_seen() -> None:
    code = "from temperance.models import ARCHITECTURES; print(*ARCHITECTURES)"
    seen = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert seen == ["ConvNet", "Plain", "ResNet", "Tabular"] == list(ARCHITECTURES)


def test_importing_the_room_loads_no_torch() -> None:
    code = "import sys, temperance.models; sys.exit('torch' in sys.modules or 'sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
