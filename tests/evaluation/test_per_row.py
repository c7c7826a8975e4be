import numpy as np
import pytest
from tests.evaluation.aspects.conftest import knowing, subject_of

from temperance.evaluation.per_row import columns_of
from temperance.evaluation.vetting import vet


def test_figures_can_be_computed_again(binary) -> None:
    done = vet(knowing(binary, range(100)), binary[0], tier="standard")
    columns = columns_of(done, np.arange(1000) * 2)
    assert columns["row"][0] == 200
    assert {len(values) for values in columns.values()} == {900}
    right = np.mean([a == b for a, b in zip(columns["truth"], columns["answer"], strict=True)])
    assert done.figures["accuracy"].value == pytest.approx(right)
    assert set(columns["truth"]) == {"no", "yes"}
    covered = [one for one in columns["covered_lac"] if one is not None]
    assert len(covered) == 450
    assert done.figures["conformal_coverage/lac"].value == pytest.approx(np.mean(covered))


def test_values(regression) -> None:
    columns = columns_of(vet(subject_of(*regression), regression[0]))
    assert columns["row"] == list(range(600))
    assert columns["error"][0] == pytest.approx(columns["answer"][0] - columns["truth"][0])
