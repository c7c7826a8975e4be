from temperance.cli.doctor.base import Check, Condition, examined, verdict


class Well(Check):
    name = "well"

    def examine(self):
        yield Condition("well", "fine", "It is well.")


class Falls(Check):
    name = "falls"

    def examine(self):
        yield Condition("first", "look", "So far so good.", "Look")
        raise OSError("the disk\nfell out")


def test_a_check_that_fails_is_told_and_stops_no_other() -> None:
    found = list(examined([Falls(), Well()]))
    assert [one.name for one in found] == ["first", "falls", "well"]
    assert (found[1].state, found[1].facts) == ("broken", {"error": "OSError"})
    assert "the disk fell out" in found[1].said


def test_the_verdict_is_the_worst_state_and_absent_things_are_fine() -> None:
    fine, look, broken, absent = (Condition("x", state, "") for state in ("fine", "look", "broken", "absent"))
    assert verdict([fine, absent]) == "fine"
    assert verdict([fine, look, absent]) == "look"
    assert verdict([look, broken, fine]) == "broken"


def test_a_condition_goes_into_json() -> None:
    assert Condition("a", "look", "b", "c", {"n": 1}).to_dict() == {
        "name": "a", "state": "look", "said": "b", "remedy": "c", "facts": {"n": 1},
    }  # fmt: skip
