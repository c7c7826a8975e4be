"""What ``--start`` names: recipes that a study tries first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from temperance.cli.console import Console
from temperance.records.errors import DataError

MOST = 5  # of an Optuna study


def starts_of(texts: list[str], console: Console) -> tuple[dict[str, Any], ...]:
    """Return the recipes, as ``StudySettings.starts`` takes them; say what could not be taken over.

    Args:
        texts: a recipe in TOML each, or an Optuna storage: a file, or a database; ``#NAME`` names one of its studies.
        console: for what is left out.

    Raises:
        DataError: no such file.
        SettingError: a recipe that is not valid.
        StudyError: no such Optuna study, or no trial of it has a technique of ours.

    """
    found: list[dict[str, Any]] = []
    for text in texts:
        found += [_recipe(Path(text))] if text.endswith(".toml") else _optuna(text, console)
    return tuple(found)


def _recipe(path: Path) -> dict[str, Any]:
    import temperance.regularizers  # noqa: F401  # fills the registry
    from temperance.core.recipe import Recipe

    if not path.is_file():
        raise DataError(f"there is no file {str(path)!r}", "a recipe in TOML, as `Recipe.to_toml` writes it",
                        "Check the path")  # fmt: skip
    recipe = Recipe.from_toml(path.read_text(encoding="utf-8"))
    return {"name": f"recipe of {path.name}", "recipe": recipe.to_dict(), "settings": {}}


def _optuna(text: str, console: Console) -> list[dict[str, Any]]:
    from temperance.integrations.optuna import import_study
    from temperance.records.errors import StudyError

    uri, _, name = text.partition("#")
    study = import_study(uri, name=name or None)
    starts = study.starts(MOST)
    if not starts:
        raise StudyError(
            f"no finished trial of the Optuna study {study.name!r} has a technique of ours",
            "parameters such as dropout.p, weight_decay.rate, label_smoothing or mixup_alpha",
            "Rename them, or write a recipe in TOML",
        )
    for why in study.unmapped:
        console.warn(f"{study.name}: {why}; left out")
    done = sum(one.value is not None for one in study.trials)
    console.note(f"{study.name}: {len(starts)} of {done} finished trials are tried first.")
    return list(starts)
