"""Self-distillation from both sources, by hand."""

import pytest
import torch

from temperance import Batch, MixUp, Recipe, SelfDistillation
from temperance.models.loss import cross_entropy
from temperance.records.errors import RecipeError, SettingError
from temperance.testing.problems import PROBLEMS
from temperance.testing.said import LABELS, LOGITS, attach, value
from temperance.testing.training import attach as attach_to
from temperance.testing.training import train


def test_previous_answers_by_hand():
    session = attach(SelfDistillation("previous", share=0.3))
    index = torch.arange(10)
    first = session.step(Batch(LOGITS, LABELS, index=index)).loss.detach()
    assert first == cross_entropy(LOGITS, LABELS).mean()
    second = session.step(Batch(LOGITS * 0.5, LABELS, index=index)).loss.detach()
    logs = torch.log_softmax(LOGITS * 0.5, -1)
    soft = -(torch.softmax(LOGITS, -1) * logs).sum(-1).mean()
    torch.testing.assert_close(second, 0.7 * cross_entropy(LOGITS * 0.5, LABELS).mean() + 0.3 * soft)


def test_an_example_seen_for_the_first_time_has_its_label_only():
    session = attach(SelfDistillation("previous", share=1.0))
    session.step(Batch(LOGITS[:5], LABELS[:5], index=torch.arange(5)))
    loss = session.step(Batch(LOGITS[5:], LABELS[5:], index=torch.arange(5, 10))).loss.detach()
    torch.testing.assert_close(loss, cross_entropy(LOGITS[5:], LABELS[5:]).mean())


@pytest.mark.parametrize("name", ["mlp", "convnet"])
def test_the_average_teaches_and_follows(name):
    problem = PROBLEMS[name]
    session = attach_to(Recipe(SelfDistillation(share=0.4, decay=0.9)), problem, dtype=torch.float64)
    start = session.solo.home.clone(owned=True)
    train(session, problem, [0], torch.float64)
    teacher = session._memory["self_distillation"]["teacher"]
    for n in start.names:
        torch.testing.assert_close(teacher[n], 0.9 * start[n] + 0.1 * session.solo.home[n], rtol=1e-9, atol=1e-12)
    own = {n: p.detach().clone() for n, p in session.model.named_parameters()}
    batch = problem.batch(1, torch.float64)
    with torch.no_grad():
        twin = problem.model(torch.float64).train()
        twin.load_state_dict({**session.model.state_dict(), **{n: teacher[n] for n in teacher.names}})
        said = torch.softmax(twin(batch.inputs), -1)
        twin.load_state_dict({**session.model.state_dict(), **own})
        logs = torch.log_softmax(twin(batch.inputs), -1)
    wanted = 0.6 * problem.loss(logs, batch.targets).mean() - 0.4 * (said * logs).sum(-1).mean()
    loss = session.step(batch).loss.detach()
    torch.testing.assert_close(loss, wanted, rtol=1e-9, atol=1e-12)


def test_the_teacher_sees_the_same_blend():
    problem = PROBLEMS["mlp"]
    session = attach_to(Recipe(SelfDistillation(share=0.5), MixUp(1.0)), problem)
    train(session, problem, range(3))
    assert session.steps == 3


def test_what_cannot_be_remembered_is_refused():
    with pytest.raises(RecipeError, match="SelfDistillation"):
        Recipe(SelfDistillation("previous"), MixUp())
    with pytest.raises(RecipeError, match="without index"):
        attach(SelfDistillation("previous")).loss((LOGITS, LABELS))
    with pytest.raises(SettingError, match="average"):
        SelfDistillation("teacher")
    with pytest.raises(SettingError, match="decay"):
        SelfDistillation(decay=1.0)


def test_settings_carry_their_own_price():
    assert (SelfDistillation().cost.forwards, SelfDistillation("previous").cost.forwards) == (2, 1)


def test_a_regression_is_refused_by_name():
    with pytest.raises(RecipeError, match="SelfDistillation"):
        value(SelfDistillation("previous"), LOGITS[:, :1], torch.zeros(10), loss=lambda z, y: z.squeeze(1) - y)
