import json
from pathlib import Path

import numpy as np
import pytest

from temperance.lifecycle.streaming.run import Plan, stream
from temperance.records.errors import DataError, SettingError, StudyError


@pytest.fixture(scope="module")
def walked(fast, turning, tmp_path_factory):
    out = tmp_path_factory.mktemp("stream") / "out"
    plan = Plan(first=300, delay=20, every=300, window=400, net=False)
    return stream(turning, target="y", time_column="t", out=out, plan=plan), out


def test_all_ways_stand_side_by_side_with_their_costs(walked) -> None:
    value, out = walked
    arms = {arm["arm"]: arm for arm in value["arms"]}
    assert list(arms) == ["static", "scheduled", "alarmed", "adapted", "persistence"]
    assert arms["static"]["gain"]["value"] == 0
    assert arms["adapted"]["value"] > arms["static"]["value"] + 0.2
    assert arms["adapted"]["gain"]["low"] > 0
    assert arms["scheduled"]["retrainings"] == 3
    assert arms["scheduled"]["seconds"] > 0
    assert value["data"]["judged"] == 1200
    assert json.loads((out / "stream.json").read_text())["sentence"] == value["sentence"]
    assert (out / "stream.html").read_text().startswith("<!doctype html>")


def test_the_course_adds_up_to_the_whole(walked) -> None:
    value, _ = walked
    course = value["course"]["static"]
    assert np.mean(course) == pytest.approx(value["arms"][0]["value"], abs=0.01)
    assert value["course"]["rows"][-1] == 1500


def test_values_are_judged_by_their_squared_error(fast, growing, tmp_path: Path) -> None:
    plan = Plan(first=300, every=400, window=400, net=False)
    value = stream(growing, target="y", out=tmp_path / "o", plan=plan)
    arms = {arm["arm"]: arm for arm in value["arms"]}
    assert value["metric"] == "rmse"
    assert arms["adapted"]["value"] < arms["static"]["value"]  # by little: it has to earn what it may risk


def test_the_order_is_that_of_the_time(fast, turning, tmp_path: Path, walked) -> None:
    back = {name: values[::-1] for name, values in turning.items()}
    plan = Plan(first=300, delay=20, every=300, window=400, net=False)
    value = stream(back, target="y", time_column="t", out=tmp_path / "o", plan=plan)
    assert [arm["value"] for arm in value["arms"]] == [arm["value"] for arm in walked[0]["arms"]]


def test_a_stream_is_not_written_over_and_needs_rows(walked, turning, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="holds a stream"):
        stream(turning, target="y", out=walked[1])
    few = {name: values[:250] for name, values in turning.items()}
    with pytest.raises(DataError, match="at least 200"):
        stream(few, target="y", out=tmp_path / "o")
    with pytest.raises(SettingError, match="window"):
        Plan(window=3)
