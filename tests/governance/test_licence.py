from __future__ import annotations

import json
from typing import get_args

import pytest

from temperance.governance.licence import Use, judge, strictest, terms
from temperance.records.errors import SettingError

A, D, N, U = "allowed", "allowed with duties", "not allowed", "unknown"
CASES = {  # expression → research, commercial, publish
    "CC0-1.0": (A, A, A),
    "PDDL-1.0": (A, A, A),
    "Unlicense": (A, A, A),
    "0BSD": (A, A, A),
    "DL-DE-ZERO-2.0": (A, A, A),
    "O-UDA-1.0": (A, A, D),
    "CDLA-Permissive-2.0": (A, A, D),
    "MIT": (A, A, D),
    "mit": (A, A, D),
    "Apache-2.0": (A, A, D),
    "BSD-3-Clause": (A, A, D),
    "CC-BY-4.0": (A, A, D),
    "CC-BY-SA-4.0": (A, A, D),
    "ODbL-1.0": (A, A, D),
    "ODC-By-1.0": (A, A, D),
    "OGL-UK-3.0": (A, A, D),
    "etalab-2.0": (A, A, D),
    "C-UDA-1.0": (D, D, D),
    "GPL-3.0-or-later": (A, A, D),
    "AGPL-3.0-or-later": (D, D, D),
    "CC-BY-ND-4.0": (A, A, N),
    "CC-BY-NC-4.0": (A, N, D),
    "CC-BY-NC-SA-4.0": (A, N, D),
    "CC-BY-NC-ND-4.0": (A, N, N),
    "MIT AND CC-BY-NC-4.0": (A, N, D),
    "MIT OR CC-BY-NC-4.0": (A, A, D),
    "CC0-1.0 OR CC-BY-ND-4.0": (A, A, A),
    "(MIT OR CC-BY-NC-4.0) AND CC-BY-ND-4.0": (A, A, N),
    "GPL-2.0-or-later WITH Classpath-exception-2.0": (A, A, D),
    "MIT AND Beerware": (U, U, U),
    "Beerware": (U, U, U),
    "apache2": (U, U, U),
    "": (U, U, U),
}


@pytest.mark.parametrize("expression", CASES)
@pytest.mark.parametrize("use", get_args(Use))
def test_verdicts(expression, use):
    verdict = judge(expression, use=use)
    assert verdict.answer == CASES[expression][get_args(Use).index(use)]
    assert verdict.expression == expression
    assert verdict.reasons
    assert bool(verdict.duties) == (verdict.answer == D) or verdict.answer == U
    assert json.dumps(verdict.to_dict())


def test_unknown_names_come_with_a_suggestion():
    assert "Did you mean 'Apache-2.0'?" in judge("apache2", use="research").reasons[0]
    assert "cannot be read" in judge("MIT AND (", use="research").reasons[0]
    assert judge(None, use="research").reasons == ("No licence is declared. Ask the owner of the data.",)


def test_joined_data_take_the_strictest():
    assert strictest(["MIT", "CC-BY-NC-4.0"], use="commercial").answer == N
    assert strictest(["MIT", None], use="commercial").answer == U
    both = strictest(["CC-BY-4.0", "ODbL-1.0"], use="publish")
    assert any("ODbL-1.0" in duty for duty in both.duties)
    assert any("CC-BY-4.0" in duty for duty in both.duties)
    assert strictest([], use="research").answer == U


def test_table_names_are_spdx_identifiers_and_dated():
    from license_expression import get_spdx_licensing

    known, date = terms()
    assert 30 <= len(known) <= 60
    assert date == "2026-11-23"
    assert [name for name in known if get_spdx_licensing().validate(name).errors] == []


def test_other_uses_are_refused():
    with pytest.raises(SettingError, match="commercial"):
        judge("MIT", use="comercial")
