"""Keys of noise."""

from temperance.core.keys import fold


def test_folding_is_splitmix64():
    def by_hand(z):
        z = (z + 0x9E3779B97F4A7C15) % 2**64
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % 2**64
        return z ^ (z >> 31)

    assert by_hand(0) == 0xE220A8397B1DCDAF  # first output of the published generator for seed 0
    assert fold(0, 0) == by_hand(0)
    assert fold(5, 3) == by_hand((5 * 0xD1342543DE82EF95 + 3) % 2**64)
    assert fold(5, 3, 2) == fold(fold(5, 3), 2)


def test_keys_do_not_collide():
    keys = {fold(seed, step, name) for seed in range(20) for step in range(50) for name in ("a", "b", "dropout")}
    assert len(keys) == 20 * 50 * 3
    assert fold(-1, 2) == fold(2**64 - 1, 2)
    assert fold(0, 1) != fold(1, 0)
