from dataclasses import replace

import numpy as np
import pytest

from temperance.evaluation.aspects.domain_gap import DomainGap

N = 1000


def test_a_drop_over_time_is_told_and_none_is_made_up(binary, make) -> None:
    table, model = binary
    when = np.random.default_rng(5).permutation(N).astype(np.float64)
    calm = DomainGap().measure(make.case((replace(table, time=when), model)))
    assert "no clear change" in calm.sentences[0]
    late = when >= 0.8 * N
    drifted = replace(table, time=when, target=np.where(late, 1 - table.target, table.target))
    reading = DomainGap().measure(make.case((drifted, model)))
    assert reading["time_gap"].high < -0.3
    assert "is worse by" in reading.sentences[0]
    assert [row["n"] for row in reading.details["by_time"]] == [200] * 5


def test_domains_are_told_apart_and_small_ones_left(binary, make) -> None:
    table, model = binary
    names = np.array(["north"] * 600 + ["south"] * 380 + ["isle"] * 20)
    target = np.where(names == "south", 1 - table.target, table.target)
    reading = DomainGap().measure(make.case((replace(table, target=target), model), labels=names))
    states = {row["domain"]: row["state"] for row in reading.details["by_domain"]}
    assert states == {"north": "better", "south": "worse", "isle": "too_small"}
    assert reading["worst_domain"].n == 380
    assert "south" in reading.sentences[0]
    assert "too few rows" in reading.sentences[-1]


def test_false_alarms_among_equal_domains_are_rare(binary, make) -> None:
    random = np.random.default_rng(0)
    found = 0
    for _ in range(40):
        labels = random.integers(0, 5, N).astype(str)
        rows = DomainGap().measure(make.case(binary, labels=labels)).details["by_domain"]
        found += any(row["state"] in ("worse", "better") for row in rows)
    assert found <= 8


def test_without_time_or_group_and_with_too_few_rows(binary, regression, make) -> None:
    assert "neither" in DomainGap().measure(make.case(binary)).not_done[0][1]
    table, model = regression
    few = make.case((replace(table, time=np.arange(600.0)), model)).but(index=np.arange(50))
    assert "too few" in DomainGap().measure(few).not_done[0][1]
    whole = DomainGap().measure(make.case((replace(table, time=np.arange(600.0)), model)))
    assert whole["time_gap"].value == pytest.approx(0.0, abs=0.1)
