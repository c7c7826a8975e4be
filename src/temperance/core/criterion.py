"""Reads what a model gives: the part its loss takes, the part techniques act on, and how much a batch counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from temperance.core.batch import ANSWERS_ONLY, Batch
from temperance.core.batches import Signature
from temperance.core.convention import Convention, convention_of, mean_weights
from temperance.core.counted import Mixed, is_classes
from temperance.core.devices import widened
from temperance.core.first_number import (
    main_output as main_output,
)  # fmt: skip
from temperance.core.first_number import (
    may_learn,
    no_number,
    require_history,
    require_loss,
    require_pairs,
)
from temperance.core.learning import HALF, Learning, of_values
from temperance.core.nest import described, fields_of, is_sequence
from temperance.core.objective import is_cross_entropy
from temperance.core.random import is_batched
from temperance.core.shifted import Shifted
from temperance.core.wrappers import bare
from temperance.records.errors import RecipeError

_LABELS = "labels"  # what models that compute their own loss call their targets

Loss = Callable[[Any, Any], Tensor]


class Criterion:
    """The user's loss, and how it reads the model's answers.

    A loss gets the whole answer. One that cannot take it (torch's own losses want a tensor) gets the part that
    ``main_output`` finds; which of the two is decided at the first batch and then stays.

    Args:
        loss: ``loss(outputs, targets)`` → () or (b, …); None: the model computes its own (``out.loss``).
        model: the user's module.
        outputs: answer → what the loss and techniques get.
        logits: answer → the logits that techniques act on, where they are another part.

    """

    def __init__(
        self,
        loss: Loss | None,
        model: nn.Module,
        *,
        outputs: Callable[[Any], Any] | None = None,
        logits: Callable[[Any], Any] | None = None,
    ) -> None:
        require_loss(loss)
        self.loss, self.outputs, self.logits = loss, outputs, logits
        self.model_name = type(bare(model)).__name__
        name = self.model_name
        self._is_causal = getattr(bare(model), "loss_type", None) == "ForCausalLM" or name.endswith("LMHeadModel")
        self._has_decoder = bool(getattr(getattr(bare(model), "config", None), "is_encoder_decoder", False))
        self.shifts: bool | None = None  # whether the loss compares place t with t + 1; learnt where there are places
        self.convention = Convention(axis=-1, name="the model's own loss", takes_soft=False)
        self.takes = Signature(bare(model))
        if loss is not None:
            self.convention = convention_of(loss)
        self._divides = mean_weights(loss) if self.convention.kind == "classes" else None
        self.is_entropy = loss is not None and outputs is None and logits is None and is_cross_entropy(loss)
        self.is_plain = outputs is None and logits is None
        self.learnt: Convention | None = None  # the convention, where numbers of the loss told more of it
        self._learning = self._to_learn()
        self._by_part: bool | None = None  # whether the loss takes the part that main_output finds
        self._per_row: bool | None = None  # whether it gives one number per row; else it took its mean over places
        self._ignores: bool | None = None  # whether one number per row is 0 where the class is ``ignore_index``

    def _to_learn(self) -> Learning | None:
        """Return what shall be learnt from the first numbers of the loss; of torch's own losses all is known."""
        known = self.convention.kind
        if known == "unknown":
            return Learning() if self.logits is None else None
        if hasattr(self.loss, "convention"):
            return Learning(is_free=False) if known == "classes" and self.logits is None else None
        self.shifts = False if known == "classes" else None
        return None

    def read(self, raw: Any) -> Any:
        """Return what techniques act on."""
        if self.logits is not None:
            return self.logits(raw)
        if self.outputs is not None:
            return self.outputs(raw)
        return main_output(raw)

    def paired(self, outputs: Any, batch: Batch) -> tuple[Any, Batch]:
        """Return outputs and batch place by place, as the loss pairs them.

        The loss of a causal language model compares place t with t + 1. Where it is known that the model is one, and
        not how its loss pairs, the convention says ``shifted``, which techniques over classes refuse.
        """
        batch = self.current(batch)
        labels = batch.targets
        if self.logits is not None or not isinstance(outputs, Tensor) or outputs.dim() != 3 or self.shifts is False:
            return outputs, batch
        if self.shifts is None:
            unsure = self._is_causal and isinstance(labels, Tensor) and labels.dim() == 2
            return outputs, batch._replace(convention=replace(batch.convention, kind="shifted")) if unsure else batch
        if batch.convention.axis is None:  # its number was that of classes on the last axis
            batch = batch._replace(convention=replace(batch.convention, axis=-1))
        if labels is ANSWERS_ONLY:
            return outputs[:, :-1], batch
        if not isinstance(labels, Tensor):
            return outputs, batch
        if labels.dim() != 2 or outputs.shape[:2] != labels.shape:
            return outputs, batch
        return outputs[:, :-1], batch._replace(targets=labels[:, 1:])

    def current(self, batch: Batch) -> Batch:
        """Return the batch with the convention as it is known now."""
        if self.learnt is None or batch.convention is self.learnt:
            return batch
        return batch._replace(convention=self.learnt)

    def inputs(self, batch: Batch) -> Any:
        """Return what the model is called with: the inputs, and the targets where it computes its own loss.

        Raises:
            RecipeError: the targets are mixed, the model takes no labels, or its decoder is fed from them.

        """
        targets = batch.targets
        if self.loss is None and targets is ANSWERS_ONLY:
            self._require_decoder(batch.inputs)
        if self.loss is not None or targets is None or targets is ANSWERS_ONLY:
            return batch.inputs
        if isinstance(targets, Mixed):
            raise RecipeError(
                f"the batch is mixed, and {self.model_name} computes its own loss",
                "blended answers need a loss of outputs and targets",
                "Give attach(..., loss=F.cross_entropy), or leave the mixing technique out",
            )
        if not self.takes.accepts(_LABELS):
            raise RecipeError(
                f"loss=None was given, and {self.model_name}.forward takes no {_LABELS!r}",
                "without a loss the model computes its own from labels",
                "Give attach(..., loss=F.cross_entropy) or another loss",
            )
        inputs = batch.inputs
        if isinstance(inputs, Shifted):
            return inputs._replace(inputs=self._labelled(inputs.inputs, targets))
        return self._labelled(inputs, targets)

    def asked(self, batch: Batch) -> Any:
        """Return what the model is called with for its answers alone; a decoder fed from labels still gets these.

        Raises:
            RecipeError: it is such a decoder, and the targets are none.

        """
        return self.inputs(batch) if self.loss is None and self._has_decoder else batch.inputs

    def _require_decoder(self, inputs: Any) -> None:
        """Refuse to ask an encoder-decoder model for answers where it fed its decoder from the labels before."""
        inner = inputs.inputs if isinstance(inputs, Shifted) else inputs
        if self._has_decoder and not (isinstance(inner, dict) and "decoder_input_ids" in inner):
            raise RecipeError(
                f"a technique asks {self.model_name} for answers beside its loss, and the batch has labels alone",
                "without labels its decoder would be fed something else",
                "Give the batch decoder_input_ids too: model.prepare_decoder_input_ids_from_labels(labels)",
            )

    def _labelled(self, inputs: Any, targets: Any) -> dict[str, Any]:
        if not isinstance(inputs, dict):
            parts = inputs if is_sequence(inputs) else (inputs,)
            inputs = dict(zip(self.takes.names, parts, strict=False))
        return {**inputs, _LABELS: targets}

    def __call__(self, raw: Any, targets: Any) -> Tensor:
        """Return the loss, () or (b, …), of an answer of the model or of the part that was read from it."""
        if self.outputs is not None and self.loss is not None:
            raw = self.outputs(raw)
        value = self._valued(raw, targets)
        if (type(value) is not Tensor and not isinstance(value, Tensor)) or value.is_complex():
            raise no_number(value, self.convention.name)
        if self._per_row is None:
            is_torchs = self.convention.kind == "numbers" and not hasattr(self.loss, "convention")
            require_pairs(raw, targets, value, self.convention, is_torchs=is_torchs)
            require_history(raw, value, self.convention.name)
            many = isinstance(targets, Tensor) and targets.dim() > 1 and value.numel() > targets.shape[0]
            self._per_row = value.dim() == 1 and not many
        if self._ignores is None and self._per_row and not torch.is_grad_enabled():
            self._learn_ignoring(targets, value)
        if self._learning is not None and isinstance(targets, Tensor):
            self._learn(self.read(raw) if self.outputs is None else raw, targets, self._exact(raw, targets, value))
        return value

    def _exact(self, raw: Any, targets: Any, value: Tensor) -> Tensor:
        """Return the number of the loss in single precision, for half precision rounds what is to be learnt away.

        Shapes: value () or (b, …) → the same.
        """
        if not isinstance(raw, Tensor) or raw.dtype not in HALF or not may_learn(value):
            return value
        device = raw.device
        with (
            torch.no_grad(),
            torch.autocast(device.type, enabled=False),
            torch.random.fork_rng(devices=[device] if device.type == "cuda" else []),
        ):
            try:
                return self._valued(raw.detach().float(), targets)
            except RuntimeError:  # class weights of its own in half precision: no plain cross-entropy anyway
                return value

    def value(self, raw: Any, targets: Any) -> Tensor:
        """Return the loss of an answer, and learn nothing from it.

        Shapes: () or (b, …).
        """
        return self._valued(raw if self.outputs is None else self.outputs(raw), targets)

    def _valued(self, raw: Any, targets: Any) -> Tensor:
        if self.loss is None:
            return self._own(raw)
        return self.loss(raw, targets) if isinstance(raw, Tensor) else self._of_parts(raw, targets)

    def _of_parts(self, raw: Any, targets: Any) -> Tensor:
        loss = self.loss
        assert loss is not None
        if self._by_part is not None:
            return loss(main_output(raw) if self._by_part else raw, targets)
        try:
            value = loss(raw, targets)
        except (TypeError, AttributeError) as fault:  # the loss wants a tensor: decided here, once
            part = main_output(raw)
            if not isinstance(part, Tensor):
                raise RecipeError(
                    f"{self.convention.name} cannot take what {self.model_name} gives: {described(raw)} ({fault})",
                    "a loss takes the whole answer, or the tensor in it",
                    "Say which part it takes: attach(..., outputs=lambda out: …)",
                ) from fault
            value = loss(part, targets)
            self._by_part = True
            return value
        self._by_part = False
        return value

    def _own(self, raw: Any) -> Tensor:
        named = fields_of(raw)
        found = named.get("loss") if named is not None else getattr(raw, "loss", None)
        if found is None and is_sequence(raw) and raw and isinstance(raw[0], Tensor) and not raw[0].dim():
            found = raw[0]
        if not isinstance(found, Tensor):
            raise RecipeError(
                f"loss=None was given, and {self.model_name} gives {described(raw)} without a loss",
                "without a loss the model computes its own: out.loss, from labels in the batch",
                "Give the batch labels, or attach(..., loss=…)",
            )
        return found

    def _learn_ignoring(self, targets: Any, values: Tensor) -> None:
        """Tell whether the loss leaves rows of ``ignore_index`` out, as torch's do; looked at where nothing trains."""
        if self.convention.kind == "classes":
            self._ignores = True
        elif isinstance(targets, Tensor) and targets.shape == values.shape and not is_batched():
            left = targets == self.convention.ignore_index
            if bool(left.any()):
                self._ignores = bool((values.detach()[left] == 0).all())

    def _learn(self, outputs: Any, labels: Tensor, value: Tensor) -> None:
        """Tell by its number how the loss counts."""
        if not may_learn(value):
            return
        learning = self._learning
        assert learning is not None
        if not isinstance(outputs, Tensor):
            self._learning = None
            return
        if labels.is_floating_point() and learning.is_free:  # what they look like was a guess
            found, learning.done = of_values(outputs, labels, value, self.convention), True
        else:
            if learning.is_free and self.convention.kind != "unknown":  # the user's batches say it
                learning = self._learning = Learning(is_free=False)
            found = learning.look(outputs, labels, value, self.convention)
        self.shifts, self._is_causal = learning.shifts, self._is_causal or learning.is_own
        if found != self.convention:
            self.convention = self.learnt = found
        if learning.done:
            self._learning = None

    def facts(self) -> dict[str, Any]:
        """Return what was learnt of the loss, for a checkpoint."""
        learning = self._learning
        return {
            "convention": self.convention, "is_learnt": self.learnt is not None, "shifts": self.shifts,
            "is_causal": self._is_causal, "by_part": self._by_part, "per_row": self._per_row, "ignores": self._ignores,
            "learning": None if learning is None else learning.facts(),
        }  # fmt: skip

    def take_facts(self, facts: Mapping[str, Any]) -> None:
        """Know again what ``facts`` told."""
        self.convention, self.shifts, self._is_causal = facts["convention"], facts["shifts"], facts["is_causal"]
        self.learnt = self.convention if facts["is_learnt"] else None
        self._by_part, self._per_row, self._ignores = facts["by_part"], facts["per_row"], facts["ignores"]
        self._learning = None if facts["learning"] is None else Learning.of(facts["learning"])

    # -- how much a batch counts ------------------------------------------------------------------------------------

    def shares(self, batches: Sequence[Batch]) -> list[Any]:
        """Return the share of each micro-batch in the gradient of the big batch: numbers, or () where classes count.

        Known after the first pass, which shows whether the loss is a mean over rows or over places.
        """
        if self.convention.is_sum:
            return [1.0] * len(batches)
        counts = [self.count(batch) for batch in batches]
        total = sum(counts[1:], counts[0])
        if not isinstance(total, Tensor):
            return [count / total for count in counts]
        return [count / torch.where(total > 0, total, torch.ones_like(total)) for count in counts]

    def count(self, batch: Batch) -> Any:
        """Return what the mean of the loss divides by: a number, or a tensor () where weights or classes decide."""
        found = self.row_counts(batch)
        return batch.size if found is None else found.sum()

    @property
    def counts_as_techniques(self) -> bool:
        """Whether the mean of the loss divides by what the means of techniques do: rows, or places that count."""
        return self._divides is None and not self._per_row

    def own_count(self, batch: Batch) -> Any:
        """Return what the mean of a technique divides by, see ``batch.mean``: a number, or a tensor ()."""
        found = self._row_counts(batch, by_place=True, weights=None)
        return batch.size if found is None else found.sum()

    def row_counts(self, batch: Batch) -> Tensor | None:
        """Return how much each row counts in the mean of the loss, (b,), as wide as the device can; None: each once.

        Rows count by their weight, times the places whose class is not left out where the loss is per place. A loss
        that gives one number per row of several places took its mean over them, so there each row counts once.
        """
        by_place = not self._per_row or self._leaves_out(self._places(batch.targets))
        return self._row_counts(batch, by_place=by_place, weights=self._divides)

    def _row_counts(self, batch: Batch, *, by_place: bool, weights: Tensor | None) -> Tensor | None:
        targets, weight = self._places(batch.targets), batch.weight
        if not (by_place and is_classes(targets, self.convention)):
            if weight is None:
                return None
            return widened(weight) if weight.dim() == 1 else widened(weight).flatten(1).sum(1)
        places = self._class_weights(targets, weights)
        if weight is not None:
            places = places * weight.reshape(*weight.shape, *[1] * (places.dim() - weight.dim()))
        return places.flatten(1).sum(1) if places.dim() > 1 else places

    def _leaves_out(self, targets: Any) -> bool:
        """Return whether a loss that gives one number per row leaves some of these out; a look where that is cheap."""
        if self._ignores is False or not is_classes(targets, self.convention) or targets.dim() > 1:
            return False
        return targets.device.type != "cpu" or bool((targets == self.convention.ignore_index).any())

    def of_rows(self, value: Tensor, batch: Batch) -> Tensor:
        """Return losses (b,) as they are, and one number (1,) of a loss that sums as the mean over what counts."""
        if not self.convention.is_sum or value.numel() > 1:
            return value
        return value / max(float(self.count(batch)), 1.0)

    def _class_weights(self, targets: Tensor, weights: Tensor | None) -> Tensor:
        kept = targets != self.convention.ignore_index
        if weights is None:
            return widened(kept)
        return kept * widened(weights).to(kept.device)[torch.where(kept, targets, torch.zeros_like(targets))]

    def _places(self, targets: Any) -> Any:
        later = self.shifts and isinstance(targets, Tensor) and targets.dim() == 2
        return targets[:, 1:] if later else targets
