from temperance.deployment.export.choice import Limits, fastest, smallest, within
from temperance.deployment.export.gate import Candidate

A = Candidate("a", bytes=1000, latency_1_ms=1.0)
B = Candidate("b", bytes=400, latency_1_ms=1.05)
C = Candidate("c", bytes=300, latency_1_ms=0.2, refused="too bad")
D = Candidate("d", bytes=390, latency_1_ms=3.0)


def test_the_fastest_and_of_equals_the_smaller():
    assert fastest([A, B, C, D]).name == "b"
    assert fastest([A, D]).name == "a"
    assert fastest([C]) is None


def test_the_smallest_and_of_equals_the_faster():
    assert smallest([A, B, C, D]).name == "b"
    assert smallest([A, D]).name == "d"
    assert smallest([C]) is None


def test_limits_refuse_in_words():
    found = within([A, B, C, D], Limits(latency_ms=2.0, bytes=500))
    assert [bool(one.refused) for one in found] == [True, False, True, True]
    assert "--max-size" in found[0].refused
    assert found[2].refused == "too bad"
    assert "--max-latency" in found[3].refused
    assert within([A], Limits())[0].refused == ""
