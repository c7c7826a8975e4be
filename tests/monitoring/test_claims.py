import numpy as np
import pytest

from temperance.monitoring.claims import Claim
from temperance.records.errors import DataError, SettingError


def draw(n: int, seed: int, *, right: bool = True):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet([1, 1], n)
    y = (rng.random(n) < p[:, 1]).astype(np.int64)
    return p, y if right else rng.integers(0, 2, n)


@pytest.fixture
def claim() -> Claim:
    p, y = draw(2000, 0)
    return Claim({"sample": p, "sample_target": y})


def test_a_relation_that_is_gone_is_noticed_with_few_labels(claim: Claim) -> None:
    claim.observe(*draw(300, 1))
    assert not claim.refuted
    claim.observe(*draw(100, 2, right=False))
    assert claim.refuted
    assert claim.refuted_at - 300 < 80
    assert "does not hold" in claim.sentence()


def test_labels_that_agree_support_it(claim: Claim) -> None:
    assert "No label" in claim.sentence()
    assert not claim.supported
    claim.observe(*draw(200, 3))
    assert claim.supported


def test_false_refutations_keep_to_their_rate() -> None:
    refuted = 0
    for seed in range(40):
        p, y = draw(500, seed)
        one = Claim({"sample": p, "sample_target": y})
        one.observe(*draw(300, 1000 + seed))
        refuted += one.refuted
    assert refuted <= 6


def test_values_are_right_within_the_usual_error() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=1000)
    one = Claim({"sample": x, "sample_target": x + rng.normal(size=1000)})
    one.observe(x[:300], x[:300] + rng.normal(size=300))
    assert not one.refuted
    one.observe(x[:300], x[:300] + 5)
    assert one.refuted


def test_its_state_goes_on_and_can_be_put_back(claim: Claim) -> None:
    claim.observe(*draw(100, 2, right=False))
    p, y = draw(2000, 0)
    other = Claim({"sample": p, "sample_target": y})
    other.load_state_dict(claim.state_dict())
    assert (other.n, other.refuted, other.sentence()) == (claim.n, claim.refuted, claim.sentence())
    other.reset()
    assert not other.refuted


def test_what_it_cannot_work_with_is_refused() -> None:
    with pytest.raises(DataError, match="targets"):
        Claim({"sample": np.ones((3, 2))})
    with pytest.raises(SettingError, match="tolerance"):
        Claim({"sample": np.ones((3, 2)), "sample_target": np.zeros(3)}, tolerance=0.7)
