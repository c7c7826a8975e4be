from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from temperance.audit import personal_data


@pytest.mark.parametrize(
    ("fits", "good", "bad"),
    [
        (personal_data.is_email, ["a.b@example.org", "x+1@mail.co.uk"], ["a@b", "no at sign.org", "@example.org"]),
        (
            personal_data.is_phone,
            ["+49 30 1234567", "020 7946 0958", "(030) 123 45 67", "+1-202-555-0123"],
            ["2024-01-31", "12345", "1234567890"],
        ),
        (
            personal_data.is_iban,
            ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432"],
            ["DE89370400440532013001", "DE89"],
        ),
        (personal_data.is_card, ["4111 1111 1111 1111", "5500000000000004"], ["4111111111111112", "1234567812345670"]),
        (personal_data.is_social_security, ["123-45-6789"], ["000-45-6789", "123-00-6789", "123456789"]),
        (personal_data.is_internet_address, ["192.168.0.1"], ["256.1.1.1", "1.2.3"]),
    ],
)
def test_shapes(fits, good, bad):
    assert [fits(text) for text in good] == [True] * len(good)
    assert [fits(text) for text in bad] == [False] * len(bad)


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("FirstName", "a person's name"),
        ("customer_name", "a person's name"),
        ("E-Mail", "an email address"),
        ("Phone Number", "a phone number"),
        ("date_of_birth", "a date of birth"),
        ("zip_code", "a postal address"),
        ("filename", ""),
        ("product_name", ""),
        ("income", ""),
        ("x5", ""),
    ],
)
def test_titles(title, kind):
    assert personal_data.kind_of_title(title) == kind


def test_values_make_it_a_thing_to_fix(make_table, make_context):
    g = np.random.default_rng(0)
    words = {"note": [f"user{i}@example.org" if i % 4 == 0 else f"word {i}" for i in range(100)]}
    finding = personal_data.PersonalData().inspect(
        make_context(make_table(g.random((100, 1)), [0, 1] * 50, words=words))
    )
    assert finding.state == "fix_before_use"
    assert finding.evidence["examples"][0] == {
        "column": "note",
        "kind": "an email address",
        "values": 25,
        "of": 100,
        "by": "shape of the values",
    }
    assert (finding.confidence["found"], finding.confidence["false_alarms"]) == (40, 0)


def test_card_numbers_that_were_read_as_numbers(make_table, make_context):
    g = np.random.default_rng(0)
    cards = [float(personal_data.MAKERS["a payment card"](g)) for _ in range(60)]
    X = np.stack([cards, g.integers(9, size=60)], axis=1)
    finding = personal_data.PersonalData().inspect(make_context(make_table(X, [0, 1] * 30, names=["n", "k"])))
    assert finding.evidence["columns"] == ["n"]
    assert finding.state == "fix_before_use"


def test_titles_of_ignored_columns_count(make_table, make_context):
    table = make_table(np.random.default_rng(0).random((50, 1)), [0, 1] * 25)
    table = replace(table, schema=replace(table.schema, ignored=("Surname",)))
    finding = personal_data.PersonalData().inspect(make_context(table))
    assert finding.state == "look_at_this"
    assert "'Surname' looks like a person's name" in finding.title


def test_sensitive_groups_are_named(make_table, make_context):
    table = make_table(np.random.default_rng(0).random((50, 1)), [0, 1] * 25, words={"sex": ["f", "m"] * 25})
    finding = personal_data.PersonalData().inspect(make_context(table))
    assert finding.evidence["protected"] == ["sex"]
    assert finding.state == "look_at_this"
    assert finding.title.startswith("Sensitive by title: 'sex'")  # a warning is no all-clear


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "digits", "diabetes"])
def test_clean_sets(name, bundled, make_context):
    finding = personal_data.PersonalData().inspect(make_context(bundled(name)))
    assert finding.evidence["k"] == 0
