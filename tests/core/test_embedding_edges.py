"""What the search for the input embedding must not be taken in by: turned tokens, masks that tell something else."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from temperance import VAT, NEFTune, Recipe
from temperance.core.batch import Batch
from temperance.records.errors import RecipeError

pytestmark = pytest.mark.filterwarnings("ignore::temperance.core.embedding.OnEmbeddings")


def texts():
    torch.manual_seed(1)
    ids, mask = torch.randint(3, 30, (6, 5)), torch.ones(6, 5, dtype=torch.int64)
    mask[::2, -2:] = 0
    return {"input_ids": ids, "attention_mask": mask, "labels": torch.randint(3, (6,))}


def attach(one, model):
    return Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.5), loss=F.cross_entropy)


class Turned(nn.Module):
    """Embeds tokens steps first."""

    def __init__(self):
        super().__init__()
        self.words, self.head = nn.Embedding(30, 4), nn.Linear(4, 3)

    def forward(self, ids):
        return self.head(self.words(ids.t()).mean(0))


def test_turned_tokens_are_refused_at_a_first_batch_of_one_row_too():
    with pytest.raises(RecipeError, match="no embedding gets one of 'ids'"):
        attach(VAT(), Turned()).step((torch.arange(5).reshape(1, 5), torch.tensor([1])))


class Masks(nn.Module):
    """Takes masks that tell other things than padding before the one that tells it."""

    def __init__(self):
        super().__init__()
        self.words, self.head = nn.Embedding(30, 4), nn.Linear(4, 3)

    def forward(self, ids, global_attention_mask=None, loss_mask=None, my_mask=None, attention_mask=None):
        return self.head(self.words(ids).mean(1))


def test_of_several_masks_the_attention_mask_says_what_is_padding():
    rows = texts()
    ids, mask = rows["input_ids"], rows["attention_mask"]
    first = torch.zeros_like(mask)
    first[:, 0] = 1
    inputs = {"ids": ids, "global_attention_mask": first, "loss_mask": first, "my_mask": first, "attention_mask": mask}
    for left in (inputs, {n: x for n, x in inputs.items() if n != "my_mask"}):
        session = attach(NEFTune(1.0), Masks())
        found = session.solo.seam.on(Batch(left, rows["labels"])).seam.shifted(Batch(left, rows["labels"]), "NEFTune")
        assert torch.equal(found.counts, mask != 0)
    session = attach(NEFTune(1.0), Masks())
    alone = Batch({"ids": ids, "loss_mask": first}, rows["labels"])
    assert session.solo.seam.on(alone).seam.shifted(alone, "NEFTune").counts is None
