from __future__ import annotations

import math
import subprocess
import sys

import pytest

from temperance.records.cells import NumberStyle, anatomy, fold, is_missing_word, sentinels


@pytest.mark.parametrize(
    ("text", "style", "value"),
    [
        ("1,234", NumberStyle(grouped=True), 1234.0),
        ("1,234", NumberStyle(","), 1.234),
        ("12.345", NumberStyle(",", grouped=True), 12345.0),
        ("1.234.567", NumberStyle(","), 1_234_567.0),
        ("1.234,5", NumberStyle(","), 1234.5),
        ("1,541e-01", NumberStyle(","), 0.1541),
        ("12 345", NumberStyle(), 12345.0),
        ("12\u202f345,6", NumberStyle(","), 12345.6),
        ("1’234.5", NumberStyle(), 1234.5),
        ("1,23,456", NumberStyle(), 123456.0),
        ("(100.5)", NumberStyle(), -100.5),
        ("100.5-", NumberStyle(), -100.5),
        ("\u2212100.5", NumberStyle(), -100.5),
        ("-$100.50", NumberStyle(unit="$"), -100.5),
        ("$-100.50", NumberStyle(unit="$"), -100.5),
        ("EUR 10.50", NumberStyle(unit="EUR"), 10.5),
        ("109 kg", NumberStyle(unit="kg"), 109.0),
        ("109", NumberStyle(unit="kg"), 109.0),
        (".5", NumberStyle(), 0.5),
        ("5.", NumberStyle(), 5.0),
        (",5e3", NumberStyle(","), 500.0),
        ("\u200b12 ", NumberStyle(), 12.0),
        ("inf", NumberStyle(), math.inf),
        ("1_000", NumberStyle(), 1000.0),
        ("１２", NumberStyle(), 12.0),
        ("٤٨٢", NumberStyle(), 482.0),
        ("655,-", NumberStyle(","), 655.0),
        ("655,– €", NumberStyle(",", unit="€"), 655.0),
        ("$(1,234.50)", NumberStyle(unit="$"), -1234.5),
        ("5,899[1]", NumberStyle(grouped=True), 5899.0),
        ("6.6x10^3", NumberStyle(), 6600.0),
        ("6.555D+02", NumberStyle(), 655.5),
        ("- 5", NumberStyle(), -5.0),
    ],
)
def test_numbers_by_hand(text: str, style: NumberStyle, value: float) -> None:
    assert style.read(text) == value


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("1,234", NumberStyle()),
        ("40,5", NumberStyle()),
        ("40,5", NumberStyle(grouped=True)),
        ("0,123", NumberStyle(grouped=True)),
        ("1,2345", NumberStyle(grouped=True)),
        ("12.34", NumberStyle(",", grouped=True)),
        ("1,234e5", NumberStyle(grouped=True)),
        ("109 lb", NumberStyle(unit="kg")),
        ("109 kg", NumberStyle()),
        ("2,3,5", NumberStyle(",")),
        ("1.2.3", NumberStyle()),
        ("--3", NumberStyle()),
        ("(-3)", NumberStyle()),
        ("x", NumberStyle()),
        ("0x10", NumberStyle()),
        ("1_00", NumberStyle()),
        ("12D3", NumberStyle()),
        ("2,5-3,5", NumberStyle(",")),
        ("<0,5", NumberStyle(",")),
    ],
)
def test_what_does_not_fit_is_refused(text: str, style: NumberStyle) -> None:
    with pytest.raises(ValueError):
        style.read(text)
    assert not style.fits(text)


def test_words_for_missing() -> None:
    assert math.isnan(NumberStyle().read(" n/a "))
    assert math.isnan(NumberStyle().read("unknown"))
    assert math.isnan(NumberStyle().read("-999", ["-999"]))
    assert is_missing_word("NA", weak=False)
    assert not is_missing_word("NA", ["?"], weak=True)
    assert is_missing_word(" ", ["?"], weak=True)
    assert not is_missing_word("-", weak=False)


def test_a_style_in_a_word() -> None:
    for style in (NumberStyle(), NumberStyle(","), NumberStyle(grouped=True, unit="€"), NumberStyle(",", grouped=True)):
        assert NumberStyle.of(style.form, style.unit) == style
        assert style.read(style.example) == 1234.5
    assert NumberStyle.of("iso") == NumberStyle()


def test_parts_and_folding() -> None:
    parts = anatomy("-1.5e3 kg")
    assert parts is not None
    assert (parts.negative, parts.whole, parts.exponent, parts.unit) == (True, "1.5", "e3", "kg")
    assert anatomy("A12") is None
    assert fold(" Cafe\u0301  X") == fold("café x")


def test_neither_torch_nor_polars_is_loaded() -> None:
    code = "import sys, temperance.records.cells; print({'torch', 'polars', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("text", ["-999", "-999.0", "-999.", " -999.00 ", "-0999"])
def test_a_number_that_means_missing_does_so_however_it_is_written(text: str) -> None:
    assert is_missing_word(text, ("-999",), weak=False)
    assert math.isnan(NumberStyle().read(text, ("-999",)))
    assert not is_missing_word("-998.9", ("-999",), weak=False)
    assert not is_missing_word("-9_99", ("-999",), weak=False)
    assert NumberStyle().read("-998.9", ("-999",)) == -998.9


def test_it_does_so_in_every_style() -> None:
    assert math.isnan(NumberStyle(",").read("-999,0", ("-999",)))
    assert math.isnan(NumberStyle(",", grouped=True).read("9.999,00", ("9999",)))
    assert math.isnan(NumberStyle().read("-999.0", ("-999.00",)))
    assert NumberStyle().read("inf", ("-999",)) == math.inf
    assert sentinels(None) == frozenset()
    assert sentinels(("-999", "unknown")) == {-999.0}
