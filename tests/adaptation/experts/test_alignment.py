import numpy as np

from temperance.adaptation.experts.alignment import Alignment
from temperance.adaptation.traffic import Setting, Traffic


def test_it_says_what_the_model_says_of_aligned_inputs() -> None:
    answers, aligned = np.array([[0.9, 0.1]]), np.array([[0.2, 0.8]])
    state = Alignment().begin(Setting(2))
    assert state is not None
    assert Alignment().apply(state, Traffic(answers)) is answers
    assert Alignment().apply(state, Traffic(answers, aligned=aligned)) is aligned
