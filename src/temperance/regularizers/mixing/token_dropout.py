"""Token dropout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass
from temperance.core.devices import exact
from temperance.core.kit.inputs import embedded, tokens
from temperance.core.leaves import Leaves
from temperance.core.random import fold, uniform
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.records.citation import Citation
from temperance.records.errors import RecipeError, SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class TokenDropout(Regularizer):
    """Hide a random share of the input tokens from the model (word dropout).

        token → the id ``fill`` with probability p; where no such id is known its vector becomes 0

    Which id it is: ``fill``, else the mask or unknown token that the model's config names. Padding and special tokens
    are never hidden: those that the config names (padding, begin, end, class, separator, mask) and those in
    ``special``. Many configs name few, BERT's padding alone: give ``special=tuple(tokenizer.all_special_ids)`` and
    ``fill=tokenizer.mask_token_id``. A note tells once what it takes and what it spares. Vectors that stay are not
    scaled. Targets stay, so a language model still learns to say what it was not shown.

    Stage: objective (augment).  Cost: one draw the size of the tokens.  Strengths: p in [0, 0.9], neutral 0, linear,
    stronger = up.
    Shapes: tokens (b, …) → same.
    Use when: a text classifier hangs on single words; a decoder leans on the last token alone.  Avoid when: each token
    decides (short codes, arithmetic).

    Args:
        p: share of the tokens that are hidden.
        fill: id of the token that stands for a hidden one.
        special: ids that are never hidden, beside those that the model's config names.

    Raises:
        SettingError: a setting outside its range.
        RecipeError: no input embedding is found, or several; ``fill`` is no id of it.

    Example:
        >>> TokenDropout(0.2, fill=103, special=(101, 102)).to_dict()
        {'name': 'TokenDropout', 'p': 0.2, 'fill': 103, 'special': [101, 102]}

    References: Iyyer et al. (2015), ACL, P15-1162, section 2.2 (word dropout); Gal and Ghahramani (2016),
    arXiv:1512.05287, section 4.2, hide all places of a word at once.

    """

    p: float = 0.1
    fill: int | None = None
    special: tuple[int, ...] = ()

    strengths: ClassVar[dict[str, Strength]] = {
        "p": Strength(0.1, low=0.0, high=0.9, neutral=0.0, words="share of the tokens that are hidden")
    }
    family: ClassVar[str] = "mixing"
    rank: ClassVar[Rank] = Rank.AUGMENT
    effect: ClassVar[Effect] = {"p": ("departure", "up")}
    unique: ClassVar[bool] = True
    moves_inputs: ClassVar[bool] = True
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "iyyer2015", "Iyyer et al.", 2015, "Deep unordered composition rivals syntactic methods for text "
            "classification", "ACL", "", "section 2.2",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        given = (*self.special, *(() if self.fill is None else (self.fill,)))
        if any(not isinstance(one, int) or isinstance(one, bool) or one < 0 for one in given):
            raise SettingError(
                f"TokenDropout got fill={self.fill!r}, special={self.special!r}",
                "ids of tokens are whole numbers from 0",
                "Give fill=tokenizer.mask_token_id, special=tuple(tokenizer.all_special_ids)",
            )

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Hide tokens, then go on."""
        address = strengths.address

        def hidden(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("p"):
                return inner(params, buffers, batch, key)
            inputs = self._hide(batch, strengths.number("p"), fold(key, address))
            return inner(params, buffers, batch._replace(inputs=inputs), key)

        return hidden

    def _hide(self, batch: Batch, p: Any, key: Any) -> Any:
        found = tokens(batch, "TokenDropout")
        fill = found.fill if self.fill is None else self.fill
        if fill is not None and found.size is not None and fill >= found.size:
            raise RecipeError(
                f"TokenDropout got fill={fill}",
                f"the input embedding has {found.size} tokens, from 0",
                "Give an id of its vocabulary",
            )
        spared = tuple(sorted({*found.special, *self.special}))
        chosen = uniform(key, found.ids.shape, found.ids.device, exact(found.ids.device)) < p
        for one in spared:
            chosen = chosen & (found.ids != one)
        if found.counts is not None:
            chosen = chosen & found.counts
        batch.seam.tell(_said(fill, spared))
        if fill is not None:
            return batch.seam.with_ids(batch, torch.where(chosen, fill, found.ids))
        still = embedded(batch, "TokenDropout")
        kept = ~chosen if still.kept is None else still.kept * ~chosen
        return still._replace(kept=kept)


def _said(fill: int | None, spared: tuple[int, ...]) -> str:
    how = "sets the vectors of hidden tokens to 0" if fill is None else f"writes id {fill} for hidden tokens"
    ids = ", ".join(map(str, spared)) or "none"
    return f"TokenDropout {how}. It spares padding and the special ids it knows: {ids}; give others in special."
