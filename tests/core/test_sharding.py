"""What spreads a model over devices in a way that a session does not serve."""

import pytest
import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DataParallel

from temperance import Dropout, Recipe
from temperance.core.sharding import refuse_sharded
from temperance.records.errors import RecipeError


def attach(model):
    return Recipe(Dropout(0.1)).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.1), loss=nn.functional.cross_entropy
    )


def net():
    return nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))


@pytest.fixture
def one_process(tmp_path):
    distributed.init_process_group(
        "gloo", store=distributed.FileStore(str(tmp_path / "store"), 1), rank=0, world_size=1
    )
    yield
    distributed.destroy_process_group()


def test_fully_sharded_parameters_are_refused_by_name(one_process):
    model = net()
    fully_shard(model, mesh=init_device_mesh("cpu", (1,)))
    with pytest.raises(RecipeError, match=r"0\.weight is a DTensor.*FSDP2.*DistributedDataParallel"):
        attach(model)
    assert not hasattr(model, "_temperance_session")


def test_data_parallel_on_several_devices_is_refused_by_name():
    model = DataParallel(net())
    refuse_sharded(model)
    model.device_ids = [0, 1]
    with pytest.raises(RecipeError, match="DataParallel on 2 devices"):
        refuse_sharded(model)


def test_the_first_form_of_sharding_is_refused_by_name():
    class FullyShardedDataParallel(nn.Module):
        pass

    with pytest.raises(RecipeError, match="FullyShardedDataParallel"):
        refuse_sharded(nn.Sequential(FullyShardedDataParallel()))
