"""Small models of transformers at random init, rows for them, and Trainers that write no progress bars."""

import torch
import transformers
from torch import nn
from transformers import BertConfig, BertForSequenceClassification, LlamaConfig, LlamaForCausalLM, TrainingArguments

from temperance.integrations.transformers import RecipeTrainer

transformers.logging.set_verbosity_error()
WORDS, LENGTH = 40, 8


def classifier(*, dropout: float = 0.0, dtype=torch.float64, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=WORDS, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=LENGTH, num_labels=3, hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout,
    )  # fmt: skip
    return BertForSequenceClassification(config).to(dtype)


def language_model(*, dtype=torch.float64) -> nn.Module:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=WORDS, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=LENGTH, bos_token_id=0, eos_token_id=0, pad_token_id=0,
    )  # fmt: skip
    return LlamaForCausalLM(config).to(dtype)


def rows(count: int, *, seed: int = 0) -> list[dict]:
    """Return rows whose label is the class of the most frequent third of the vocabulary."""
    made = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, WORDS, (count, LENGTH), generator=made)
    labels = torch.stack([((ids * 3) // WORDS == k).sum(1) for k in range(3)], 1).argmax(1)
    return [
        {"input_ids": i, "attention_mask": torch.ones_like(i), "labels": int(y)}
        for i, y in zip(ids, labels, strict=True)
    ]


def sentences(count: int, *, seed: int = 0) -> list[dict]:
    """Return rows of tokens whose ends, of different lengths, do not count."""
    made = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, WORDS, (count, LENGTH), generator=made)
    labels = ids.clone()
    for i in range(count):
        labels[i, 2 + (5 * i) % (LENGTH - 1) :] = -100
    return [{"input_ids": i, "labels": y} for i, y in zip(ids, labels, strict=True)]


def arguments(folder, **named) -> TrainingArguments:
    plain = {
        "output_dir": str(folder), "report_to": [], "use_cpu": True, "disable_tqdm": True, "num_train_epochs": 2,
        "per_device_train_batch_size": 8, "per_device_eval_batch_size": 16, "learning_rate": 1e-2, "logging_steps": 2,
        "save_strategy": "no", "seed": 0, "weight_decay": 0.0, "max_grad_norm": 0.0, "dataloader_pin_memory": False,
    }  # fmt: skip
    return TrainingArguments(**plain | named)


def trainer(folder, recipe, *, model=None, data=None, kind=RecipeTrainer, init=None, **named):
    return kind(
        model if model is not None else classifier(), arguments(folder, **named), recipe=recipe,
        train_dataset=data if data is not None else rows(32), eval_dataset=rows(16, seed=1), **(init or {}),
    )  # fmt: skip


def weights(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: t.detach().clone() for name, t in model.state_dict().items()}


def assert_same(one, other, tolerance: float = 0.0) -> None:
    assert list(one) == list(other)
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=tolerance, atol=tolerance, msg=name)
