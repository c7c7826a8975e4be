import torch

from temperance.evaluation.adversarial.surrogate import surrogate
from temperance.evaluation.adversarial.victim import Victim


def test_it_answers_like_the_model_and_draws_from_no_global_generator(linear):
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    other = surrogate(Victim(linear), linear.x)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert (other.answer(linear.x) == linear.y).double().mean() > 0.93
    again = surrogate(Victim(linear), linear.x)
    assert torch.equal(other.scores(linear.x), again.scores(linear.x))
