import torch
from torch import nn

from temperance.core.averaging import refresh_statistics
from temperance.core.batch import Batch


def test_statistics_are_plain_means_over_the_batches_and_dropout_stays_silent():
    model = nn.Sequential(nn.Dropout(0.9), nn.BatchNorm1d(2, momentum=0.3))
    model.train()
    batches = [Batch(torch.randn(50, 2) * 3 + 1, None) for _ in range(4)]
    model(torch.randn(50, 2) + 100)
    refresh_statistics(model, [model[1]], batches)
    mean = torch.stack([b.inputs.mean(0) for b in batches]).mean(0)
    var = torch.stack([b.inputs.var(0) for b in batches]).mean(0)
    torch.testing.assert_close(model[1].running_mean, mean)
    torch.testing.assert_close(model[1].running_var, var)
    assert model[1].momentum == 0.3
    assert model.training
    assert model[0].training
    assert int(model[1].num_batches_tracked) == 4
