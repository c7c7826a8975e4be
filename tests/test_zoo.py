"""Transformers of many kinds × all techniques: what runs acts and is silent at inference; what refuses is right."""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from temperance import Recipe, StochasticDepth
from temperance.core.batch import Batch
from temperance.core.embedding import OnEmbeddings
from temperance.core.regularizer import Regularizer, techniques
from temperance.records.errors import RecipeError, SettingError

hf = pytest.importorskip("transformers")

ROWS, LONG, WORDS, CLASSES = 8, 6, 32, 3
_TEXT = {
    "vocab_size": WORDS,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_labels": CLASSES,
}
_BERT = {**_TEXT, "intermediate_size": 24, "max_position_embeddings": 16, "initializer_range": 0.3}
_IMAGE = {"image_size": 16, "num_channels": 3, "num_labels": CLASSES}


@dataclass(frozen=True)
class Animal:
    """One architecture.

    Attributes:
        kind: ``text``, ``tokens`` (a class per token), ``image``, ``pixels`` or ``sound``.
        build: gives the model.
        inputs: gives what the model takes, of ``ROWS`` rows.
        targets: gives what the loss takes.

    """

    kind: str
    build: Callable[[], nn.Module]
    inputs: Callable[[torch.Generator], dict[str, Tensor]]
    targets: Callable[[torch.Generator], Tensor]

    def model(self) -> nn.Module:
        """Return it with the weights of seed 0, in training mode."""
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return self.build().train()

    def batch(self, seed: int) -> dict[str, Tensor]:
        """Return a batch as a loader of transformers gives it."""
        generator = torch.Generator().manual_seed(seed)
        return {**self.inputs(generator), "labels": self.targets(generator)}


def loss(outputs: Any, targets: Tensor) -> Tensor:
    """Return the cross-entropy per row, token or pixel; the answer's logits where it has several parts."""
    logits = getattr(outputs, "logits", outputs)
    if logits.dim() == 3:
        return functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
    if logits.dim() == 4 and logits.shape[-2:] != targets.shape[-2:]:
        logits = functional.interpolate(logits, targets.shape[-2:])
    return functional.cross_entropy(logits, targets, reduction="none")


def _ids(generator: torch.Generator) -> Tensor:
    return torch.randint(3, WORDS, (ROWS, LONG), generator=generator)


def _text(generator: torch.Generator) -> dict[str, Tensor]:
    mask = torch.ones(ROWS, LONG, dtype=torch.int64)
    mask[::2, -2:] = 0
    return {"input_ids": _ids(generator), "attention_mask": mask}


def _pair(generator: torch.Generator) -> dict[str, Tensor]:
    return {**_text(generator), "decoder_input_ids": _ids(generator)}


def _image(generator: torch.Generator) -> dict[str, Tensor]:
    return {"pixel_values": torch.randn(ROWS, 3, 16, 16, generator=generator)}


def _sound(generator: torch.Generator) -> dict[str, Tensor]:
    return {"input_values": torch.randn(ROWS, 400, generator=generator)}


def _class(generator: torch.Generator) -> Tensor:
    return torch.randint(CLASSES, (ROWS,), generator=generator)


def _pixels(generator: torch.Generator) -> Tensor:
    return torch.randint(CLASSES, (ROWS, 16, 16), generator=generator)


def _of(model: type, config: Any, **settings: Any) -> Callable[[], nn.Module]:
    return lambda: model(config(**settings))


def _decoder(model: type, config: Any, **settings: Any) -> Callable[[], nn.Module]:
    return _of(
        model, config, **_BERT, num_key_value_heads=1, pad_token_id=0, bos_token_id=1, eos_token_id=2, **settings
    )


def _pair_of(model: type, config: Any) -> Callable[[], nn.Module]:
    return _of(
        model, config, vocab_size=WORDS, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=24, decoder_ffn_dim=24, max_position_embeddings=16, pad_token_id=0,
        attention_dropout=0.1,
    )  # fmt: skip


ZOO: dict[str, Animal] = {
    "bert": Animal("text", _of(hf.BertForSequenceClassification, hf.BertConfig, **_BERT), _text, _class),
    "distilbert": Animal(
        "text",
        _of(
            hf.DistilBertForSequenceClassification, hf.DistilBertConfig, vocab_size=WORDS, dim=16, n_layers=2,
            n_heads=2, hidden_dim=24, max_position_embeddings=16, num_labels=CLASSES,
        ),
        _text, _class,
    ),
    "roberta": Animal("text", _of(hf.RobertaForSequenceClassification, hf.RobertaConfig, **_BERT), _text, _class),
    "electra": Animal(
        "text", _of(hf.ElectraForSequenceClassification, hf.ElectraConfig, **_BERT, embedding_size=16), _text, _class
    ),
    "albert": Animal(
        "text",
        _of(hf.AlbertForSequenceClassification, hf.AlbertConfig, **_BERT, embedding_size=8, hidden_dropout_prob=0.1),
        _text, _class,
    ),
    "gpt2": Animal(
        "text",
        _of(
            hf.GPT2ForSequenceClassification, hf.GPT2Config, vocab_size=WORDS, n_embd=16, n_layer=2, n_head=2,
            n_positions=16, num_labels=CLASSES, pad_token_id=0,
        ),
        _text, _class,
    ),
    "llama": Animal("tokens", _decoder(hf.LlamaForCausalLM, hf.LlamaConfig), _text, _ids),
    "mixtral": Animal(
        "tokens", _decoder(hf.MixtralForCausalLM, hf.MixtralConfig, num_local_experts=2), _text, _ids
    ),
    "bart": Animal("tokens", _pair_of(hf.BartForConditionalGeneration, hf.BartConfig), _pair, _ids),
    "t5": Animal(
        "tokens",
        _of(
            hf.T5ForConditionalGeneration, hf.T5Config, vocab_size=WORDS, d_model=16, d_kv=8, d_ff=24, num_layers=1,
            num_heads=2, decoder_start_token_id=0,
        ),
        _pair, _ids,
    ),
    "vit": Animal(
        "image",
        _of(
            hf.ViTForImageClassification, hf.ViTConfig, **_IMAGE, hidden_size=16, num_hidden_layers=2,
            num_attention_heads=2, intermediate_size=24, patch_size=4,
        ),
        _image, _class,
    ),
    "swin": Animal(
        "image",
        _of(
            hf.SwinForImageClassification, hf.SwinConfig, **_IMAGE, embed_dim=8, depths=[1, 1], num_heads=[2, 2],
            window_size=2, patch_size=2, drop_path_rate=0.1,
        ),
        _image, _class,
    ),
    "resnet": Animal(
        "image",
        _of(
            hf.ResNetForImageClassification, hf.ResNetConfig, num_channels=3, embedding_size=8, hidden_sizes=[8, 16],
            depths=[1, 1], layer_type="basic", num_labels=CLASSES,
        ),
        _image, _class,
    ),
    "clip": Animal(
        "image",
        lambda: hf.CLIPForImageClassification(
            hf.CLIPConfig(
                vision_config={
                    "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2,
                    "image_size": 16, "patch_size": 4,
                },
                text_config={"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "vocab_size": WORDS},
                num_labels=CLASSES,
            )
        ),
        _image, _class,
    ),
    "segformer": Animal(
        "pixels",
        _of(
            hf.SegformerForSemanticSegmentation, hf.SegformerConfig, num_labels=CLASSES, num_encoder_blocks=2,
            depths=[1, 1], sr_ratios=[2, 1], hidden_sizes=[8, 16], patch_sizes=[3, 3], strides=[2, 2],
            num_attention_heads=[1, 2], mlp_ratios=[2, 2], decoder_hidden_size=8,
        ),
        _image, _pixels,
    ),
    "wav2vec2": Animal(
        "sound",
        _of(
            hf.Wav2Vec2ForSequenceClassification, hf.Wav2Vec2Config, **_TEXT, intermediate_size=24, conv_dim=(8, 8),
            conv_kernel=(10, 3), conv_stride=(5, 2), num_feat_extract_layers=2, num_conv_pos_embeddings=4,
            num_conv_pos_embedding_groups=2, classifier_proj_size=8, mask_time_prob=0.0, layerdrop=0.0,
        ),
        _sound, _class,
    ),
}  # fmt: skip


ALL = {name: next(iter(cls.samples())) for name, cls in techniques.items()}
FEW = (
    "Dropout", "GaussianDropout", "RDrop", "StochasticDepth", "ConcreteDropout", "LabelSmoothing", "MixUp", "SAM",
    "WeightDecay", "EMA", "VAT", "SpectralNorm",
)  # fmt: skip
AT_INFERENCE = {"SpectralNorm"}  # it scales the weights that the layers see, until ``finish`` writes them
# Strengths that bind on nets as small as these, and places that are there.
SETTINGS = {
    "FrozenPrefix": {"until": 1.0, "gradual": False},  # in four steps all would be thawed
    "MarginSmoothing": {"margin": 0.1}, "MaxNorm": {"norm": 0.1}, "GradientClipping": {"norm": 0.01},
    "LoRADropout": {"at": "*[qk]*"},
    "JacobianPenalty": {"weight": 1e-4},  # embeddings of .02 make slopes of 10,000s: the usual one drives mixtral off
}  # fmt: skip
# It pulls back only what the gradient drives away from the start, which in these few steps it does not here.
MAY_REST = {("segformer", "SelectiveProjectionDecay")}
IMAGES = {"AdaptiveAugmentation", "AugMix", "CutMix", "Cutout", "RandomColor", "RandomCrop", "RandomFlip",
          "TrivialAugment"}  # fmt: skip
ON_TOKENS = {"NEFTune", "TokenDropout"}
REAL = {"GradientPenalty", "R1"}
# Why a technique cannot work on a kind of data: {kind: {technique: what the refusal says}}.
DATA = {
    "text": {
        **dict.fromkeys(IMAGES, "found no image among the inputs"),
        "GradientPenalty": "real and 0 generated rows|found no floating tensor|not one number per row",
        "R1": "found no floating tensor|not one number per row",
    },
    "image": {
        **dict.fromkeys(ON_TOKENS, "found no tokens among the inputs"),
        "TabularCorruption": "found no table",
        "GradientPenalty": "real and 0 generated rows",
    },
    "sound": {
        **dict.fromkeys(ON_TOKENS, "found no tokens among the inputs"),
        **dict.fromkeys(IMAGES, "found no image among the inputs"),
        **dict.fromkeys({"InputGradientPenalty", "JacobianPenalty", *REAL}, "sets requires_grad on what it makes"),
    },
    "pixels": {
        "TabularCorruption": "found no table",
        **dict.fromkeys(ON_TOKENS, "found no tokens among the inputs"),
        **dict.fromkeys(REAL, "not one number per row"),
        **dict.fromkeys(IMAGES, "would stay where it is|which would stay|one answer per image|moves images"),
    },
}
# Why it cannot work on a model.
LAYERS = {
    "DropBlock": "no nn.Conv2d with activation|saw no feature map",
    "GhostBatchNorm": "finds no BatchNorm layer",
    "StochasticDepth": "finds no residual branch",
    "NormSAM": "finds no normalization layer",
    "SpectralNorm": "whose weight is computed anew",
    "LoRADropout": "matches none of the model's|matches containers only",
    "ManifoldMixUp": "needs a tensor with one row|embeds two texts",
    **dict.fromkeys(("MixUp", "RegMixUp"), "embeds two texts"),
    **dict.fromkeys(("LayerwiseRateDecay", "FrozenPrefix"), "cannot see in which order"),
}
ALWAYS = {"CMixUp": "needs numbers"}
# Per token and per pixel: who needs one answer per example, or labels of the outputs' size.
PLACES = "one answer per example|needs one label for each place|needs one class|the labels have shape|compares place t"
BATCH_NORM = {"resnet", "segformer"}


def outcome(animal: str, one: Regularizer) -> tuple[bool, str]:
    """Return whether it ran, and the refusal. Raises where it ran and did not act, or was loud at inference."""
    beast, name = ZOO[animal], type(one).__name__
    model = beast.model()
    names = {n for n, _ in model.named_parameters()}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    batches = [batch_of(beast, i) for i in range(2)]
    try:
        session = Recipe(one).attach(model, optimizer, loss=loss, epochs=2, steps_per_epoch=2)
        for _ in range(2):
            for batch in batches:
                assert bool(torch.isfinite(session.step(batch).loss))
            session.validate(batches)
    except (RecipeError, SettingError) as refusal:
        return False, str(refusal)
    evidence = session.proof(batches[0])[0]
    assert evidence.acted or (animal, name) in MAY_REST, f"{name} on {animal}: {evidence.evidence}"
    assert evidence.silent or name in AT_INFERENCE, f"{name} on {animal} acts at inference: {evidence.evidence}"
    session.finish(batches=batches)
    assert {n for n, _ in model.named_parameters()} == names
    inputs = batches[0].inputs
    with torch.no_grad():
        assert torch.equal(model(**inputs).logits, model(**inputs).logits)
    return True, ""


def batch_of(beast: Animal, number: int) -> Batch:
    made = beast.batch(number)
    return Batch(made, made.pop("labels"), index=torch.arange(ROWS) + ROWS * number)


def chosen(animal: str, name: str) -> Regularizer:
    given = {**SETTINGS, "StochasticDepth": {"at": "*attention.output.dense"}} if animal == "bert" else SETTINGS
    return replace(ALL[name], **given.get(name, {}))


def is_true(animal: str, name: str, refusal: str) -> bool:
    """Return whether a refusal is one that is known to be right for this model and its data."""
    kind = ZOO[animal].kind
    data = {**DATA["text"], **DATA.get(kind, {})} if kind == "tokens" else DATA[kind]
    known = [table[name] for table in (data, LAYERS, ALWAYS) if name in table]
    if kind in ("tokens", "pixels"):
        known.append(PLACES)
    return any(re.search(pattern, refusal) for pattern in known)


def check(animal: str, name: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OnEmbeddings)  # who acts on vectors says in which units
        ran, refusal = outcome(animal, chosen(animal, name))
    assert ran or name in refusal, f"the refusal does not name {name}: {refusal}"
    assert ran or is_true(animal, name, refusal), f"{name} refuses {animal}: {refusal}"
    return ran


def test_at_least_70_of_83_run_on_a_text_classifier() -> None:
    assert len(ALL) >= 83
    ran = {name for name in ALL if check("bert", name)}
    assert len(ran) >= 70, sorted(set(ALL) - ran)


@pytest.mark.parametrize("animal", [name for name in ZOO if name != "bert"])
def test_a_few_techniques_on_every_architecture(animal: str) -> None:
    ran = [name for name in FEW if check(animal, name)]
    assert len(ran) >= len(FEW) - 4, ran


@pytest.mark.slow
@pytest.mark.parametrize("animal", [name for name in ZOO if name != "bert"])
def test_every_technique_on_every_architecture(animal: str) -> None:
    ran = [name for name in ALL if check(animal, name)]
    assert len(ran) >= 35, sorted(set(ALL) - set(ran))


def test_stochastic_depth_takes_the_place_of_drop_path_and_dropout_that_of_all_rates() -> None:
    swin = ZOO["swin"].model()
    optimizer = torch.optim.SGD(swin.parameters(), lr=0.05)
    session = Recipe(StochasticDepth(0.4)).attach(swin, optimizer, loss=loss)
    rates = [m.drop_prob for m in swin.modules() if type(m).__name__ == "SwinDropPath"]
    assert rates
    assert max(rates) <= 0.4
    session.finish()
    gpt = ZOO["gpt2"].model()
    optimizer = torch.optim.SGD(gpt.parameters(), lr=0.05)
    session = Recipe(ALL["Dropout"]).attach(gpt, optimizer, loss=loss)
    session.set_strength("dropout.p", 0.0)
    batch = batch_of(ZOO["gpt2"], 0)
    with session.noise(), torch.no_grad():
        loud = gpt.train()(**batch.inputs).logits
    assert torch.equal(loud, gpt.eval()(**batch.inputs).logits)  # p = 0 leaves no noise on
