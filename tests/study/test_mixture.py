"""Weights: few, deterministic, near the prior where rows are few; softening follows the count of members."""

import numpy as np
import pytest

from temperance.study.mixture import Evidence, entropy, nested, softened, weigh


def classes(seed=0, rows=500, members=6):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, rows)
    logits = [(2 * labels - 1) * 1.2 + 1.5 * rng.normal(size=rows) for _ in range(members)]
    answers = [np.stack([1 / (1 + np.exp(z)), 1 / (1 + np.exp(-z))], 1) for z in logits]
    return labels, answers


def test_losses_are_those_of_the_mixture_by_hand():
    labels, answers = classes(rows=3, members=2)
    evidence = Evidence.of(answers, labels)
    mixed = 0.25 * answers[0] + 0.75 * answers[1]
    by_hand = -np.log(mixed[np.arange(3), labels])
    assert evidence.losses(np.array([0.25, 0.75])) == pytest.approx(by_hand)
    assert evidence.loss(np.array([0.25, 0.75])) == pytest.approx(by_hand.mean())
    assert evidence.alone[0] == pytest.approx(-np.log(answers[0][np.arange(3), labels]).mean())


def test_weights_of_rows_count():
    values = Evidence.of([np.array([1.0, 5.0])], np.array([0.0, 0.0]), weight=np.array([3.0, 1.0]))
    assert values.loss(np.ones(1)) == pytest.approx((3 * 1 + 25) / 4)


@pytest.mark.parametrize("most", [1, 2, 4])
def test_few_get_weight_and_the_mixture_beats_its_prior(most):
    labels, answers = classes()
    evidence, prior = Evidence.of(answers, labels), np.full(6, 1 / 6)
    shares = weigh(evidence, prior, most=most)
    assert (shares > 0).sum() <= most
    assert shares.sum() == pytest.approx(1.0)
    assert np.array_equal(shares, weigh(evidence, prior, most=most))
    if most == 4:
        assert evidence.loss(shares) < evidence.alone.min()


def test_few_rows_stay_near_the_prior():
    labels, answers = classes(rows=2000, members=2)
    worse = [answers[0], 0.5 * answers[1] + 0.25]
    prior = np.array([0.5, 0.5])
    many = weigh(Evidence.of(worse, labels), prior)
    few = weigh(Evidence.of([a[:12] for a in worse], labels[:12]), prior)
    assert abs(few[0] - 0.5) < abs(many[0] - 0.5)


def test_nested_weights_do_not_see_their_fold():
    labels, answers = classes(rows=90)
    folds = np.arange(90) % 3
    flipped = np.where(folds == 1, 1 - labels, labels)
    prior = lambda evidence: np.full(6, 1 / 6)  # noqa: E731
    one, other = (nested(Evidence.of(answers, y), prior, folds) for y in (labels, flipped))
    assert np.array_equal(one[1], other[1])
    assert not np.array_equal(one[0], other[0])


def test_softened_answers_are_as_sure_as_more_members_would_be():
    rng = np.random.default_rng(3)
    centre = 2.0 * rng.normal(size=4000)
    members = []
    for _ in range(20):
        z = centre + rng.normal(size=4000)
        members.append(np.stack([1 / (1 + np.exp(z)), 1 / (1 + np.exp(-z))], 1))
    few, many = np.mean(members[:4], 0), np.mean(members, 0)
    alone = float(np.mean([entropy(p) for p in members[:4]]))
    found = softened(few, alone, 4.0, copies=5)
    assert entropy(few) < entropy(found)
    assert entropy(found) == pytest.approx(entropy(many), rel=0.01)
    assert np.array_equal(found.argmax(1), few.argmax(1))
    assert softened(few, alone, 4.0, copies=1) is few
