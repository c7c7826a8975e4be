import torch
from torch import nn

from temperance.core.policy import matrices, reason_kept, trainable
from temperance.testing.problems import PROBLEMS


def test_reasons():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.bag = nn.Linear(2, 3), nn.EmbeddingBag(4, 2)
            self.norm, self.scale = nn.BatchNorm1d(3), nn.Parameter(torch.ones(3))
            self.out = nn.Linear(3, 3)
            self.out.no_decay = True
            self.frozen = nn.Linear(2, 2).requires_grad_(False)

    reasons = reason_kept(Net())
    assert reasons == {
        "scale": "fewer than two axes", "a.weight": "", "a.bias": "bias", "bag.weight": "embedding",
        "norm.weight": "normalization", "norm.bias": "normalization",
        "out.weight": "its module opted out", "out.bias": "its module opted out",
    }  # fmt: skip
    assert matrices(Net()) == ("a.weight",)


def test_tied_weights_appear_once():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    assert list(trainable(model)) == ["0.weight", "0.bias", "1.bias"]


def test_recurrent_weights_are_matrices():
    assert "gru.weight_hh_l0" in matrices(PROBLEMS["rnn"].model())
    assert reason_kept(PROBLEMS["rnn"].model())["gru.bias_hh_l0"] == "bias"
