"""The class matrix, epoch by epoch."""

import pytest
import torch

from temperance import LabelSmoothing, Mixed, MixUp, OnlineLabelSmoothing, Recipe
from temperance.records.errors import RecipeError, SettingError
from temperance.testing.said import LABELS, LOGITS, MEMBERS, attach, value


def test_the_first_epoch_is_smoothing_by_eps_over_the_other_classes():
    """ε on the other classes is label smoothing by ε·c/(c − 1)."""
    one = value(OnlineLabelSmoothing(1.0, eps=0.1, every=100), LOGITS, LABELS)
    torch.testing.assert_close(one, value(LabelSmoothing(0.1 * 4 / 3), LOGITS, LABELS))


def test_after_an_epoch_rows_are_the_mean_of_right_answers_and_sum_to_1():
    session = attach(OnlineLabelSmoothing(0.5, eps=0.1, every=2))
    labels = LOGITS.argmax(1)
    labels[labels == 3] = 0  # class 3 is never right
    for part in (slice(0, 5), slice(5, 10)):
        session.step((LOGITS[part], labels[part]))
    matrix = session._memory["online_label_smoothing"]["matrix"]
    torch.testing.assert_close(matrix.sum(1), torch.ones(4, dtype=torch.float64))
    right = LOGITS.argmax(1) == labels
    for c in range(3):
        rows = torch.softmax(LOGITS, -1)[right & (labels == c)]
        torch.testing.assert_close(matrix[c], rows.mean(0))
    torch.testing.assert_close(matrix[3], torch.tensor([0.1 / 3, 0.1 / 3, 0.1 / 3, 0.9], dtype=torch.float64))
    assert float(session._memory["online_label_smoothing"]["counts"].sum()) == 0


def test_micro_batches_teach_as_one_batch():
    labels = LOGITS.argmax(1)
    whole, parts = attach(OnlineLabelSmoothing(every=1)), attach(OnlineLabelSmoothing(every=1))
    whole.step((LOGITS, labels))
    parts.step([(LOGITS[:4], labels[:4]), (LOGITS[4:], labels[4:])])
    one, two = (s._memory["online_label_smoothing"]["matrix"] for s in (whole, parts))
    torch.testing.assert_close(one, two)


def test_unknown_epochs_mixing_and_settings_are_refused():
    with pytest.raises(RecipeError, match="steps_per_epoch"):
        attach(OnlineLabelSmoothing())
    with pytest.raises(RecipeError, match="whole examples"):
        Recipe(OnlineLabelSmoothing(), MixUp())
    with pytest.raises(RecipeError, match="mixed batch"):
        value(OnlineLabelSmoothing(every=5), LOGITS, Mixed(LABELS, LABELS, torch.tensor(0.5)))
    with pytest.raises(SettingError, match="eps"):
        OnlineLabelSmoothing(eps=0.9)


def test_members_are_averaged():
    single = [value(OnlineLabelSmoothing(every=9), MEMBERS[:, k], LABELS) for k in range(3)]
    torch.testing.assert_close(value(OnlineLabelSmoothing(every=9), MEMBERS, LABELS), torch.stack(single).mean())


def test_a_regression_is_refused_by_name():
    with pytest.raises(RecipeError, match="OnlineLabelSmoothing"):
        value(OnlineLabelSmoothing(every=9), LOGITS[:, :1], torch.zeros(10), loss=lambda z, y: z.squeeze(1) - y)


def test_labels_of_another_size_than_the_outputs_are_refused():
    """A segmentation net answers on a coarser grid than its labels, which its own loss makes alike."""

    def coarse(out, y):
        wide = torch.nn.functional.interpolate(out, y.shape[1:])
        return torch.nn.functional.cross_entropy(wide, y, reduction="none")

    session = attach(OnlineLabelSmoothing(0.5, every=2, axis=1), loss=coarse)
    logits, labels = torch.randn(2, 3, 4, 4, dtype=torch.float64), torch.zeros(2, 8, 8, dtype=torch.int64)
    with pytest.raises(RecipeError, match=r"labels have shape \(2, 8, 8\) .*one label for each place"):
        session.step((logits, labels))
