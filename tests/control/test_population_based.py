import numpy as np

from temperance.control import PopulationBased, Strength

SPECS = {"a.p": Strength(0.5, low=0.0, high=1.0, neutral=0.0)}
START = np.array([0.1, 0.2, 0.3, 0.4])


def one_round(rule, losses, epoch=1.0):
    values = {"a.p": START.copy()}
    after, memory = rule.steer(values, {"valid_loss": losses, "epoch": epoch}, rule.begin(values, SPECS), SPECS)
    return after["a.p"], memory


def test_the_worst_copies_the_best_and_changes_its_strength():
    after, memory = one_round(PopulationBased(resample=0.0), np.array([0.9, 0.1, 0.5, 0.4]))
    assert memory["source"].tolist() == [1, 1, 2, 3]
    np.testing.assert_array_equal(after[1:], START[1:])
    assert np.isclose(after[0], [0.2 * 0.8, 0.2 * 1.2]).any()


def test_too_early_or_too_few_changes_nothing():
    for losses, epoch in ((np.array([0.9, 0.1, 0.5, 0.4]), 0.5), (np.array([0.9, 0.1, np.nan, np.nan]), 1.0)):
        after, memory = one_round(PopulationBased(), losses, epoch)
        np.testing.assert_array_equal(after, START)
        assert memory["source"].tolist() == [0, 1, 2, 3]


def test_both_changes_and_resampling_occur_over_seeds():
    seen = [one_round(PopulationBased(seed=s), np.array([0.9, 0.1, 0.5, 0.4]))[0][0] for s in range(60)]
    known = np.isclose(seen, 0.16) | np.isclose(seen, 0.24)
    assert np.isclose(seen, 0.16).any()
    assert np.isclose(seen, 0.24).any()
    assert 0.1 < np.mean(~known) < 0.45


def test_one_member_does_nothing():
    rule, values = PopulationBased(), {"a.p": np.array(0.5)}
    after, memory = rule.steer(values, {"valid_loss": 1.0, "epoch": 1.0}, rule.begin(values, SPECS), SPECS)
    assert after["a.p"] == 0.5
    assert memory["source"] == 0
