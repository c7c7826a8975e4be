from __future__ import annotations

import numpy as np
import pytest

from temperance import audit
from temperance.records.errors import DataError


@pytest.fixture(scope="module")
def table(bundled):
    return bundled("breast_cancer")


def one(table, roles, **options):
    (finding,) = audit.inspect(table, roles, checks=["contamination"], **options)
    return finding


def test_without_another_file_it_says_so(table, make_roles):
    finding = one(table, make_roles(len(table)))
    assert finding.state == "not_tested"
    assert "--against FILE" in finding.title


def test_copies_in_another_file_are_counted(table, make_roles, make_table):
    roles, g = make_roles(len(table)), np.random.default_rng(0)
    fresh = make_table(table.rows.numeric[:200] * (1 + 0.2 * g.standard_normal((200, 30))), np.arange(200) % 2)
    assert one(table, roles, against=fresh).state == "no_problem_found"
    mixed = np.concatenate([fresh.rows.numeric[:100], table.rows.numeric[7:27]])
    finding = one(table, roles, against=make_table(mixed, np.arange(120) % 2))
    assert finding.state == "fix_before_use"
    assert finding.evidence["exact"] == 20
    assert finding.evidence["k"] == 20
    assert finding.evidence["examples"][0] == {"other_row": 100, "row": 7}
    assert finding.confidence["found"] >= 80


def test_other_columns_are_refused(table, make_roles, make_table):
    with pytest.raises(DataError, match="other columns"):
        one(table, make_roles(len(table)), against=make_table(np.zeros((20, 2)), np.arange(20) % 2))


def test_pictures(make_images, make_roles):
    from sklearn.datasets import load_digits

    data = load_digits()
    images = np.kron((data.images * 15).astype(np.uint8), np.ones((1, 3, 3), dtype=np.uint8))[..., None]
    table, other = make_images(images[:300], data.target[:300]), make_images(images[290:400], data.target[290:400])
    finding = one(table, make_roles(300), against=other)
    assert finding.evidence["exact"] == 10


def test_texts():
    import polars as pl
    from tests.audit.test_text_duplicates import texts

    from temperance.data import read, split

    said, y = texts()
    table = read(pl.DataFrame({"said": said, "y": y}), target="y").table
    other = read(pl.DataFrame({"said": [f"{t} end" for t in said[:5]] + said[5:9]}), schema=table.schema).table
    finding = one(table, split(table, seed=0), against=other)
    assert (finding.evidence["exact"], finding.evidence["near"]) == (4, 5)
