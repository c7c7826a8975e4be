"""KLAnchor and averages on adapters of PEFT."""

import warnings

import numpy as np
import pytest
import torch
import transformers

from temperance import DFT, EMA, KLAnchor, Recipe

peft = pytest.importorskip("peft")
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")  # what PEFT calls

IDS = torch.arange(24).reshape(4, 6) % 11 + 1
LABELS = torch.where(torch.arange(6) < 2, -100, IDS)


def base():
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=13, n_positions=8, n_embd=8, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0,
        resid_pdrop=0.2, embd_pdrop=0.0, attn_pdrop=0.0,
    )  # fmt: skip
    return transformers.GPT2LMHeadModel(config)


def adapted(**named):
    torch.manual_seed(1)
    config = peft.LoraConfig(r=2, target_modules=["c_attn"], fan_in_fan_out=True, task_type="CAUSAL_LM", **named)
    return peft.get_peft_model(base(), config).train()


def attached(recipe, model):
    return recipe.attach(model, torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=2.0), loss=None)


def kept(z):
    """Return log-probabilities of the places whose next token counts."""
    return torch.log_softmax(z.double(), -1)[:, :-1][LABELS[:, 1:] >= 0].numpy()


@pytest.mark.parametrize("init", [True, False], ids=["silent at first", "speaks from the start"])
def test_the_reference_is_the_model_at_attach(init):
    """Shifted as the model's own loss shifts, without the prompt; dropout off where the reference answers."""
    model = adapted(init_lora_weights=init)
    with torch.no_grad():
        start = kept(model.eval()(input_ids=IDS).logits)
    for m in model.modules():
        if isinstance(m, torch.nn.Dropout):
            m.p = 0.0
    model.train()
    session = attached(Recipe(KLAnchor(1.0)), model)
    anchor, trained = session._memory["kl_anchor"]["anchor"].names, session.solo.home.names
    assert anchor == (tuple(name for name in trained if "lora_A" not in name) if init else trained)
    batch = {"input_ids": IDS, "labels": LABELS}
    assert float(session.step(batch).notes["kl_anchor.kl"]) == pytest.approx(0.0, abs=1e-6)
    session.step(batch)
    with torch.no_grad():
        now = kept(model(input_ids=IDS).logits)
    apart = float((np.exp(start) * (start - now)).sum(1).mean())
    assert apart > 1e-5
    assert float(session.step(batch).notes["kl_anchor.kl"]) == pytest.approx(apart, rel=0.02)


def test_asft_on_an_adapter_trains_the_adapter_alone():
    model = adapted()
    frozen = {n: p.detach().clone() for n, p in model.named_parameters() if not p.requires_grad}
    session = attached(Recipe(DFT(), KLAnchor(0.05), EMA(0.5)), model)
    for _ in range(3):
        session.step({"input_ids": IDS, "labels": LABELS})
    names = set(session.solo.home.names)
    assert all("lora_" in name for name in names)
    assert all(p.requires_grad for n, p in model.named_parameters() if n in names)  # switched on again
    assert set(session._memory["ema"]["mean"].names) == names
    for n, p in model.named_parameters():
        if n in frozen:
            assert torch.equal(p, frozen[n]), n


def test_an_average_of_adapters_is_served_saved_and_loaded(tmp_path):
    """v ← d·v + (1 − d)·w of the adapter by hand; what finish leaves is what PEFT saves, and only the adapter."""
    model = adapted()
    session = attached(Recipe(EMA(0.5)), model)
    mean = {n: p.detach().clone() for n, p in session.solo.home.items()}
    for _ in range(3):
        session.step({"input_ids": IDS, "labels": LABELS})
        mean = {n: 0.5 * mean[n] + 0.5 * p.detach() for n, p in session.solo.home.items()}
    with session.served_weights() as served:
        for n, p in served.named_parameters():
            if n in mean:
                torch.testing.assert_close(p, mean[n], rtol=1e-6, atol=1e-8)
    session.finish()
    model.save_pretrained(tmp_path)
    from safetensors.torch import load_file

    stored = load_file(tmp_path / "adapter_model.safetensors")
    assert stored
    assert all("lora_" in name for name in stored)
    loaded = peft.PeftModel.from_pretrained(base(), tmp_path).eval()
    with torch.no_grad():
        torch.testing.assert_close(loaded(input_ids=IDS).logits, model.eval()(input_ids=IDS).logits)
    for n, p in model.named_parameters():
        if n in mean:
            torch.testing.assert_close(p.detach(), mean[n], rtol=1e-6, atol=1e-8)


def test_what_the_user_froze_in_an_adapter_stays_frozen():
    model = adapted()
    for name, p in model.named_parameters():
        if "lora_A" in name:
            p.requires_grad_(False)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer = torch.optim.SGD(model.parameters(), lr=2.0)  # it holds the frozen ones too
    session = Recipe(KLAnchor(0.5)).attach(model, optimizer, loss=None)
    for _ in range(2):
        session.step({"input_ids": IDS, "labels": LABELS})
    moved = [name for name, p in model.named_parameters() if not torch.equal(p, before[name])]
    assert moved
    assert all("lora_B" in name for name in moved)


def test_the_reference_stays_that_of_the_start_when_a_layer_of_the_base_joins():
    model = adapted()
    for m in model.modules():
        if isinstance(m, torch.nn.Dropout):
            m.p = 0.0
    with torch.no_grad():
        start = kept(model(input_ids=IDS).logits)
    batch = {"input_ids": IDS, "labels": LABELS}
    session = attached(Recipe(KLAnchor(0.05)), model)
    for _ in range(3):
        session.step(batch)
    joins = next(p for name, p in model.named_parameters() if "ln_f" in name)
    joins.requires_grad_(True)
    if not any(p is joins for group in session.optimizer.param_groups for p in group["params"]):
        session.optimizer.add_param_group({"params": [joins]})
    for _ in range(2):
        with torch.no_grad():
            now = kept(model(input_ids=IDS).logits)
        apart = float((np.exp(start) * (start - now)).sum(1).mean())
        assert apart > 1e-6
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            told = float(session.step(batch).notes["kl_anchor.kl"])
        assert told == pytest.approx(apart, rel=0.02)
