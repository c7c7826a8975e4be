import pytest

from temperance.cli.quantities import bytes_of, milliseconds
from temperance.records.errors import SettingError


@pytest.mark.parametrize(
    ("text", "value"), [("5ms", 5.0), ("300us", 0.3), ("300 µs", 0.3), ("0.5s", 500.0), (".5S", 500.0)]
)
def test_times(text: str, value: float) -> None:
    assert milliseconds(text) == pytest.approx(value)


@pytest.mark.parametrize(("text", "value"), [("2MB", 2e6), ("500kB", 5e5), ("1.5MiB", 1.5 * 2**20), ("800b", 800)])
def test_sizes(text: str, value: float) -> None:
    assert bytes_of(text) == value


@pytest.mark.parametrize("text", ["5", "fast", "-5ms", "0ms", "5 m", "5MB", "", "1e3ms", "nanms"])
def test_other_times_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(SettingError, match="--max-latency 5ms"):
        milliseconds(text)


@pytest.mark.parametrize("text", ["2", "big", "-2MB", "0MB", "5ms", "2TBB"])
def test_other_sizes_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(SettingError, match="--max-size 2MB"):
        bytes_of(text)
