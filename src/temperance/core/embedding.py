"""The input embedding of a model whose inputs are whole numbers, and the hook through which techniques act on it.

Which module it is, is looked for, not guessed: the model runs once on the first batch, without gradient and in
evaluation mode, and it is seen which embedding gets one of the integer inputs as it is. A model that says it by
``get_input_embeddings()`` is taken at its word. Then one hook stands on that module until ``finish``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from temperance.core.batch import Batch
from temperance.core.batches import Signature
from temperance.core.nest import call, floating_leaves, is_sequence
from temperance.core.shifted import Blend, Shifted, moved
from temperance.core.statistics import evaluating
from temperance.core.traces import Undo, hook_after
from temperance.core.wrappers import bare
from temperance.records.errors import RecipeError

_SAY = "Give the model a method get_input_embeddings() that returns the module"
_STAYS = "Padding stays where it is"
_OTHER_MASKS = ("decoder", "global", "special", "loss", "label", "prompt", "cross")  # they tell something else
_SPECIAL = ("pad", "bos", "eos", "cls", "sep", "mask", "decoder_start")


class OnEmbeddings(UserWarning):
    """A technique acts on the output of the input embedding, and says in which units."""


class Place(NamedTuple):
    """Where the tokens of a batch become vectors.

    Attributes:
        name: the module's name.
        module: the embedding.
        leaf: name of the input that it gets.
        call: which of its calls in a pass.
        width: numbers per vector, d.
        dtype: of the vectors.
        length: mean length of the vectors of the first batch, padding left out.
        is_pair: whether it, or one with its weights, embeds other tokens too (a decoder's).

    """

    name: str
    module: nn.Module
    leaf: str
    call: int
    width: int
    dtype: torch.dtype
    length: float
    is_pair: bool


class Missing(NamedTuple):
    """Why no input embedding was found; ``is_table``: the integers are columns of a table, or nothing embeds them."""

    received: str
    accepted: str
    remedy: str
    is_table: bool = False


class Tokens(NamedTuple):
    """The tokens of a batch.

    Attributes:
        ids: (b, …) as the embedding gets them.
        counts: (b, …) whether each is a token, not padding; None: all are.
        special: ids that the model's config names as special.
        fill: id that stands for an unknown or masked token; None where the config names none.
        size: how many ids there are; None where the embedding does not say.

    """

    ids: Tensor
    counts: Tensor | None
    special: tuple[int, ...]
    fill: int | None
    size: int | None


class _Call(NamedTuple):
    name: str
    module: nn.Module
    number: int
    ids: Tensor
    vectors: Tensor


class Seam:
    """Finds a model's input embedding and holds the hook on it.

    Args:
        model: the user's module.
        takes: batch → what the model is called with.
        told: list to which each sentence for the user is added once.

    """

    def __init__(self, model: nn.Module, takes: Callable[[Batch], Any], told: list[str]) -> None:
        self.model, self.takes, self.told = bare(model), takes, told
        self.names = Signature(self.model).names
        self._known: dict[tuple[tuple[str, int], ...], Place | Missing] = {}
        self._hooks: dict[int, Undo] = {}

    def on(self, batch: Batch) -> Batch:
        """Return the batch with this in it; where it holds integers alone, the embedding is looked for now."""
        if not floating_leaves(batch.inputs):
            self.place(batch)
        return batch._replace(seam=self)

    def remove(self) -> None:
        """Take the hook off."""
        while self._hooks:
            self._hooks.popitem()[1]()

    # -- for techniques ----------------------------------------------------------------------------------------------

    def shifted(self, batch: Batch, owner: str) -> Shifted:
        """Return the inputs of a batch with a shift of 0 on the vectors of its tokens, (b, …, d).

        Raises:
            RecipeError: no input embedding is found, or several.

        """
        if isinstance(batch.inputs, Shifted):
            return batch.inputs
        place = self._required(batch, owner)
        ids = self._leaf(batch, place)
        counts = self._counts(batch, place)
        self._say(owner, place, "All places move: there is no mask, and no id of padding" if counts is None else _STAYS)
        shift = torch.zeros((*ids.shape, place.width), dtype=place.dtype, device=ids.device)
        return Shifted(batch.inputs, shift, counts, place.call)

    def blended(self, batch: Batch, partner: Tensor, share: Tensor, owner: str) -> Shifted | None:
        """Return the inputs with share·own + (1 − share)·partner's vectors; None where the integers are a table's.

        Padding counts as 0, and a position counts where it does in either row: their masks are united. Other inputs
        stay those of the row itself.

        Shapes: partner (b,) int64, share ().

        Raises:
            RecipeError: no input embedding is found, or several, or the model reads two texts.

        """
        known = self.place(batch)
        if isinstance(known, Missing) and known.is_table:
            return None
        place = self._required(batch, owner)
        if place.is_pair:
            raise RecipeError(
                f"{owner} found that {type(self.model).__name__} embeds two texts: its encoder's and its decoder's",
                "rows of one text are mixed; what the decoder is fed belongs to one answer",
                f"Leave {owner} out of recipes for encoder-decoder models",
            )
        start = self.shifted(batch, owner)
        blend = Blend(partner, share, start.counts)
        mask = self._mask(start.inputs, self._leaf(batch, place))
        if mask is None:
            counts = None if start.counts is None else _united(start.counts, partner, share)
            return start._replace(blend=blend, counts=counts)
        name, own, is_padding = mask
        both = _united(own != 0, partner, share, both=is_padding)
        inputs = self._with(start.inputs, name, both.to(own.dtype))
        return start._replace(inputs=inputs, blend=blend, counts=~both if is_padding else both)

    def tokens(self, batch: Batch, owner: str) -> Tokens:
        """Return the tokens of a batch.

        Raises:
            RecipeError: no input embedding is found, or several.

        """
        place = self._required(batch, owner)
        special = tuple(sorted({one for name in _SPECIAL for one in self._named(f"{name}_token_id")}))
        fill = next((one for name in ("mask", "unk") for one in self._named(f"{name}_token_id")), None)
        size = getattr(place.module, "num_embeddings", None)
        return Tokens(self._leaf(batch, place), self._counts(batch, place), special, fill, size)

    def with_ids(self, batch: Batch, ids: Tensor) -> Any:
        """Return the inputs with other tokens, (b, …)."""
        place = self.place(batch)
        assert isinstance(place, Place)
        inputs = batch.inputs
        if isinstance(inputs, Shifted):
            return inputs._replace(inputs=self._with(inputs.inputs, place.leaf, ids))
        return self._with(inputs, place.leaf, ids)

    def tell(self, sentence: str) -> None:
        """Warn the user by this sentence, once; it stands in ``session.warnings`` from then on."""
        if sentence not in self.told:
            self.told.append(sentence)
            warnings.warn(sentence, OnEmbeddings, stacklevel=5)

    # -- looking -----------------------------------------------------------------------------------------------------

    def place(self, batch: Batch) -> Place | Missing:
        """Return where the tokens become vectors, or why that is not known; looked for once per form of the inputs."""
        leaves = self._leaves(batch.inputs)
        form = tuple((name, leaf.dim()) for name, leaf in leaves.items())
        if form not in self._known:
            found = self._known[form] = self._chosen(batch, leaves)
            if isinstance(found, Place) and id(found.module) not in self._hooks:
                self._hooks[id(found.module)] = hook_after(found.module, _change)
        return self._known[form]

    def _required(self, batch: Batch, owner: str) -> Place:
        found = self.place(batch)
        if not isinstance(found, Missing):
            return found
        if floating_leaves(batch.inputs):
            received, accepted = f"{owner} found no tokens among the inputs: {found.received}", found.accepted
        else:
            received = f"{owner} found no floating tensor among the inputs, and {found.received}"
            accepted = f"it acts on numbers with decimals, or on the vectors of tokens; {found.accepted}"
        raise RecipeError(received, accepted, f"{found.remedy}, or leave {owner} out")

    def _chosen(self, batch: Batch, leaves: dict[str, Tensor]) -> Place | Missing:
        codes = {name: x for name, x in leaves.items() if _is_codes(x) and "mask" not in name}
        own = self._own()
        calls = self._calls(batch, own) if codes else []
        if own is not None:
            weight = getattr(own, "weight", None)
            tied = [c for c in calls if c.module is own or (weight is not None and _weight(c.module) is weight)]
            calls = tied if any(_fed(c, codes) for c in tied) else calls
        pairs = [(c, name) for c in calls for name in _fed(c, codes)]
        main = [pair for pair in pairs if pair[1] == getattr(self.model, "main_input_name", None)]
        pairs = main or pairs
        if main and all(c.module is main[0][0].module or _same(c.module, main[0][0].module) for c, _ in main):
            pairs = main[:1]  # a decoder that happens to get the same tokens comes after the encoder
        if len(pairs) == 1:
            call, leaf = pairs[0]
            others = [c for c in calls if c is not call and (c.module is call.module or _same(c.module, call.module))]
            found = Place(
                call.name, call.module, leaf, call.number, call.vectors.shape[-1], call.vectors.dtype, 0.0, bool(others)
            )
            return found._replace(length=self._length(batch, found, call))
        return self._missing(pairs, codes)

    def _missing(self, pairs: list[tuple[_Call, str]], codes: dict[str, Tensor]) -> Missing:
        if pairs:
            named = ", ".join(f"{call.name!r} gets {leaf!r}" for call, leaf in pairs)
            return Missing(
                f"several embeddings read the integer inputs: {named}",
                "one of them is moved, and which one is yours to say",
                _SAY, is_table=all(codes[leaf].dim() == 1 for _, leaf in pairs),
            )  # fmt: skip
        bag = next((name for name, m in self.model.named_modules() if isinstance(m, nn.EmbeddingBag)), None)
        if bag is not None:
            return Missing(
                f"{bag!r} is an EmbeddingBag, which gives one vector for many tokens",
                "an nn.Embedding gives one for each",
                "Use nn.Embedding and take the mean behind it",
            )
        return Missing(
            f"no embedding gets one of {', '.join(map(repr, codes)) or 'the inputs'} as it is",
            "the embedding must get the tokens of the batch in their order", _SAY, is_table=True,
        )  # fmt: skip

    def _own(self) -> nn.Module | None:
        ask = getattr(self.model, "get_input_embeddings", None)
        try:
            given = ask() if callable(ask) else None
        except NotImplementedError:  # transformers' models without one
            return None
        return given if isinstance(given, nn.Module) else None

    def _calls(self, batch: Batch, own: nn.Module | None) -> list[_Call]:
        """Return what each embedding got and gave in one pass; of one inside another (an adapter's) the outer one."""
        found: list[_Call] = []

        def note(name: str) -> Callable[..., None]:
            def hook(module: nn.Module, args: Any, named: Any, out: Any) -> None:
                ids = args[0] if args else named.get("input")
                if not isinstance(ids, Tensor) or not isinstance(out, Tensor) or not _is_codes(ids):
                    return
                if out.is_floating_point() and out.shape[:-1] == ids.shape:
                    number = sum(c.module is module for c in found)
                    found.append(_Call(name, module, number, ids.detach().clone(), out.detach()))

            return hook

        chosen = [(name, m) for name, m in self.model.named_modules() if _embeds(m) or m is own]
        handles = [m.register_forward_hook(note(name), with_kwargs=True) for name, m in chosen]
        try:
            with evaluating(self.model), torch.no_grad():
                call(self.model.forward, self.takes(batch))
        finally:
            for handle in handles:
                handle.remove()
        inner = {id(part) for c in found for part in c.module.modules() if part is not c.module}
        return [c for c in found if id(c.module) not in inner]

    # -- the parts of the inputs -------------------------------------------------------------------------------------

    def _leaves(self, inputs: Any) -> dict[str, Tensor]:
        """Return the tensors of the inputs by the name of the model's argument; what lies deeper is left out."""
        if isinstance(inputs, Shifted):
            return self._leaves(inputs.inputs)
        if isinstance(inputs, dict):
            return {str(name): x for name, x in inputs.items() if isinstance(x, Tensor)}
        parts = inputs if is_sequence(inputs) else (inputs,)
        return {self._argument(i): x for i, x in enumerate(parts) if isinstance(x, Tensor)}

    def _argument(self, i: int) -> str:
        return self.names[i] if i < len(self.names) else f"input {i}"

    def _with(self, inputs: Any, name: str, leaf: Tensor) -> Any:
        if isinstance(inputs, dict):
            return {**inputs, name: leaf}
        if is_sequence(inputs):
            return type(inputs)(leaf if self._argument(i) == name else x for i, x in enumerate(inputs))
        return leaf

    def _leaf(self, batch: Batch, place: Place) -> Tensor:
        return self._leaves(batch.inputs)[place.leaf]

    def _mask(self, inputs: Any, ids: Tensor) -> tuple[str, Tensor, bool] | None:
        """Return the mask of these tokens: its name, itself, and whether it marks the padding."""
        found = [name for name, x in self._leaves(inputs).items() if name.endswith("mask") and x.shape == ids.shape]
        fits = sorted((n for n in found if not n.startswith(_OTHER_MASKS)), key="attention_mask".__ne__)
        return (fits[0], self._leaves(inputs)[fits[0]], "padding" in fits[0]) if fits else None

    def _counts(self, batch: Batch, place: Place) -> Tensor | None:
        ids = self._leaf(batch, place)
        mask = self._mask(batch.inputs, ids)
        if mask is not None:
            return mask[1] == 0 if mask[2] else mask[1] != 0
        padding = getattr(place.module, "padding_idx", None)
        padding = next(iter(self._named("pad_token_id")), None) if padding is None else padding
        return None if padding is None else ids != padding

    def _named(self, name: str) -> tuple[int, ...]:
        """Return the ids that the config gives under a name: none, one, or several (ends of Llama 3)."""
        value = getattr(getattr(self.model, "config", None), name, None)
        every = value if isinstance(value, (list, tuple)) else (value,)
        return tuple(one for one in every if isinstance(one, int) and one >= 0)

    def _length(self, batch: Batch, place: Place, call: _Call) -> float:
        lengths = torch.linalg.vector_norm(call.vectors.reshape(-1, place.width).float(), dim=1)
        counts = self._counts(batch, place)
        kept = lengths if counts is None or not bool(counts.any()) else lengths[counts.flatten()]
        return float(kept.mean())

    def _say(self, owner: str, place: Place, padding: str) -> None:
        if any(known.startswith(f"{owner} acts on the vectors") for known in self.told):
            return  # each step comes by here: the sentence is put together once
        value = place.length / place.width**0.5
        sentence = (
            f"{owner} acts on the vectors that {place.name!r} gives for {place.leaf!r}, which are whole numbers. Its"
            f" lengths (ε, noise) are in their units: a vector is {place.length:.3g} long on average, a value in it"
            f" about {value:.2g}. {padding}."
        )
        self.tell(sentence)


def _change(module: nn.Module, inputs: Any, output: Any) -> Any:
    if torch.compiler.is_compiling():  # passes that move embeddings run uncompiled
        return None
    return moved(output)


def _united(counts: Tensor, partner: Tensor, share: Tensor, *, both: bool = False) -> Tensor:
    """Return where either row counts (``both``: where both do); the row itself where nothing of the other is taken."""
    other = torch.index_select(counts, 0, partner)
    return torch.where(share < 1, counts & other if both else counts | other, counts)


def _embeds(module: nn.Module) -> bool:
    """Return whether a module is an embedding, or PEFT's adapter around one."""
    return isinstance(module, nn.Embedding) or isinstance(getattr(module, "base_layer", None), nn.Embedding)


def _is_codes(x: Tensor) -> bool:
    return not x.is_floating_point() and x.dtype not in (torch.bool, torch.uint8) and x.dim() > 0


def _fed(call: _Call, codes: dict[str, Tensor]) -> list[str]:
    """Return the names of the inputs that an embedding got as they are."""
    ids, flat = call.ids, call.ids.flatten()  # axes may be joined, not turned: one of length 1 would hide that
    alike = {n: x for n, x in codes.items() if x.shape == ids.shape or (x.dim() > ids.dim() and len(flat) == x.numel())}
    return [name for name, x in alike.items() if bool((x.flatten() == flat).all())]


def _weight(module: nn.Module) -> Any:
    return getattr(module, "weight", None)


def _same(one: nn.Module, two: nn.Module) -> bool:
    return _weight(one) is not None and _weight(one) is _weight(two)
