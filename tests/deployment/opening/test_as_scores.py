import pytest
import torch

from temperance.deployment.opening.answers import as_answers
from temperance.deployment.opening.as_scores import as_scores

RAW = {
    "logits": torch.tensor([[0.3, -1.0], [2.0, 5.0]]), "probabilities": torch.tensor([[0.3, 0.7], [1.0, 0.0]]),
    "logit": torch.tensor([[0.3], [-2.0]]), "chance": torch.tensor([0.3, 0.9]),
}  # fmt: skip


@pytest.mark.parametrize("scale", RAW)
def test_their_softmax_is_the_answer(scale) -> None:
    found = torch.softmax(as_scores(RAW[scale], scale).double(), dim=1).numpy()
    assert found == pytest.approx(as_answers(RAW[scale].numpy(), scale), abs=1e-6)


def test_values_stay() -> None:
    assert as_scores(torch.tensor([[1.0], [2.0]]), "values").tolist() == [1.0, 2.0]
