"""Costs are read as they are meant, nonsense is refused, and answers cost least under true probabilities."""

import numpy as np
import pytest

from temperance.records.decision import Costs, Decision, Price, middle, most_probable, parse_costs
from temperance.records.errors import SettingError

TWO = ("no", "yes")


def test_a_text_names_what_is_true_then_what_is_answered():
    assert parse_costs("yes->no=10,no->yes=1") == (Price("yes", "no", 10.0), Price("no", "yes", 1.0))
    assert parse_costs(" <= 50K, a -> > 50K = 2.5 ,x->*=3") == (Price("<= 50K, a", "> 50K", 2.5), Price("x", "*", 3.0))


@pytest.mark.parametrize(
    ("text", "words"),
    [("yes-no=10", "TRUE->ANSWERED=COST"), ("yes->no=ten", "finite number"), ("yes->no=inf", "finite number"),
     ("", "no mistake"), ("yes->no=1,no", "TRUE->ANSWERED=COST")],
)  # fmt: skip
def test_what_is_no_cost_is_refused_in_words(text, words):
    with pytest.raises(SettingError, match=words):
        parse_costs(text)


def test_the_first_index_is_the_truth_and_what_is_not_named_costs_one():
    costs = Costs.of([("yes", "no", 10)], TWO)
    assert costs.matrix == ((0.0, 1.0), (10.0, 0.0))
    assert costs.of_rows(np.array([1, 0, 1]), np.array([0, 1, 1])).tolist() == [10.0, 1.0, 0.0]


def test_a_star_is_any_other_class_and_a_named_one_goes_before_it():
    costs = Costs.of([("b", "a", 9), ("b", "*", 4), ("*", "c", 2)], ("a", "b", "c"))
    assert costs.matrix[1] == (9.0, 0.0, 4.0) or costs.matrix[1] == (9.0, 0.0, 2.0)
    assert costs.matrix[0] == (0.0, 1.0, 2.0)
    assert Costs.of(costs.prices, costs.classes) == costs


@pytest.mark.parametrize(
    ("prices", "words"),
    [([("yse", "no", 2)], "Did you mean 'yes'"), ([("yes", "no", -1)], "cheaper answer than the right one"),
     ([("yes", "yes", 3)], "cheaper answer than the right one"), ([("yes", "no", 0), ("no", "yes", 0)], "all 0")],
)  # fmt: skip
def test_costs_that_make_no_sense_are_refused(prices, words):
    with pytest.raises(SettingError, match=words):
        Costs.of(prices, TWO)


def test_the_stated_threshold_is_that_of_least_expected_cost():
    decision = Decision(Costs.of([("yes", "no", 9), ("no", "yes", 1)], TWO))
    assert decision.stated == pytest.approx(0.1)
    chances = np.array([[0.91, 0.09], [0.89, 0.11]])
    assert decision.answers(chances).tolist() == [0, 1]
    assert Decision(Costs.of([("yes", "yes", -3)], TWO)).stated == pytest.approx(1 / 5)


def test_dear_mistakes_move_answers_of_many_classes():
    chances = np.array([[0.6, 0.3, 0.1]])
    plain = Decision(Costs.of([("a", "b", 1)], ("a", "b", "c")))
    assert plain.answers(chances).tolist() == [0]
    assert Decision(Costs.of([("c", "*", 20)], ("a", "b", "c"))).answers(chances).tolist() == [2]


def test_a_chosen_threshold_goes_before_the_stated_one_and_survives_a_file():
    decision = Decision(Costs.of([("yes", "no", 9)], TWO), threshold=0.4, n=50)
    assert decision.answers(np.array([[0.7, 0.3], [0.6, 0.4]])).tolist() == [0, 1]
    assert Decision.from_dict(decision.to_dict()) == decision


def test_the_middle_level_is_the_least_expected_distance():
    random = np.random.default_rng(0)
    chances = random.dirichlet(np.ones(5), 200)
    apart = Costs.of([(str(i), str(j), abs(i - j)) for i in range(5) for j in range(5)], tuple("01234"))
    assert middle(chances).tolist() == Decision(apart).answers(chances).tolist()
    assert middle(np.array([[0.4, 0.2, 0.4]])).tolist() == [1]
    assert most_probable(np.array([[0.4, 0.2, 0.4]])).tolist() == [0]


def test_a_class_whose_name_holds_an_arrow_can_be_priced():
    classes = ("a -> b, c", "nég,= ü")
    text = "a -> b, c->nég,= ü=5,nég,= ü->a -> b, c=2"
    assert Costs.of(parse_costs(text), classes).matrix == ((0.0, 5.0), (2.0, 0.0))
    assert Costs.of(parse_costs("*->a -> b, c=3"), classes).matrix == ((0.0, 1.0), (3.0, 0.0))
    with pytest.raises(SettingError, match="the class 'a'"):
        Costs.of(parse_costs("a -> d->nég,= ü=5"), classes)
