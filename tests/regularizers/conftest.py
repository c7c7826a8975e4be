"""One thread: on a shared machine two are slower than one. The fast run takes one or two kinds of model."""

import pytest
import torch

torch.set_num_threads(1)
ON_PICTURES = ("neutral", "undo")  # checks that the fast run makes on the convnet as well
# Of ``compiled``, which takes half a second, the fast run makes one per way to act on a model.
COMPILED = ("ConcreteDropout", "DropConnect", "Dropout", "InputGradientPenalty", "ManifoldMixUp", "MixUp", "RDrop",
            "SAM", "SpectralNorm", "WeightDecay")  # fmt: skip


def pytest_collection_modifyitems(items):
    """Mark as slow what repeats a check on further models, and the meeting of every pair."""
    for item in items:
        if "regularizers/test_conformance" not in item.nodeid or not hasattr(item, "callspec"):
            continue
        check, problem = item.originalname.removeprefix("test_"), item.callspec.params.get("problem", "mlp")
        is_fast = problem == "mlp" or (problem == "convnet" and check in ON_PICTURES)
        if check == "compiled":
            is_fast = problem == "mlp" and type(item.callspec.params["regularizer"]).__name__ in COMPILED
        if not is_fast or check == "cocktail":
            item.add_marker(pytest.mark.slow)
