"""``temperance.fit``: a study on arrays or frames, as one call."""

from __future__ import annotations

from typing import Any

from temperance.data import read
from temperance.data.choices import of_python
from temperance.estimators.classifier import TemperanceClassifier
from temperance.estimators.regressor import TemperanceRegressor
from temperance.records.errors import SettingError, nearest

TASKS = ("auto", "classification", "counts", "ordinal", "regression")


def fit(
    X: Any, y: Any, *, budget: Any = "2m", task: str = "auto", sample_weight: Any = None, groups: Any = None,
    time: Any = None, **settings: Any,
) -> TemperanceClassifier | TemperanceRegressor:  # fmt: skip
    """Find and train the best regularized model for X and y.

    Args:
        X: (b, f) array, or a frame.
        y: (b,) labels or values.
        budget: wall clock of the whole call (``"2m"``) or a count (``"12trials"``); None trains one net.
        task: ``auto`` tells by y: words, and few different whole numbers, are classes. ``ordinal``: classes that are
            levels in their order (numbers). ``counts``: numbers that are 0 or more.
        sample_weight: (b,) weights of the rows, or None.
        groups: (b,) groups that are never split, or None.
        time: (b,) numbers or dates that the split follows, or None.
        **settings: further parameters of the estimator: ``metric``, ``random_state``, ``workers``, ``out``,
            ``candidates``, ``columns``, ``class_weight``, ``costs`` …

    Returns:
        The fitted classifier or regressor.

    Example:
        >>> from sklearn.datasets import load_wine
        >>> X, y = load_wine(return_X_y=True)
        >>> model = fit(X, y, budget=None, epochs=3)
        >>> type(model).__name__, len(model.classes_)
        ('TemperanceClassifier', 3)

    Raises:
        SettingError: an unknown task or parameter.

    """
    if task not in TASKS:
        raise SettingError(f"task={task!r}", f"one of {', '.join(TASKS)}", nearest(task, TASKS) or "Use task='auto'")
    if task == "auto":
        task = (
            "regression"
            if read((X, y), choices=of_python(settings.get("columns"))).table.schema.target.task == "regression"
            else "classification"
        )
    if task == "ordinal":
        settings["ordered"] = True
    if task == "counts":
        settings["counts"] = True
    kind = TemperanceRegressor if task in ("counts", "regression") else TemperanceClassifier
    known = kind._get_param_names()
    for name in settings:
        if name not in known:
            raise SettingError(f"fit got {name!r}", f"it takes {', '.join(known)}", nearest(name, known))
    return kind(budget=budget, **settings).fit(X, y, sample_weight=sample_weight, groups=groups, time=time)
