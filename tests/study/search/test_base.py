"""The proposer is abstract."""

import pytest

from temperance.study.search.base import Proposer


def test_a_proposer_must_propose_and_observe():
    with pytest.raises(TypeError):
        Proposer()
