"""The reader of answers: tensors, tuples, dicts, objects with logits, and the model's own loss."""

from collections import namedtuple
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

import temperance as t
from temperance.core.batch import Batch
from temperance.core.criterion import Criterion, main_output
from temperance.core.embedding import OnEmbeddings
from temperance.records.errors import RecipeError

X, Y = torch.randn(6, 5), torch.randint(0, 3, (6,))
LOGITS, HIDDEN = torch.randn(6, 3), torch.randn(6, 4, 8)


def attach(recipe, model, loss, **more):
    return t.Recipe(*recipe).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=loss, **more)


@pytest.mark.parametrize(
    "answer",
    [LOGITS, {"logits": LOGITS, "hidden": HIDDEN}, (LOGITS, (HIDDEN, HIDDEN)), [LOGITS], {"answer": LOGITS},
     (torch.tensor(1.0), LOGITS), {"loss": torch.tensor(1.0), "prediction_logits": LOGITS, "hidden": HIDDEN},
     namedtuple("Out", "logits aux")(LOGITS, HIDDEN), {"out": LOGITS, "aux": HIDDEN}],
)  # fmt: skip
def test_the_main_part_of_an_answer(answer):
    assert main_output(answer) is LOGITS


@pytest.mark.parametrize(
    "answer", [{"start_logits": LOGITS, "end_logits": LOGITS}, {"last_hidden_state": HIDDEN}, None]
)
def test_an_answer_without_a_clear_main_part_stays_whole(answer):
    assert main_output(answer) is answer


class Giving(nn.Module):
    """A classifier that wraps its logits."""

    def __init__(self, wrap):
        super().__init__()
        torch.manual_seed(0)
        self.inner, self.wrap = nn.Linear(5, 3), wrap

    def forward(self, x):
        return self.wrap(self.inner(x))


WRAPS = [lambda z: {"logits": z, "extra": z.sum()}, lambda z: (z, None), lambda z: [z]]


@pytest.mark.parametrize("wrap", WRAPS)
def test_torchs_own_loss_and_techniques_get_the_logits(wrap):
    model = Giving(wrap)
    session = attach([t.LabelSmoothing(0.2)], model, F.cross_entropy)
    expected = F.cross_entropy(model.inner(X), Y, label_smoothing=0.2)
    passed = session.step((X, Y))
    torch.testing.assert_close(passed.loss, expected)
    assert passed.outputs.shape == (6, 3)
    assert type(passed.raw) is type(wrap(LOGITS))
    assert session.validate([(X, Y)], metric="accuracy")["metric"] <= 1.0


def test_a_users_loss_gets_the_whole_answer():
    def loss(out, y):
        return F.cross_entropy(out["logits"], y) + out["extra"].square()

    session = attach([t.ConfidencePenalty(0.1)], Giving(WRAPS[0]), loss)
    out = session.model.inner(X)
    logs = torch.log_softmax(out, 1)
    expected = F.cross_entropy(out, Y) + out.sum().square() + 0.1 * (logs.exp() * logs).sum(1).mean()
    torch.testing.assert_close(session.step((X, Y)).loss, expected)


def test_outputs_and_logits_say_what_is_what():
    model = Giving(lambda z: {"left": z, "right": -z})
    with pytest.raises(RecipeError, match=r"Giving gives: dict with 'left', 'right'.*outputs=lambda"):
        attach([], model, F.cross_entropy).step((X, Y))
    model = Giving(lambda z: {"left": z, "right": -z})
    session = attach([t.LabelSmoothing(0.2)], model, F.cross_entropy, outputs=lambda out: out["right"])
    expected = F.cross_entropy(-model.inner(X), Y, label_smoothing=0.2)
    torch.testing.assert_close(session.step((X, Y)).loss, expected)
    model = Giving(lambda z: {"left": z, "right": -z})

    def loss(out, y):
        return F.cross_entropy(out["left"], y)

    with pytest.raises(RecipeError, match=r"dict with 'left', 'right'.*LabelSmoothing needs logits.*logits=lambda"):
        attach([t.LabelSmoothing(0.2)], model, loss).step((X, Y))
    model = Giving(lambda z: {"left": z, "right": -z})
    session = attach([t.LabelSmoothing(0.2)], model, loss, logits=lambda out: out["left"])
    expected = F.cross_entropy(model.inner(X), Y, label_smoothing=0.2)
    torch.testing.assert_close(session.step((X, Y)).loss, expected)


def test_an_lstm_and_a_packed_sequence():
    packed = nn.utils.rnn.pack_sequence([torch.randn(4, 5), torch.randn(2, 5)])

    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.head = nn.LSTM(5, 6, batch_first=True), nn.Linear(6, 3)

        def forward(self, x):
            _, (h, _) = self.rnn(x)
            return self.head(h[-1]), h

    session = attach([t.LabelSmoothing(0.1), t.WeightDecay(0.01)], Recurrent(), F.cross_entropy)
    assert session.step((packed, Y[:2])).loss.isfinite()
    with pytest.raises(RecipeError, match=r"MixUp got a PackedSequence.*pad_packed_sequence"):
        attach([t.MixUp(0.2)], Recurrent(), F.cross_entropy).step((packed, Y[:2]))
    padded = torch.randn(3, 7, 5), torch.randint(0, 6, (3, 7))
    alone = attach([t.LabelSmoothing(0.1)], nn.LSTM(5, 6, batch_first=True), lambda out, y: F.cross_entropy(
        out[0].movedim(-1, 1), y))  # fmt: skip
    assert alone.step(padded).loss.isfinite()


def test_a_lost_loss_is_told():
    with pytest.raises(RecipeError, match=r"loss=None was given, and Giving.forward takes no 'labels'"):
        attach([], Giving(WRAPS[0]), None).step((X, Y))
    with pytest.raises(RecipeError, match=r"loss=None was given, and Giving gives .*without a loss"):
        attach([], Giving(WRAPS[0]), None).step((X, None))


def test_compiled_steps_read_alike():
    from temperance.core.optimizers import AdamW

    pure = t.compile_recipe(t.Recipe(t.LabelSmoothing(0.2)), Giving(WRAPS[0]), F.cross_entropy, AdamW(lr=1e-3))
    _, notes = pure(pure.begin(seed=0), {"x": X, "labels": Y})
    expected = F.cross_entropy(Giving(WRAPS[0]).inner(X), Y, label_smoothing=0.2)
    torch.testing.assert_close(notes["loss"].float(), expected)


def test_counts_of_rows_and_of_places():
    criterion = Criterion(F.cross_entropy, nn.Linear(5, 3))
    y = torch.tensor([[0, 1, -100], [2, -100, -100]])
    criterion(torch.randn(2, 3, 3), y)
    assert criterion.row_counts(Batch(y, y)).tolist() == [2.0, 1.0]
    assert criterion.count(Batch(y, y, weight=torch.tensor([1.0, 4.0]))).item() == 6.0
    plain = Criterion(nn.CrossEntropyLoss(reduction="none"), nn.Linear(5, 3))
    plain(LOGITS, Y)
    assert plain.row_counts(Batch(X, Y)) is None
    assert plain.count(Batch(X, Y)) == 6
    assert plain.shares([Batch(X, Y), Batch(X[:3], Y[:3])]) == [2 / 3, 1 / 3]


# -- Hugging Face ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hub():
    return pytest.importorskip("transformers")


def classifier(hub, labels=3, **more):
    torch.manual_seed(0)
    return hub.BertForSequenceClassification(
        hub.BertConfig(vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
                       num_labels=labels, max_position_embeddings=32, hidden_dropout_prob=0.0,
                       attention_probs_dropout_prob=0.0, **more)
    )  # fmt: skip


def causal(hub):
    torch.manual_seed(0)
    return hub.GPT2LMHeadModel(
        hub.GPT2Config(vocab_size=40, n_embd=16, n_layer=1, n_head=2, n_positions=32, resid_pdrop=0.0, embd_pdrop=0.0,
                       attn_pdrop=0.0)
    )  # fmt: skip


def text(rows=4, length=7, seed=0):
    torch.manual_seed(seed)
    ids = torch.randint(0, 40, (rows, length))
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": torch.randint(0, 3, (rows,))}


def test_a_batch_of_the_trainer_with_a_loss_and_with_the_models_own(hub):
    batch = text()
    model = classifier(hub).train()
    out = model(batch["input_ids"], batch["attention_mask"], labels=batch["labels"])
    for loss in (F.cross_entropy, None, lambda out, y: F.cross_entropy(out.logits, y)):
        session = attach([], classifier(hub), loss)
        passed = session.step(hub.BatchEncoding(batch))
        torch.testing.assert_close(passed.loss, out.loss)
        assert passed.outputs.shape == (4, 3)
        assert session.validate([batch])["valid_loss"] > 0
        smooth = attach([t.LabelSmoothing(0.2)], classifier(hub), loss).step(batch).loss
        torch.testing.assert_close(smooth, F.cross_entropy(out.logits, batch["labels"], label_smoothing=0.2))


NEEDS_LOGITS = [
    t.LabelSmoothing(0.1), t.ConfidencePenalty(0.1), t.Focal(2.0), t.MaxSup(0.5), t.MarginSmoothing(0.5),
    t.GeneralizedCrossEntropy(0.5), t.SymmetricCrossEntropy(), t.RDrop(1.0, p=0.0), t.SelfDistillation(share=0.5),
    t.OnlineLabelSmoothing(), t.EarlyLearning(), t.AdaFocal(),
]  # fmt: skip


@pytest.mark.parametrize("one", NEEDS_LOGITS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("loss", [F.cross_entropy, None])
def test_techniques_on_logits_act_on_a_text_classifier(hub, one, loss):
    batch = {**text(), "index": torch.arange(4)}
    session = attach([one], classifier(hub), loss, steps_per_epoch=2, epochs=2)
    plain = attach([], classifier(hub), loss, steps_per_epoch=2, epochs=2)
    for _ in range(2):
        assert session.step(batch).loss.isfinite()
        plain.step(batch)
    if type(one).__name__ not in (
        "RDrop",
        "OnlineLabelSmoothing",
        "MarginSmoothing",
    ):
        pairs = zip(session.model.parameters(), plain.model.parameters(), strict=True)
        assert any(not torch.equal(a, b) for a, b in pairs)


def test_mixing_needs_a_loss_of_its_own_and_mixes_the_vectors_of_tokens(hub):
    rows = {"inputs_embeds": torch.randn(4, 7, 16), "labels": text()["labels"]}
    with pytest.raises(RecipeError, match="BertForSequenceClassification computes its own loss"):
        attach([t.MixUp(0.2)], classifier(hub), None).step(rows)
    assert attach([t.MixUp(0.2)], classifier(hub), F.cross_entropy).step(rows).loss.isfinite()
    with pytest.warns(OnEmbeddings, match="MixUp acts on the vectors"):
        attach([t.MixUp(0.2)], classifier(hub), F.cross_entropy).step(text())


def shifted(out, y, reduction="mean"):
    return F.cross_entropy(out.logits[:, :-1].flatten(0, 1), y[:, 1:].flatten(), reduction=reduction)


def test_a_language_models_own_loss_shifts_and_so_do_techniques(hub):
    model, ids = causal(hub), text()["input_ids"]
    labels = ids.clone()
    labels[0, 2:] = -100
    batch = {"input_ids": ids, "labels": labels}
    out = model(ids, labels=labels)
    found = attach([t.LabelSmoothing(0.2)], causal(hub), None).step(batch).loss
    logits, after = out.logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten()
    torch.testing.assert_close(found, F.cross_entropy(logits, after, label_smoothing=0.2))

    def own(out, y):
        return F.cross_entropy(out.logits[:, :-1].flatten(0, 1), y[:, 1:].flatten())

    for reduction in ("mean", "none"):
        told = attach([t.LabelSmoothing(0.2)], causal(hub), partial(shifted, reduction=reduction)).step(batch)
        torch.testing.assert_close(told.loss, F.cross_entropy(logits, after, label_smoothing=0.2))
    with pytest.raises(RecipeError, match="whether it compares place t with t"):
        attach([t.LabelSmoothing(0.2)], causal(hub), lambda out, y: 2 * shifted(out, y)).step(batch)
    parts = [{name: part[rows] for name, part in batch.items()} for rows in (slice(0, 1), slice(1, 4))]
    grads = []
    for given in (batch, parts):
        one = causal(hub)
        attach([], one, None).step(given)
        grads.append(torch.cat([p.grad.flatten() for p in one.parameters()]))
    torch.testing.assert_close(*grads, rtol=1e-4, atol=1e-6)


def test_a_model_without_logits_is_refused_truthfully(hub):
    torch.manual_seed(0)
    model = hub.BertModel(classifier(hub).config)
    batch = (text()["input_ids"], torch.zeros(4, dtype=torch.int64))
    with pytest.raises(RecipeError, match=r"'last_hidden_state', 'pooler_output'.*MaxSup needs logits"):
        attach([t.MaxSup(0.5)], model, lambda out, y: F.cross_entropy(out.pooler_output, y)).step(batch)


def test_a_text_classifier_with_several_labels_and_its_own_loss(hub):
    model = classifier(hub, problem_type="multi_label_classification")
    batch = {**text(), "labels": torch.randint(0, 2, (4, 3)).float()}
    out = model(**batch)
    assert attach([], classifier(hub, problem_type="multi_label_classification"), None).step(batch).loss.item() == (
        pytest.approx(out.loss.item(), rel=1e-5)
    )
    smooth = attach([t.LabelSmoothing(0.2)], model, None).step(batch).loss
    expected = F.binary_cross_entropy_with_logits(out.logits, batch["labels"] * 0.8 + 0.1)
    torch.testing.assert_close(smooth, expected)


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize(
    "loss", [F.mse_loss, nn.MSELoss(reduction="none"), lambda out, y: (out - y) ** 2], ids=["f", "m", "lambda"]
)
def test_outputs_and_targets_that_broadcast_are_refused(loss):
    """(b, 1) minus (b,) compares every row with every other: a net learns the mean, without a word."""
    criterion = Criterion(loss, nn.Linear(2, 1))
    out, y = torch.zeros(6, 1), torch.arange(6.0)
    with pytest.raises(RecipeError, match=r"every row would be compared with every other.*y\[:, None\]"):
        criterion(out, y)
    assert Criterion(loss, nn.Linear(2, 1))(out, y[:, None]).mean() == pytest.approx(55 / 6)
    squeezed = Criterion(loss, nn.Linear(2, 1), outputs=lambda raw: raw.squeeze(1))
    assert squeezed(out, y).mean() == pytest.approx(55 / 6)


def test_a_loss_that_pairs_columns_with_rows_itself_is_taken():
    criterion = Criterion(lambda out, y: (out[:, 0] - y).abs(), nn.Linear(2, 1))
    assert criterion(torch.zeros(6, 1), torch.arange(6.0)).shape == (6,)


def test_a_loss_of_the_package_that_pairs_by_itself_is_taken():
    from temperance.models.loss import squared_error

    found = Criterion(squared_error, nn.Linear(2, 1))(torch.zeros(6, 1), torch.arange(6.0))
    assert found.mean() == pytest.approx(55 / 6)


class Places(nn.Module):
    """Logits (b, t, c), as they are or under a name."""

    def __init__(self, named):
        super().__init__()
        torch.manual_seed(1)
        self.inner, self.named = nn.Linear(3, 7).double(), named

    def forward(self, x):
        return {"logits": self.inner(x)} if self.named else self.inner(x)


def next_place(outputs, labels, **more):
    logits = outputs["logits"] if isinstance(outputs, dict) else outputs
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), **more)


def places(kind=torch.float64):
    torch.manual_seed(0)
    labels = torch.randint(0, 7, (8, 6))
    labels[:3, 3:] = -100
    return torch.randn(8, 6, 3).to(kind), labels


def gradient(recipe, model, loss, batch, before=(), **more):
    session = t.Recipe(*recipe).attach(model, torch.optim.SGD(model.parameters(), lr=0.0), loss=loss, **more)
    for one in before:
        session.step(one)
    session.gradients(batch)
    return torch.cat([p.grad.flatten().double() for p in model.parameters()])


def apart(first, second):
    return float((first - second).norm() / second.norm())


@pytest.mark.parametrize("technique", [t.LabelSmoothing(0.1), t.GeneralizedCrossEntropy(0.7), t.DFT()])
def test_a_shifted_loss_is_paired_over_a_plain_tensor_too(technique):
    plain, named = (gradient([technique], Places(is_named), next_place, places()) for is_named in (False, True))
    assert apart(plain, named) < 1e-12
    if isinstance(technique, t.LabelSmoothing):
        smoothed = gradient([], Places(named=False), partial(next_place, label_smoothing=0.1), places())
        assert apart(plain, smoothed) < 1e-12


def test_unreduced_shifted_losses_weigh_micro_batches_by_their_places():
    x, y = places()
    loss = partial(next_place, reduction="none")
    whole = gradient([], Places(named=False), loss, (x, y))
    assert apart(gradient([], Places(named=False), loss, [(x[:3], y[:3]), (x[3:], y[3:])]), whole) < 1e-12


@pytest.mark.filterwarnings("ignore::temperance.core.readings.NotNumbers")
def test_a_batch_in_which_nothing_counts_teaches_nothing_of_the_loss():
    x, y = places()
    odd = (x, torch.full_like(y, -100))
    after = gradient([t.DFT()], Places(named=True), next_place, (x, y), before=[odd], nan="skip")
    assert apart(after, gradient([t.DFT()], Places(named=True), next_place, (x, y))) < 1e-12


def test_a_loss_of_its_own_kind_over_places_is_not_guessed():
    def loss(outputs, labels):
        return next_place(outputs, labels) + 0.01 * outputs["logits"].logsumexp(-1).square().mean()

    with pytest.raises(RecipeError, match="only it knows whether it compares place t with t \\+ 1"):
        gradient([t.DFT()], Places(named=True), loss, places())
