"""The input embedding: which one is found, what is refused, what stays; equal to loops that move inputs_embeds."""

import copy
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.checkpoint import checkpoint

from temperance import TRADES, VAT, FGSMTraining, InputGradientPenalty, MixUp, NEFTune, Recipe
from temperance.core.batch import Batch
from temperance.core.embedding import OnEmbeddings
from temperance.core.random import beta_number, fold, normal, permutation, uniform
from temperance.records.errors import RecipeError

hf = pytest.importorskip("transformers")
pytestmark = pytest.mark.filterwarnings("ignore::temperance.core.embedding.OnEmbeddings")

BERT = {
    "vocab_size": 30, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "num_labels": 3,
    "intermediate_size": 24, "max_position_embeddings": 16, "initializer_range": 0.3, "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}  # fmt: skip
EPS, LR = 0.1, 0.5


def bert(**settings):
    torch.manual_seed(0)
    return hf.BertForSequenceClassification(hf.BertConfig(**{**BERT, **settings})).double().train()


def texts():
    torch.manual_seed(1)
    ids, mask = torch.randint(3, 30, (6, 5)), torch.ones(6, 5, dtype=torch.int64)
    mask[::2, -2:] = 0
    return {"input_ids": ids, "attention_mask": mask, "labels": torch.randint(3, (6,))}


def attach(one, model, **settings):
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    return Recipe(one).attach(model, optimizer, **{"loss": F.cross_entropy, "epochs": 1, "steps": 4, **settings})


def steps(session, count):
    for _ in range(count):
        session.step(texts())


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


class ByHand:
    """A model called with vectors that were moved by hand; padding is not."""

    def __init__(self, model, rows):
        self.model, self.rows = model, rows
        self.mask = rows["attention_mask"].unsqueeze(-1)
        self.shape = (*rows["input_ids"].shape, BERT["hidden_size"])

    def __call__(self, shift):
        vectors = self.model.get_input_embeddings()(self.rows["input_ids"]) + shift * self.mask
        return self.model(inputs_embeds=vectors, attention_mask=self.rows["attention_mask"]).logits

    def slope(self, value, at):
        self.model.eval()
        at = at.detach().requires_grad_()
        (found,) = torch.autograd.grad(value(self(at)), at)
        self.model.train()
        return found

    def train(self, loss):
        self.model.zero_grad()
        loss.backward()
        torch.optim.SGD(self.model.parameters(), lr=LR).step()


def kl(first, second):
    return F.kl_div(second.log_softmax(-1), first.log_softmax(-1), reduction="batchmean", log_target=True)


def known(hand):
    hand.model.eval()
    with torch.no_grad():
        answer = hand(torch.zeros(hand.shape, dtype=torch.float64))
    hand.model.train()
    return answer


def fgsm(hand, key):
    drawn = uniform(fold(key, "start", 0), hand.shape, torch.device("cpu"), torch.float64)
    start = (drawn - 0.5) * 2 * EPS
    up = hand.slope(lambda out: F.cross_entropy(out, hand.rows["labels"], reduction="sum"), start)
    return F.cross_entropy(hand((start + 1.25 * EPS * up.sign()).clamp(-EPS, EPS)), hand.rows["labels"])


def vat(hand, key):
    answer = known(hand)
    d = normal(fold(key, "start", 0), hand.shape, torch.device("cpu")).double()
    probe = 1e-3 * d / d.flatten(1).norm(dim=1)[:, None, None]
    up = hand.slope(lambda out: kl(answer, out), probe)
    far = EPS * up / up.flatten(1).norm(dim=1)[:, None, None]
    clean = hand(torch.zeros_like(far))
    return F.cross_entropy(clean, hand.rows["labels"]) + 2.0 * kl(clean.detach(), hand(far))


def trades(hand, key):
    answer = known(hand)
    at = (0.001 * normal(fold(key, "start", 0), hand.shape, torch.device("cpu")).double()).clamp(-EPS, EPS)
    for _ in range(2):
        at = (at + 0.25 * EPS * hand.slope(lambda out: kl(answer, out), at).sign()).clamp(-EPS, EPS)
    clean = hand(torch.zeros_like(at))
    return F.cross_entropy(clean, hand.rows["labels"]) + 6.0 * kl(clean, hand(at))


@pytest.mark.parametrize(
    ("one", "loss"),
    [(FGSMTraining(EPS, probe_every=0), fgsm), (VAT(2.0, eps=EPS), vat), (TRADES(eps=EPS, steps=2), trades)],
    ids=["fgsm", "vat", "trades"],
)
def test_it_equals_a_loop_that_moves_inputs_embeds(one, loss):
    ours, hand = bert(), ByHand(bert(), texts())
    session = attach(one, ours)
    for step in range(3):
        session.step(texts())
        (address,) = session.recipe.by_address
        hand.train(loss(hand, fold(fold(0, step), address)))
    start = weights(bert())
    assert (weights(ours) - start).norm() > 0.1
    torch.testing.assert_close(weights(ours), weights(hand.model), rtol=0, atol=1e-9)


def test_a_slope_penalty_equals_one_by_hand():
    ours, hand = bert(attn_implementation="eager"), ByHand(bert(attn_implementation="eager"), texts())
    attach(InputGradientPenalty(0.7), ours).step(texts())
    still = torch.zeros(hand.shape, dtype=torch.float64, requires_grad=True)
    loss = F.cross_entropy(hand(still), hand.rows["labels"])
    (up,) = torch.autograd.grad(loss, still, create_graph=True)
    hand.train(loss + 0.7 * (6 * up).square().sum() / 6)
    torch.testing.assert_close(weights(ours), weights(hand.model), rtol=0, atol=1e-9)


@pytest.mark.parametrize("one", [VAT(2.0, eps=EPS), FGSMTraining(EPS), NEFTune(1.0), MixUp(1.0)], ids=repr)
@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpointed_parts_run_again_on_the_same_vectors(one, reentrant):
    plain, spared = bert(hidden_dropout_prob=0.1), bert(hidden_dropout_prob=0.1)
    spared.activation_checkpointing_enable({"use_reentrant": reentrant})
    assert spared.is_activation_checkpointing
    for model in (plain, spared):
        session = attach(one, model)
        for _ in range(2):
            torch.manual_seed(5)
            session.step(texts())
    torch.testing.assert_close(weights(spared), weights(plain), rtol=0, atol=1e-12)


class Checkpointed(nn.Module):
    """A classifier whose embedding itself lies in the checkpointed part."""

    def __init__(self, spares):
        super().__init__()
        torch.manual_seed(0)
        self.spares, self.words = spares, nn.Embedding(30, 4, padding_idx=0)
        self.cell, self.head = nn.LSTM(4, 6, batch_first=True), nn.Linear(6, 3)

    def body(self, ids):
        return self.cell(self.words(ids))[0][:, -1]

    def forward(self, ids):
        hidden = checkpoint(self.body, ids, use_reentrant=False) if self.spares else self.body(ids)
        return self.head(hidden)


@pytest.mark.parametrize("one", [VAT(2.0), NEFTune(1.0), MixUp(1.0)], ids=repr)
def test_a_checkpointed_embedding_and_a_recurrent_net(one):
    ids, labels = texts()["input_ids"], texts()["labels"]
    ends = []
    for spares in (False, True):
        model = Checkpointed(spares).double()
        attach(one, model).step((ids, labels))
        ends.append(weights(model))
    assert not torch.equal(ends[0], weights(Checkpointed(False).double()))
    torch.testing.assert_close(*ends, rtol=0, atol=1e-12)


def test_padding_stays_and_the_rest_moves_no_further_than_eps():
    model, seen = bert(), []
    session = attach(FGSMTraining(EPS, probe_every=0), model)
    model.bert.embeddings.word_embeddings.weight.requires_grad_(False)
    model.bert.embeddings.LayerNorm.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach().clone()))
    rows = texts()
    with torch.no_grad():
        model.eval()(**{name: rows[name] for name in ("input_ids", "attention_mask")})
    still = seen.pop()
    model.train()
    session.step(rows)
    padding = rows["attention_mask"] == 0
    for moved in seen[1:]:  # the first is the look for the embedding
        assert torch.equal(moved[padding], still[padding])
        assert float((moved - still).abs().max()) <= EPS * (1 + 1e-9)
        assert float((moved - still)[~padding].abs().min()) > 0
    assert len(seen) == 3


def test_nothing_is_left_and_copies_are_plain():
    model = bert()
    words = model.get_input_embeddings()
    session = attach(VAT(), model)
    assert not words._forward_hooks  # it comes when it is needed
    session.step(texts())
    assert len(words._forward_hooks) == 1
    assert not copy.deepcopy(model).get_input_embeddings()._forward_hooks
    session.finish()
    assert not words._forward_hooks
    assert not any(name.startswith("_temperance") for m in model.modules() for name in m.__dict__)


def test_the_user_is_told_once_in_which_units():
    session = attach(VAT(), bert())
    with pytest.warns(
        OnEmbeddings, match="VAT acts on the vectors that 'bert.embeddings.word_embeddings' gives"
    ) as said:
        steps(session, 3)
    assert len(said) == 1
    words = session.model.get_input_embeddings().weight.detach()
    kept = texts()["input_ids"][texts()["attention_mask"] == 1]
    length = float(bert().get_input_embeddings().weight.detach()[kept].norm(dim=1).mean())
    assert f"a vector is {length:.3g} long" in str(said[0].message)
    assert words.shape == (30, 16)
    assert any("acts on the vectors" in sentence for sentence in session.warnings)


def gpt2():
    torch.manual_seed(0)
    return hf.GPT2LMHeadModel(hf.GPT2Config(
        vocab_size=30, n_embd=16, n_layer=1, n_head=2, n_positions=16, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
    )).double().train()  # fmt: skip


def test_tied_embeddings_learn_from_both_ends():
    model, ids = gpt2(), texts()["input_ids"]
    session = attach(NEFTune(2.0), model, loss=None)
    session.step({"input_ids": ids, "labels": ids})
    hand = gpt2()
    u = uniform(fold(fold(0, 0), "neftune"), (6, 5, 16), torch.device("cpu"), torch.float64) * 2 - 1
    out = hand(inputs_embeds=hand.transformer.wte(ids) + 2.0 / (5 * 16) ** 0.5 * u, labels=ids)
    out.loss.backward()
    torch.optim.SGD(hand.parameters(), lr=LR).step()
    assert hand.lm_head.weight is hand.transformer.wte.weight
    torch.testing.assert_close(weights(model), weights(hand), rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", ["t5", "bart"])
def test_of_an_encoder_decoder_the_encoder_is_moved(kind):
    torch.manual_seed(0)
    if kind == "t5":
        config = hf.T5Config(vocab_size=30, d_model=16, d_kv=8, d_ff=24, num_layers=1, num_heads=2, dropout_rate=0.0,
                             decoder_start_token_id=0)  # fmt: skip
        model = hf.T5ForConditionalGeneration(config)
    else:
        config = hf.BartConfig(vocab_size=30, d_model=16, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=24,
                               decoder_ffn_dim=24, encoder_attention_heads=2, decoder_attention_heads=2, dropout=0.0,
                               max_position_embeddings=16)  # fmt: skip
        model = hf.BartForConditionalGeneration(config)
    rows = texts()
    pair = {**rows, "decoder_input_ids": rows["input_ids"]}
    seen = {"encoder": [], "decoder": []}
    for name, into in seen.items():
        block = getattr(model.get_encoder() if name == "encoder" else model.get_decoder(), "layers", None)
        block = block or getattr(model, name).block
        block[0].register_forward_pre_hook(lambda _, given, named, into=into: into.append(
            (given[0] if given else named["hidden_states"]).detach().clone()
        ), with_kwargs=True)  # fmt: skip
    session = attach(NEFTune(3.0), copy.deepcopy(model).train(), loss=lambda out, y: out.logits.mean((1, 2)))
    session.step(pair)
    (still, moved), (same, too) = seen["encoder"], seen["decoder"]
    padding = rows["attention_mask"] == 0
    assert torch.equal(moved[padding], still[padding])
    assert float((moved - still)[~padding].abs().min()) > 0
    assert torch.equal(too, same)
    with pytest.raises(RecipeError, match="Give the batch decoder_input_ids too"):
        attach(VAT(), copy.deepcopy(model), loss=None).step({**rows, "labels": rows["input_ids"]})
    with pytest.raises(RecipeError, match=r"MixUp found that .* embeds two texts"):
        attach(MixUp(), copy.deepcopy(model), loss=lambda out, y: out.logits.sum((1, 2))).step(pair)


def test_micro_batches_are_moved_each_for_itself():
    one, rows = InputGradientPenalty(0.3), texts()
    whole, parts = bert(attn_implementation="eager"), bert(attn_implementation="eager")
    attach(one, whole).step(rows)
    attach(one, parts).step([{n: x[s] for n, x in rows.items()} for s in (slice(0, 2), slice(2, 6))])
    torch.testing.assert_close(weights(parts), weights(whole), rtol=0, atol=1e-9)


class Two(nn.Module):
    """Reads tokens and kinds by two embeddings."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.words, self.kinds = nn.Embedding(30, 4), nn.Embedding(2, 4)
        self.head = nn.Linear(4, 3)

    def forward(self, ids, kinds):
        return self.head((self.words(ids) + self.kinds(kinds)).mean(1))


class Said(Two):
    def get_input_embeddings(self):
        return self.words


class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.head = nn.EmbeddingBag(30, 4), nn.Linear(4, 3)

    def forward(self, ids):
        return self.head(self.words(ids))


class OneHot(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(30, 3)

    def forward(self, ids):
        return self.head(F.one_hot(ids, 30).float().mean(1))


def two():
    return torch.randint(30, (6, 5)), torch.randint(2, (6, 5))


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")  # PEFT's, which calls an older name
def test_an_adapter_around_the_embedding_is_mixed_with_it():
    peft = pytest.importorskip("peft")
    config = peft.LoraConfig(r=2, target_modules=["word_embeddings"], task_type="SEQ_CLS", init_lora_weights=False)
    torch.manual_seed(0)
    model, rows = peft.get_peft_model(bert(), config).double().train(), texts()
    key = fold(fold(0, 0), "mixup")
    share, partner = beta_number(fold(key, "share"), 1.0), permutation(fold(key, "partner"), 6, torch.device("cpu"))
    vectors = model.get_input_embeddings()(rows["input_ids"]) * rows["attention_mask"].unsqueeze(-1)
    mask = rows["attention_mask"] | rows["attention_mask"][partner]
    out = model(inputs_embeds=torch.lerp(vectors[partner], vectors, share), attention_mask=mask).logits
    two = [F.cross_entropy(out, y) for y in (rows["labels"], rows["labels"][partner])]
    passed = attach(MixUp(1.0), model).step(rows)
    torch.testing.assert_close(passed.loss.detach(), (share * two[0] + (1 - share) * two[1]).detach())


@pytest.mark.parametrize("one", [VAT(), MixUp(), NEFTune()], ids=repr)
def test_of_several_embeddings_none_is_guessed(one):
    with pytest.raises(RecipeError, match=r"'words' gets 'ids', 'kinds' gets 'kinds'.*get_input_embeddings"):
        attach(one, Two()).step((two(), texts()["labels"]))
    model = Said()
    attach(one, model).step((two(), texts()["labels"]))
    assert model.words._forward_hooks
    assert not model.kinds._forward_hooks


@pytest.mark.parametrize(("model", "why"), [(Bag, "EmbeddingBag"), (OneHot, "no embedding gets one of 'ids'")])
def test_other_ways_to_read_tokens_are_refused(model, why):
    with pytest.raises(RecipeError, match=f"VAT found no floating tensor among the inputs, and .*{why}"):
        attach(VAT(), model()).step((texts()["input_ids"], texts()["labels"]))


def test_bounds_and_masks_with_decimals_are_refused():
    with pytest.raises(RecipeError, match="low, high or fixed, and the inputs are whole numbers"):
        attach(FGSMTraining(low=0.0), bert()).step(texts())
    rows = {**texts(), "attention_mask": texts()["attention_mask"].double()}
    with pytest.raises(RecipeError, match=r"VAT found numbers with decimals in 'attention_mask'.*mask.long"):
        attach(VAT(), bert()).step(rows)


@pytest.mark.parametrize("one", [VAT(0.0), FGSMTraining(0.0), MixUp(0.0), NEFTune(0.0)], ids=repr)
def test_neutral_is_absent(one):
    ends = []
    for recipe in (Recipe(one), Recipe()):
        model = bert()
        session = recipe.attach(model, torch.optim.SGD(model.parameters(), lr=LR), loss=F.cross_entropy)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            session.step(texts())
        ends.append(weights(model))
    assert torch.equal(*ends)


def test_a_batch_keeps_its_own_form_for_the_user():
    session = attach(VAT(), bert())
    passed = session.step(Batch({n: x for n, x in texts().items() if n != "labels"}, texts()["labels"]))
    assert set(passed.batch.inputs) == {"input_ids", "attention_mask"}
