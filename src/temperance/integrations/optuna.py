"""A study as an Optuna study, and an Optuna study's trials as recipes that a study tries first.

Each of our trials becomes one of Optuna's: strengths and training settings as parameters with the range that they may
have, its score as the value, its readings on the way as intermediate values. The whole trial stands in its user
attribute ``temperance``, so nothing is lost on the way back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temperance.core.recipe import Recipe
from temperance.core.regularizer import techniques
from temperance.integrations.tracking import Plain, TrackedTrial, opened
from temperance.records.errors import MissingExtra, SettingError, StudyError, nearest
from temperance.records.names import snake

ATTRIBUTE = "temperance"
SETTINGS = {
    "lr": "lr", "learning_rate": "lr", "batch_size": "batch_size", "epochs": "epochs", "n_epochs": "epochs",
    "num_epochs": "epochs", "max_epochs": "epochs",
}  # fmt: skip
SUFFIXES = ("p", "rate", "prob", "alpha", "eps", "strength")  # of a technique with one knob: dropout_rate is dropout.p


@dataclass(frozen=True)
class ImportedTrial:
    """One trial of an Optuna study.

    Attributes:
        number: Optuna's.
        name: plain words.
        state: Optuna's: ``COMPLETE``, ``PRUNED``, ``FAIL`` …
        value: what it reached; None where it did not end well.
        recipe: what its parameters say; without techniques where none of them names one.
        settings: ``lr``, ``batch_size``, ``epochs``, those that it names.
        unmapped: a sentence for each parameter that says nothing to us.
        spec: ``TrialSpec.to_dict()`` where the trial is one of ours, else None.

    """

    number: int
    name: str
    state: str
    value: float | None
    recipe: Recipe
    settings: dict[str, float]
    unmapped: tuple[str, ...] = ()
    spec: dict[str, Any] | None = None


@dataclass(frozen=True)
class ImportedStudy:
    """An Optuna study.

    Attributes:
        name: its name in the storage.
        higher_is_better: its direction.
        trials: in Optuna's order.

    """

    name: str
    higher_is_better: bool
    trials: tuple[ImportedTrial, ...]

    @property
    def unmapped(self) -> tuple[str, ...]:
        """Return what could not be taken over, each sentence once."""
        return tuple(dict.fromkeys(why for one in self.trials for why in one.unmapped))

    def starts(self, most: int = 5) -> tuple[dict[str, Any], ...]:
        """Return the best trials, each recipe once, as ``StudySettings.starts`` takes them.

        Trials without a technique of ours are left out: a study tries the plain net by itself.
        """
        done = [(one.value, one) for one in self.trials if one.value is not None and len(one.recipe)]
        best = [one for _, one in sorted(done, key=lambda pair: pair[0], reverse=self.higher_is_better)]
        found: dict[Recipe, dict[str, Any]] = {}
        for one in best:
            row = {"name": f"{self.name}, trial {one.number}", "recipe": one.recipe.to_dict(), "settings": one.settings}
            found.setdefault(one.recipe, row)
        return tuple(found.values())[:most]


def export_study(folder: str | Path, *, uri: str | None = None, name: str | None = None) -> dict[str, Any]:
    """Write a study into an Optuna storage.

    Args:
        folder: of the study.
        uri: the storage: ``sqlite:///file.db`` or another database, or a file: ``.db`` for SQLite, ``.log`` or
            ``.journal`` for Optuna's journal; None: ``optuna.db`` in the folder.
        name: of the Optuna study; None: that of the folder.

    Returns:
        ``{"to", "uri", "study", "trials", "left_out"}``.

    Raises:
        StudyError: no finished study there, or the storage holds a study of that name or cannot be opened.

    """
    study = opened(Path(folder))
    place = uri or str(study.folder / "optuna.db")
    called = name or study.folder.resolve().name
    optuna, storage = _storage(place)
    direction = "maximize" if study.higher_is_better else "minimize"
    try:
        made = optuna.create_study(storage=storage, study_name=called, direction=direction)
    except optuna.exceptions.DuplicatedStudyError as fault:
        raise StudyError(
            f"the storage {place} holds a study named {called!r} already",
            "a name that is not taken",
            "Choose another --uri",
        ) from fault
    for key, value in study.params.items():
        made.set_user_attr(key, value)
    made.set_user_attr("metric_words", study.document["metric"]["words"])
    ranges = _ranges(optuna, study.trials)
    made.add_trials([_frozen(optuna, trial, ranges) for trial in study.trials])
    return {"to": "optuna", "uri": place, "study": called, "trials": len(study.trials)}


def import_study(uri: str, *, name: str | None = None) -> ImportedStudy:
    """Read an Optuna study: ours come back as they were, others by the names of their parameters.

    A parameter named ``dropout.p``, ``dropout_p``, ``Dropout.p``, ``dropout`` or ``dropout_rate`` is the strength of
    ``Dropout``; ``lr``, ``batch_size`` and ``epochs`` are settings of the training.

    Args:
        uri: as in ``export_study``.
        name: of the Optuna study; needed where the storage holds several.

    Raises:
        StudyError: no such storage or study, or it has several goals.

    """
    optuna, storage = _storage(uri, must_exist=True)
    names = optuna.get_all_study_names(storage=storage)
    wanted = name or (names[0] if len(names) == 1 else None)
    if wanted not in names:
        received = f"no study named {name!r} in {uri}" if name else f"{len(names)} studies in {uri}"
        remedy = nearest(name or "", names) or "Name one of them"
        raise StudyError(received, ", ".join(names) or "a storage with a study", remedy)
    study = optuna.load_study(study_name=wanted, storage=storage)
    if len(study.directions) != 1:
        raise StudyError(
            f"the Optuna study {wanted!r} has {len(study.directions)} goals", "one goal", "Export one of them alone"
        )
    trials = tuple(imported(one) for one in study.get_trials(deepcopy=False))
    return ImportedStudy(str(wanted), study.direction.name == "MAXIMIZE", trials)


def imported(trial: Any) -> ImportedTrial:
    """Return one of Optuna's trials (``optuna.trial.FrozenTrial``) as ours."""
    state = trial.state.name
    value = float(trial.value) if state == "COMPLETE" and trial.value is not None else None
    spec = (trial.user_attrs.get(ATTRIBUTE) or {}).get("spec")
    if spec is not None:
        recipe = Recipe.from_dict(spec.get("recipe") or {})
        settings = {key: one for key, one in spec.get("settings", {}).items() if key in SETTINGS.values()}
        return ImportedTrial(trial.number, spec["name"], state, value, recipe, settings, (), spec)
    recipe, settings, unmapped = mapped(trial.params)
    return ImportedTrial(trial.number, f"trial {trial.number}", state, value, recipe, settings, unmapped)


def mapped(params: Mapping[str, Any]) -> tuple[Recipe, dict[str, float], tuple[str, ...]]:
    """Return what a trial's parameters say: a recipe, settings of the training, and what says nothing to us."""
    known, settings, wanted = _addresses(), {}, {}  # type: ignore[var-annotated]
    unmapped = []
    for name, value in params.items():
        plain = name.rsplit("/", 1)[-1].lower()
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if plain in SETTINGS and number:
            settings[SETTINGS[plain]] = float(value)
        elif plain in known and number:
            technique, strength = known[plain]
            wanted.setdefault(technique, {})[strength] = float(value)
        else:
            why = "is not a number" if plain in (*SETTINGS, *known) else "names no technique and no training setting"
            unmapped.append(f"{name} {why}")
    parts = []
    for technique, strengths in wanted.items():
        try:
            parts.append(techniques[technique](**strengths))
        except SettingError as fault:
            unmapped.append(f"{technique} with {strengths} is refused: {fault}")
    return Recipe(*parts), settings, tuple(unmapped)


def _addresses() -> dict[str, tuple[str, str]]:
    """Return (technique, strength) by each name that a parameter may have for it."""
    found: dict[str, tuple[str, str]] = {}
    for name, cls in techniques.items():
        address = snake(name)
        if len(cls.strengths) == 1:
            only = next(iter(cls.strengths))
            found |= {f"{address}_{suffix}": (name, only) for suffix in SUFFIXES} | {address: (name, only)}
        for strength in cls.strengths:
            for shown in (f"{address}.{strength}", f"{address}_{strength}", f"{name.lower()}.{strength}"):
                found[shown.lower()] = (name, strength)
    return found


# -- towards Optuna ---------------------------------------------------------------------------------------------------


def _frozen(optuna: Any, trial: TrackedTrial, ranges: Mapping[str, Any]) -> Any:
    states = optuna.trial.TrialState
    state = {"done": states.COMPLETE, "discarded": states.PRUNED}.get(trial.status, states.FAIL)
    if state is states.COMPLETE and trial.score is None:
        state = states.FAIL
    told = {"name": trial.name, "status": trial.status, "why": trial.why, "metrics": trial.metrics}
    return optuna.trial.create_trial(
        state=state, value=trial.score if state is states.COMPLETE else None, params=dict(trial.params),
        distributions={name: ranges[name] for name in trial.params},
        intermediate_values={round(100 * fraction): score for fraction, score in trial.readings},
        user_attrs={ATTRIBUTE: {"spec": trial.spec, "trial": trial.id, **told}},
    )  # fmt: skip


def _ranges(optuna: Any, trials: Sequence[TrackedTrial]) -> dict[str, Any]:
    """Return the range of each parameter: that of its strength, widened by what was tried; or all values tried."""
    values: dict[str, list[Plain]] = {}
    for trial in trials:
        for name, value in trial.params.items():
            values.setdefault(name, []).append(value)
    bounds = _bounds()
    return {name: _range(optuna, seen, bounds.get(_first(name))) for name, seen in values.items()}


def _range(optuna: Any, seen: Sequence[Plain], bounds: tuple[float, float] | None) -> Any:
    kinds = {type(value) for value in seen}
    if not kinds <= {int, float}:
        return optuna.distributions.CategoricalDistribution(sorted(set(seen), key=repr))
    low, high = min([*seen, *(bounds or ())]), max([*seen, *(bounds or ())])  # type: ignore[type-var]
    if kinds == {int} and bounds is None:
        return optuna.distributions.IntDistribution(low, high)
    return optuna.distributions.FloatDistribution(low, high)


def _bounds() -> dict[str, tuple[float, float]]:
    return {
        f"{snake(name)}.{strength}": (spec.low, spec.high)
        for name, cls in techniques.items()
        for strength, spec in cls.strengths.items()
    }


def _first(name: str) -> str:
    """Return ``dropout.p`` of ``dropout_2.p``: the address of the first of its class."""
    address, dot, strength = name.partition(".")
    stem, _, number = address.rpartition("_")
    return f"{stem}{dot}{strength}" if number.isdigit() and stem else name


def _storage(place: str, *, must_exist: bool = False) -> tuple[Any, Any]:
    """Return the module and a storage; files are told by their ending."""
    try:
        import optuna
        from optuna.storages import JournalStorage, RDBStorage
        from optuna.storages.journal import JournalFileBackend
    except ImportError as fault:
        raise MissingExtra(
            "Optuna is not installed", "the package optuna", "Install it with `pip install optuna`"
        ) from fault
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    path = Path(place.removeprefix("sqlite:///"))
    is_file = "://" not in place or place.startswith("sqlite:///")
    if is_file and path.suffix not in (".db", ".sqlite", ".sqlite3", ".log", ".journal"):
        raise StudyError(f"the storage {place!r}", "a file ending in .db, .log or .journal, or a database as "
                         "sqlite:///…", "Give it such a name")  # fmt: skip
    if must_exist and is_file and not path.is_file():
        raise StudyError(f"there is no storage {place}", "a file that Optuna or `temperance export` wrote",
                         "Check the name")  # fmt: skip
    if is_file and not path.parent.is_dir():
        raise StudyError(f"there is no folder {path.parent}", "a file in a folder that is there", "Make it first")
    try:
        if path.suffix in (".log", ".journal") and is_file:
            return optuna, JournalStorage(JournalFileBackend(str(path)))
        return optuna, RDBStorage(f"sqlite:///{path}" if is_file else place)
    except Exception as fault:  # SQLAlchemy and its drivers raise many kinds
        raise StudyError(
            f"the storage {place} cannot be opened: {str(fault).splitlines()[0]}", "one that Optuna made",
            "Check --uri",
        ) from fault  # fmt: skip
