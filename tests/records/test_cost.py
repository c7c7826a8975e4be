from temperance.records.cost import Cost, TrialCost


def test_a_plain_step_is_the_default() -> None:
    assert (Cost().forwards, Cost().backwards, Cost().copies, Cost().inference) == (1.0, 1.0, 0, 1.0)
    assert Cost(**Cost(2.0, 2.0, 1).to_dict()) == Cost(2.0, 2.0, 1)


def test_what_was_not_measured_is_none_and_comes_back() -> None:
    cost = TrialCost(seconds=1.5, bytes=10)
    assert cost.to_dict()["flops"] is None
    assert TrialCost.from_dict({**cost.to_dict(), "later": 1}) == cost
