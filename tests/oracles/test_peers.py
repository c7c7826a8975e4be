"""Attacks, groups, ranges and label errors against other packages on the same tensors: ``make test-peers``.

The packages are oracles of tests and never imported by the product. Versions that these figures were compared with:
foolbox 3.3, fairlearn 0.15, uncertainty-toolbox 0.1, cleanlab 2.9, pyautoattack 0.2. Where a convention differs, the
test says which and compares what is the same.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from temperance.audit.confident import confident_joint, doubt, prune_by_noise_rate
from temperance.evaluation.adversarial.autoattack import standard
from temperance.evaluation.adversarial.ball import L2, Linf
from temperance.evaluation.adversarial.gradient import fixed_steps
from temperance.evaluation.adversarial.losses import cross_entropy
from temperance.evaluation.adversarial.tiers import attack
from temperance.evaluation.adversarial.victim import Victim
from temperance.evaluation.base import outcome
from temperance.evaluation.metrics.registry import metric
from temperance.evaluation.ranges import ranged
from temperance.evaluation.slicing import slices
from temperance.records.distributions import normal_quantile
from temperance.records.schema import Column, Rows, Schema, Target
from temperance.records.table import Table

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]
EPS = 0.1


@pytest.fixture(scope="module")
def net():
    """A small net on the digits, in float64 so that no step hangs on rounding; pictures of 8 × 8 between 0 and 1."""
    from sklearn.datasets import load_digits

    pictures, answers = load_digits(return_X_y=True)
    x = torch.tensor(pictures / 16.0).reshape(-1, 1, 8, 8)
    y = torch.tensor(answers)
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3, padding=1), torch.nn.Softplus(), torch.nn.Flatten(), torch.nn.Linear(512, 10)
    ).double()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        functional.cross_entropy(model(x[:1000]), y[:1000]).backward()
        optimizer.step()
    return model.eval().requires_grad_(False), x[1000:1200], y[1000:1200]


@pytest.mark.parametrize("ball", [Linf(EPS), L2(0.8)], ids=["Linf", "L2"])
@pytest.mark.parametrize(("steps", "stride"), [(1, 1.0), (20, 0.1)], ids=["one step", "twenty"])
def test_foolbox(net, ball, steps, stride) -> None:
    """Ours keeps the first wrong point that it meets, foolbox the last point: so rows broken there are broken here too,
    and where ours broke none the points are the same."""
    foolbox = pytest.importorskip("foolbox")
    model, x, y = net
    peer = getattr(foolbox.attacks, f"{ball.name}ProjectedGradientDescentAttack")(
        rel_stepsize=stride, steps=steps, random_start=False
    )
    _, theirs, broken = peer(foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu"), x, y, epsilons=ball.eps)
    ours = fixed_steps(Victim(model, 0.0, 1.0), x, y, ball, cross_entropy, steps=steps, stride=stride, start=x.clone())
    assert 20 < int(broken.sum()) < 180
    assert not (broken & ~ours.broken).any()
    assert int(ours.broken.sum() - broken.sum()) <= 2
    kept = ~ours.broken
    assert kept.sum() > 20
    assert torch.allclose(ours.points[kept], theirs[kept], atol=1e-9)
    if steps == 1:
        right = model(x).argmax(1) == y
        assert torch.allclose(ours.points[right], theirs[right], atol=1e-9)


def test_pyautoattack_at_publish(net) -> None:
    pytest.importorskip("pyautoattack")
    model, x, y = (one[:60] if isinstance(one, torch.Tensor) else one for one in net)
    model = model.float()
    victim, x = Victim(model, 0.0, 1.0), x.float()
    points = standard(victim, x, y, Linf(EPS))
    assert points.shape == x.shape
    assert float((points - x).abs().max()) <= EPS + 1e-6
    assert 0 <= float(points.min()) <= float(points.max()) <= 1
    theirs = victim.wrong(points, y)
    ours = ~attack(victim, x, y, Linf(EPS), tier="standard", seed=0).survived
    assert theirs.any()
    assert int((theirs & ~ours).sum()) <= 1


@pytest.fixture(scope="module")
def parts():
    """900 rows of three groups, with classes and values, and their predictions."""
    random = np.random.default_rng(1)
    code = random.choice(3, 900, p=[0.6, 0.3, 0.1]).astype(np.int32)
    truth = random.integers(3, size=900)
    z = 1.2 * np.eye(3)[truth] + random.normal(size=(900, 3)) * np.array([1.0, 1.5, 2.0])[code][:, None]
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    column = Column("where", "categorical", vocabulary=("a", "b", "c"))
    target = Target("y", "multiclass", ("r", "s", "t"))
    table = Table(Schema((column,), target), Rows(np.zeros((900, 0)), code[:, None]), truth)
    return table, outcome(p, target=truth, spec=target), code


def test_fairlearn(parts) -> None:
    """Figure and count of each group. Ours compares it with all other rows, fairlearn the best with the worst."""
    fairlearn = pytest.importorskip("fairlearn.metrics")
    from sklearn.metrics import accuracy_score, recall_score

    table, seen, code = parts
    frame = fairlearn.MetricFrame(
        metrics={"accuracy": accuracy_score, "n": fairlearn.count}, y_true=seen.target, y_pred=seen.label,
        sensitive_features=code,
    )  # fmt: skip
    found = {s.value: s for s in slices(table, np.arange(900), seen) if s.kind == "group"}
    assert set(found) == {"a", "b", "c"}
    for one, name in enumerate("abc"):
        assert found[name].measurement.value == pytest.approx(frame.by_group["accuracy"][one], abs=1e-12)
        assert found[name].n == frame.by_group["n"][one]
        rest = fairlearn.MetricFrame(
            metrics=accuracy_score, y_true=seen.target, y_pred=seen.label, sensitive_features=code == one
        )
        assert abs(found[name].difference.value) == pytest.approx(rest.difference(), abs=1e-12)
    classes = {s.value: s for s in slices(table, np.arange(900), seen) if s.kind == "answer"}
    recalls = recall_score(seen.target, seen.label, average=None)
    assert [classes[name].measurement.value for name in "rst"] == pytest.approx(list(recalls), abs=1e-12)


def test_fairlearn_on_values(parts) -> None:
    fairlearn = pytest.importorskip("fairlearn.metrics")
    from sklearn.metrics import mean_absolute_error

    table, _, code = parts
    random = np.random.default_rng(2)
    truth = random.normal(size=900)
    guess = truth + random.normal(size=900) * (1 + code)
    target = Target("y", "regression")
    table = replace(table, schema=replace(table.schema, target=target), target=truth)
    found = {s.value: s for s in slices(table, np.arange(900), outcome(guess, target=truth, spec=target))}
    frame = fairlearn.MetricFrame(metrics=mean_absolute_error, y_true=truth, y_pred=guess, sensitive_features=code)
    for one, name in enumerate("abc"):
        assert found[name].measurement.value == pytest.approx(frame.by_group[one], abs=1e-12)


def test_uncertainty_toolbox() -> None:
    """Coverage and width of stated ranges, and errors, of normal predictions whose spread is too small by a third."""
    pytest.importorskip("uncertainty_toolbox")
    from uncertainty_toolbox import metrics_accuracy, metrics_calibration

    random = np.random.default_rng(4)
    mean, spread = random.normal(size=2000), random.uniform(0.5, 1.5, 2000)
    truth = mean + 1.5 * spread * random.normal(size=2000)
    for promised in (0.5, 0.8, 0.9, 0.95):
        half = normal_quantile(0.5 + promised / 2) * spread
        seen = outcome(
            mean, target=truth, spec=Target("y", "regression"), low=mean - half, high=mean + half, coverage=promised
        )
        theirs = metrics_calibration.get_proportion_in_interval(mean, spread, truth, promised)
        assert metric("interval_coverage").measure(seen).value == pytest.approx(theirs, abs=1e-12)
        ends = metrics_calibration.get_prediction_interval(mean, spread, promised)
        width = float((ends.upper - ends.lower).mean())
        assert metric("interval_width").measure(seen).value == pytest.approx(width, abs=1e-6)
        told = ranged(seen)
        assert told is not None
        assert told["coverage"]["value"] == pytest.approx(theirs, abs=1e-12)
    errors = metrics_accuracy.prediction_error_metrics(mean, truth)
    for name in ("mae", "rmse", "r2"):
        assert metric(name).measure(seen).value == pytest.approx(errors[name], abs=1e-9), name


@pytest.fixture(scope="module")
def doubted():
    random = np.random.default_rng(0)
    labels = random.integers(4, size=1500)
    likely = np.where(random.random(1500) < 0.1, (labels + 1) % 4, labels)
    p = random.dirichlet(np.ones(4), 1500) + 2.0 * np.eye(4)[likely]
    return labels, p / p.sum(axis=1, keepdims=True)


def test_cleanlab_joint_and_ranking(doubted) -> None:
    """The joint before it is rounded to whole rows, and the order of doubt: cleanlab's margin is (1 − ours) / 2."""
    count = pytest.importorskip("cleanlab.count")
    from cleanlab.rank import get_normalized_margin_for_each_label

    labels, p = doubted
    raw = count.compute_confident_joint(labels, p, calibrate=False)
    theirs = raw / raw.sum(axis=1, keepdims=True) * np.bincount(labels)[:, None]
    assert np.allclose(confident_joint(labels, p), theirs, atol=1e-9)
    margin = get_normalized_margin_for_each_label(labels, p)
    assert np.allclose((1 - doubt(labels, p)) / 2, margin, atol=1e-12)


def test_cleanlab_flags(doubted) -> None:
    """cleanlab spreads what rounding leaves over, so single rows at the edge of a count may differ: 2 of 1,000."""
    cleanlab = pytest.importorskip("cleanlab")
    labels, p = doubted
    theirs = cleanlab.filter.find_label_issues(labels, p, filter_by="prune_by_noise_rate", n_jobs=1)
    ours = prune_by_noise_rate(labels, p)
    assert theirs.sum() > 100
    assert (theirs != ours).mean() <= 0.002
