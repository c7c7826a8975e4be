from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from temperance.audit.conflicts import Conflicts
from temperance.audit.context import Context
from temperance.records.schema import Rows


@pytest.mark.parametrize("name", ["breast_cancer", "digits", "diabetes"])
def test_finds_all_planted_conflicts_and_no_other(name, bundled, make_roles):
    table = bundled(name)
    roles = make_roles(len(table))
    numeric, target = table.rows.numeric.copy(), table.target.copy()
    chosen = roles.train[:40]
    numeric[chosen[:20]] = numeric[chosen[20:]]
    if name == "diabetes":
        target[chosen[:20]] = target[chosen[20:]] + 300
    else:
        target[chosen[:20]] = (target[chosen[20:]] + 1) % len(table.schema.target.classes)
    finding = Conflicts().inspect(
        Context(replace(table, rows=Rows(numeric, table.rows.categorical), target=target), roles)
    )
    assert set(finding.evidence["rows"]) == set(chosen.tolist())
    assert finding.state == "look_at_this"
    assert finding.confidence["found"] == finding.confidence["planted"] == 20


def test_ceiling_is_the_share_of_the_commonest_answers(make_table, make_context):
    table = make_table([[0.0]] * 10 + [[1.0]] * 5 + [[2.0]] * 5, [0] * 7 + [1] * 3 + [0] * 5 + [1] * 5)
    finding = Conflicts().inspect(make_context(table, test=0))
    assert finding.evidence["k"] == 10
    assert finding.effect["after"] == pytest.approx(17 / 20)


def test_same_answers_are_no_conflict(make_table, make_context):
    table = make_table([[0.0]] * 20 + [[1.0]] * 20, [0] * 20 + [1] * 20)
    finding = Conflicts().inspect(make_context(table))
    assert finding.state == "no_problem_found"
    assert finding.confidence["found"] == finding.confidence["planted"] == 2


def test_images_with_two_labels_must_be_fixed(make_images, make_context):
    images = np.random.default_rng(0).integers(0, 255, (60, 8, 8, 1)).astype(np.uint8)
    images[1] = images[0]
    finding = Conflicts().inspect(make_context(make_images(images, np.arange(60) % 3), test=0))
    assert finding.state == "fix_before_use"
    assert finding.evidence["rows"] == [0, 1]
