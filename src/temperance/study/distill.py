"""What a student learns from: the answers of its teacher on rows that the teacher did not train on, mixed with labels.

A teacher's answers on its own training rows say little: a forest knows them by heart. So the teacher is cross-fitted
within the student's training rows and nothing else; the rows that judge the student teach neither of them.
Source: Hinton, Vinyals, Dean (2015), arXiv:1503.02531, section 2, at temperature 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from temperance.data import Preprocess
from temperance.models import BASIC, cross_fit
from temperance.models.basic import Sample
from temperance.records.errors import DataError
from temperance.records.schema import Schema
from temperance.study.spec import TrialSpec

INNER_FOLDS = 3
LABEL_SHARE = 0.3


def lessons(sample: Sample, teacher: TrialSpec, *, schema: Schema, preprocess: Preprocess) -> Tensor:
    """Return a student's targets: probabilities (b, c), or standardized values (b,).

    0.3 · label + 0.7 · out-of-fold answer of the teacher.
    """
    answers = taught(sample, teacher, schema=schema)
    if schema.target.task == "regression":
        return torch.from_numpy(preprocess.scale_target(LABEL_SHARE * sample.target + (1 - LABEL_SHARE) * answers))
    labels = np.eye(schema.target.outputs)[sample.target.astype(np.int64)]
    return torch.from_numpy((LABEL_SHARE * labels + (1 - LABEL_SHARE) * answers).astype(np.float32))


def taught(sample: Sample, teacher: TrialSpec, *, schema: Schema) -> NDArray[Any]:
    """Return the teacher's answers on the rows, each from a model that did not train on that row.

    Shapes: probabilities (b, c) or values (b,).

    Raises:
        DataError: answers that are not finite.

    """
    folds = inner_folds(sample.target, schema.target.task, seed=teacher.seed)
    model = BASIC[teacher.model](**teacher.settings)
    found = cross_fit(model, sample, folds, schema=schema, seed=teacher.seed)
    if found is None or not np.isfinite(found.answers).all():
        raise DataError(f"{teacher.name} gave answers that are not finite", "finite answers", "Leave the candidate out")
    return found.answers


def inner_folds(target: NDArray[Any], task: str, *, seed: int) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Return (rows, held) of three folds, by class where each class has three rows."""
    from sklearn.model_selection import KFold, StratifiedKFold

    plain = task == "regression" or np.unique(target, return_counts=True)[1].min() < INNER_FOLDS
    kind = KFold if plain else StratifiedKFold
    return list(kind(INNER_FOLDS, shuffle=True, random_state=seed).split(target, None if plain else target))
