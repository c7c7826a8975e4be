import numpy as np

from temperance.adaptation.ground import Ground


def answers(p: np.ndarray) -> np.ndarray:
    return np.stack([1 - p, p], axis=1)


def test_traffic_as_labels_know_it_holds() -> None:
    rng = np.random.default_rng(0)
    ground = Ground(answers(rng.random(500)))
    ground.tell(answers(rng.random(800)))
    ground.see(answers(rng.random(200)))
    assert ground.holds()


def test_answers_that_moved_away_do_not() -> None:
    rng = np.random.default_rng(0)
    for sample, moved in (
        (answers(rng.random(800)), answers(0.9 + 0.1 * rng.random(200))),
        (rng.dirichlet([1, 1, 1, 1], 800), rng.dirichlet([9, 1, 1, 1], 200)),
        (rng.normal(size=800), 2 + rng.normal(size=200)),
    ):
        ground = Ground(sample)
        ground.tell(sample)
        ground.see(moved)
        assert not ground.holds()


def test_runs_are_measured_by_their_own_habits() -> None:
    rng = np.random.default_rng(0)
    runs = np.repeat(rng.integers(0, 2, 40), 50).astype(float)
    ground = Ground(answers(rng.random(500)))
    ground.tell(answers(runs[:1000]))
    held = []
    for first in range(1000, 2000, 20):
        ground.see(answers(runs[first : first + 20]))
        held.append(ground.holds())
    assert np.mean(held) > 0.9


def test_too_little_known_says_nothing_against_it_and_the_state_goes_on() -> None:
    rng = np.random.default_rng(0)
    ground = Ground(answers(rng.random(500)))
    ground.see(answers(np.ones(200)))
    assert ground.holds()
    ground.tell(answers(rng.random(800)))
    assert not ground.holds()
    other = Ground(answers(np.random.default_rng(0).random(500)))
    other.load_state_dict(ground.state_dict())
    assert not other.holds()
