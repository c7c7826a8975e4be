"""Results row by row, as columns of one file: from them others compute every figure again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.vetting import Vetting


def columns_of(done: Vetting, places: NDArray[np.int64] | None = None) -> dict[str, list[Any]]:
    """Return one column per result, in the order of the rows; None where a row took no part.

    ``row`` counts from 0 in the data as they were read; classes stand with their names.

    Args:
        done: the vetting.
        places: (b,) place in the file of each row of the table; the row's number itself where left out.

    """
    index = done.evaluation.index
    rows = index if places is None else places[index]
    out: dict[str, list[Any]] = {"row": rows.tolist()}
    classes = done.subject.classes
    for reading in done.readings:
        for name, values in reading.examples.items():
            key = name if name not in out else f"{reading.aspect}_{name}"
            whole = _placed(np.asarray(values), reading.index, index)
            if classes and name in ("truth", "answer"):
                whole = [None if code is None else classes[int(code)] for code in whole]
            out[key] = whole
    return out


def _placed(values: NDArray[Any], part: NDArray[np.int64] | None, index: NDArray[np.int64]) -> list[Any]:
    if part is None:
        return list(values.tolist())
    known = dict(zip(part.tolist(), values.tolist(), strict=True))
    return [known.get(row) for row in index.tolist()]
