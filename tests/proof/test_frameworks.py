"""A watch in other people's loops: one line in Lightning, in a Hugging Face Trainer, on PEFT adapters."""

import copy
import sys
import warnings
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from temperance import proof

sys.path.insert(0, str(Path(__file__).parent))
from noops import Net, X, Y

pytestmark = pytest.mark.filterwarnings("ignore")


def rules(seen: proof.Watch) -> list[str]:
    report = seen.report()
    assert report.steps >= 4
    return [one.rule for one in report.warnings]


# -- Lightning --------------------------------------------------------------------------------------------------------


def lightning_run(tmp_path, **change):
    lightning = pytest.importorskip("lightning")

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = Net(0.3)
            self.averaged = copy.deepcopy(self.net)

        def forward(self, x):
            return self.net(x)

        def training_step(self, batch, _):
            return F.cross_entropy(self.net(batch[0]), batch[1])

        def on_validation_epoch_end(self):
            if change.get("average"):
                self.averaged.eval()
                self.averaged(X)

        def validation_step(self, batch, _):
            self.net(batch[0])

        def on_train_epoch_start(self):
            if change.get("evaluation"):
                self.net.eval()

        def configure_optimizers(self):
            optimizer = torch.optim.AdamW(self.net.parameters(), lr=1e-2, weight_decay=0.01)
            self.seen = proof.watch(self.net, optimizer)
            return optimizer

    rows = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, Y), batch_size=16)
    module = Module()
    trainer = lightning.Trainer(
        max_epochs=3, accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False,
        default_root_dir=tmp_path, gradient_clip_val=1.0, enable_checkpointing=not change, num_sanity_val_steps=0,
    )  # fmt: skip
    trainer.fit(module, rows, rows)
    return module.seen


def test_lightning(tmp_path):
    assert rules(lightning_run(tmp_path)) == []
    assert rules(lightning_run(tmp_path, evaluation=True)) == ["evaluation mode"]
    assert "average never updated" in rules(lightning_run(tmp_path, average=True))


# -- Trainer and PEFT -------------------------------------------------------------------------------------------------


def classifier(**change):
    transformers = pytest.importorskip("transformers")
    settings = {
        "vocab_size": 30, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
        "max_position_embeddings": 16, "num_labels": 2, **change,
    }  # fmt: skip
    return transformers.BertForSequenceClassification(transformers.BertConfig(**settings))


class Tokens(torch.utils.data.Dataset):
    def __len__(self):
        return 32

    def __getitem__(self, i):
        ids = torch.randint(30, (6,), generator=torch.Generator().manual_seed(i))
        return {"input_ids": ids, "attention_mask": torch.ones(6, dtype=torch.long), "labels": int(ids[0]) % 2}


def trainer_run(model, tmp_path, *, train=lambda model: None, watched=None, **settings):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    arguments = transformers.TrainingArguments(
        str(tmp_path), num_train_epochs=2, per_device_train_batch_size=8, weight_decay=0.01, eval_strategy="epoch",
        save_strategy="epoch", report_to=[], disable_tqdm=True, use_cpu=True, **settings,
    )  # fmt: skip
    trainer = transformers.Trainer(model, arguments, train_dataset=Tokens(), eval_dataset=Tokens())
    seen = proof.watch(watched or model, trainer.create_optimizer())
    train(model)
    trainer.train()
    return seen


def test_trainer(tmp_path):
    assert rules(trainer_run(classifier(), tmp_path)) == []

    model = classifier()
    model.bert.eval()

    def kept(mode=True):
        return model.bert

    model.bert.train = kept
    assert rules(trainer_run(model, tmp_path)) == ["block in evaluation mode"]


def test_the_decay_of_a_trainer_that_lost_its_groups(tmp_path):
    model = classifier()
    transformers = pytest.importorskip("transformers")
    bias = [p for n, p in model.named_parameters() if n.endswith("bias")]
    rest = [p for n, p in model.named_parameters() if not n.endswith("bias")]
    optimizer = torch.optim.AdamW(
        [{"params": bias, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}], lr=1e-3
    )
    seen = proof.watch(model, optimizer)
    arguments = transformers.TrainingArguments(
        str(tmp_path), max_steps=4, per_device_train_batch_size=8, report_to=[], disable_tqdm=True, use_cpu=True,
        save_strategy="no",
    )  # fmt: skip
    transformers.Trainer(model, arguments, train_dataset=Tokens(), optimizers=(optimizer, None)).train()
    assert rules(seen) == ["decay of the wrong ones"]


def test_peft(tmp_path):
    peft = pytest.importorskip("peft")

    def adapted():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            config = peft.LoraConfig(task_type="SEQ_CLS", r=2, lora_dropout=0.2, target_modules=["query", "value"])
            return peft.get_peft_model(classifier(), config)

    assert rules(trainer_run(adapted(), tmp_path)) == []
    model = adapted()
    for module in model.modules():
        if type(module).__name__ == "Linear" and hasattr(module, "lora_dropout"):
            unwired(module)
    assert rules(trainer_run(model, tmp_path)) == ["dropout not wired"]


def unwired(module: nn.Module) -> None:
    """Let an adapter forget its dropout, as a hand-written forward does."""

    def forward(x: torch.Tensor, *args: object, **kwargs: object) -> torch.Tensor:
        low = module.lora_B["default"](module.lora_A["default"](x))
        return module.base_layer(x) + low * module.scaling["default"]

    module.forward = forward
