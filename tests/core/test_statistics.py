"""Second passes leave running statistics alone, and layers are as before afterwards."""

import torch
from torch import nn

from temperance.core.statistics import tracking, unchanged


def test_statistics_stay_and_outputs_are_those_of_training() -> None:
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 3), nn.InstanceNorm1d(3, track_running_stats=True))
    layers = tracking(model)
    assert layers == (model[0], model[2])
    x = torch.randn(6, 3)
    with torch.no_grad():
        expected = nn.BatchNorm1d(3)(x)
        with unchanged(layers):
            out = model[0](x)
            model[2](torch.randn(2, 3, 4))
    assert torch.equal(out, expected)
    assert int(model[0].num_batches_tracked) == 0
    assert torch.equal(model[0].running_mean, torch.zeros(3))
    assert torch.equal(model[2].running_mean, torch.zeros(3))
    assert [(m.track_running_stats, m.momentum) for m in layers] == [(True, 0.1)] * 2


def test_a_layer_in_evaluation_mode_goes_on_using_its_statistics() -> None:
    layer = nn.InstanceNorm1d(3, track_running_stats=True).eval()
    layer.running_mean.fill_(2.0)
    x = torch.randn(2, 3, 4)
    expected = layer(x)
    with unchanged((layer,)):
        assert torch.equal(layer(x), expected)
