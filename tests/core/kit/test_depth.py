"""The layers of a net from input to head."""

import pytest
from torch import nn

from temperance.core.kit.depth import layers
from temperance.records.errors import RecipeError
from temperance.testing.problems import PROBLEMS


class Named(nn.Module):
    """A module with children of given names, in that order."""

    def __init__(self, **children: nn.Module) -> None:
        super().__init__()
        for name, child in children.items():
            self.add_module(name, child)


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dense, self.norm = nn.Linear(2, 2), nn.LayerNorm(2)


def encoder(count: int, **around: nn.Module) -> nn.Module:
    return Named(layer=nn.ModuleList(Block() for _ in range(count)), **around)


def parts(model: nn.Module, order=None) -> list[set[str]]:
    """Return the modules of each layer, by the name of their first two parts."""
    return [{name.rpartition(".")[0] for name in layer} for layer in layers(model, order, "Some")]


def test_embeddings_blocks_head() -> None:
    model = Named(
        embeddings=Named(word=nn.Embedding(3, 2), norm=nn.LayerNorm(2)), encoder=encoder(2), pooler=nn.Linear(2, 2),
        classifier=nn.Linear(2, 2),
    )  # fmt: skip
    assert parts(model) == [
        {"embeddings.word", "embeddings.norm"},
        {"encoder.layer.0.dense", "encoder.layer.0.norm"},
        {"encoder.layer.1.dense", "encoder.layer.1.norm"},
        {"pooler", "classifier"},
    ]


def test_one_block_is_a_list_too_and_late_embeddings_are_deepest() -> None:
    model = Named(encoder=encoder(1), positions=nn.Embedding(3, 2), head=nn.Linear(2, 2))
    assert parts(model) == [{"positions"}, {"encoder.layer.0.dense", "encoder.layer.0.norm"}, {"head"}]


def test_stages_beside_each_other_follow_each_other() -> None:
    stage = [nn.Sequential(Block(), Block()) for _ in range(2)]
    model = Named(stem=nn.Linear(2, 2), layer1=stage[0], layer2=stage[1], fc=nn.Linear(2, 2))
    first = [next(iter(sorted(one))) for one in parts(model)]
    assert first == ["stem", "layer1.0.dense", "layer1.1.dense", "layer2.0.dense", "layer2.1.dense", "fc"]


def test_a_chain_by_order_with_its_norms_and_the_chains_in_it() -> None:
    model = nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Conv2d(2, 2, 3)),
        nn.Flatten(),
        nn.Linear(2, 2),
    )
    assert parts(model) == [{"0.0", "0.1"}, {"0.3"}, {"2"}]


def test_every_parameter_has_one_place() -> None:
    for problem in PROBLEMS.values():
        model = problem.model()
        found = [name for layer in layers(model, None, "Some") for name in layer]
        assert sorted(found) == sorted(name for name, _ in model.named_parameters()), problem.name


def test_transformers_own_models() -> None:
    transformers = pytest.importorskip("transformers")
    small = {"num_attention_heads": 2, "intermediate_size": 8, "hidden_size": 4}
    bert = transformers.BertForSequenceClassification(
        transformers.BertConfig(vocab_size=9, num_hidden_layers=3, **small)
    )
    assert [len(one) for one in parts(bert)][1:4] == [8, 8, 8]
    assert parts(bert)[-1] == {"bert.pooler.dense", "classifier"}
    gpt = transformers.GPT2LMHeadModel(transformers.GPT2Config(vocab_size=9, n_embd=4, n_layer=2, n_head=2))
    assert parts(gpt)[0] == {"transformer.wte", "transformer.wpe"}
    assert parts(gpt)[-1] == {"transformer.ln_f"}  # its head is the embedding
    llama = transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=9, num_hidden_layers=2, **small))
    assert (len(parts(llama)), parts(llama)[-1]) == (4, {"model.norm", "lm_head"})


def test_an_order_that_cannot_be_seen_is_named() -> None:
    model = Named(tower=nn.Linear(2, 2), other=nn.Linear(2, 2))
    with pytest.raises(RecipeError, match=r"Some cannot see .* the parts tower, other.*order="):
        layers(model, None, "Some")
    towers = Named(text=encoder(2), image=encoder(2))
    with pytest.raises(RecipeError, match=r"the lists text.layer, image.layer"):
        layers(towers, None, "Some")
    assert parts(model, ("tower*", "*")) == [{"tower"}, {"other"}]


def test_patterns_that_do_not_fit_are_refused() -> None:
    model = Named(a=nn.Linear(2, 2), b=nn.Linear(2, 2))
    with pytest.raises(RecipeError, match=r"no place for the parameter 'b.weight'"):
        layers(model, ("a*",), "Some")
    with pytest.raises(RecipeError, match=r"'c\*' fits no parameter"):
        layers(model, ("a*", "c*", "*"), "Some")


def test_a_net_as_one_layer() -> None:
    assert len(layers(nn.Sequential(nn.Linear(2, 2)), ("*",), "Some")) == 1
