"""Ways to spread a model over devices that a session does not serve: refused by name when a recipe is attached."""

from __future__ import annotations

import sys

from torch import nn
from torch.nn.parallel import DataParallel

from temperance.records.errors import RecipeError

_INSTEAD = "Use torch.nn.parallel.DistributedDataParallel, one process per device"


def refuse_sharded(model: nn.Module) -> None:
    """Raise where the parameters are cut up over processes, or passes run in threads of their own.

    Techniques read whole weights, gradients and norms; a shard of them would give other numbers on each process without
    a word. Threads of ``DataParallel`` have no step and so no key of their noise.

    Args:
        model: as the user gives it, with whatever stands around it.

    Raises:
        RecipeError: FSDP (either form), other DTensor parameters, or DataParallel on several devices.

    """
    for name, p in model.named_parameters():
        if _is_distributed(p):
            raise RecipeError(
                f"the parameter {name} is a DTensor: FSDP2 (fully_shard) or tensor parallelism holds a shard of it",
                "a recipe works on whole parameters",
                _INSTEAD,
            )
    for module in model.modules():
        if type(module).__name__ == "FullyShardedDataParallel":
            raise RecipeError(
                "the model is wrapped in FullyShardedDataParallel", "a recipe works on whole parameters", _INSTEAD
            )
        if isinstance(module, DataParallel) and len(getattr(module, "device_ids", ())) > 1:
            raise RecipeError(
                f"the model is wrapped in DataParallel on {len(module.device_ids)} devices",
                "its passes run in threads, which have no key for their noise",
                _INSTEAD,
            )


def _is_distributed(parameter: object) -> bool:
    """Return whether a parameter is a DTensor, without loading what defines it."""
    loaded = sys.modules.get("torch.distributed.tensor")
    kind = getattr(loaded, "DTensor", None)
    return kind is not None and (isinstance(parameter, kind) or isinstance(getattr(parameter, "data", None), kind))
