"""Strengths of a cocktail proposed by a tree-structured Parzen estimator (Optuna, behind this seam)."""

from __future__ import annotations

from typing import Any

from temperance.study.search.base import Proposer
from temperance.study.spec import TrialSpec

# Each ingredient is one always-present number with a zero level: conditional spaces are searched badly by TPE.
SPACE: dict[str, tuple[str, str, float, float, float]] = {
    # strength: (technique, field, low, high, share of the range below which it is off)
    "dropout": ("Dropout", "p", 0.0, 0.6, 0.02),
    "decay": ("WeightDecay", "rate", 1e-3, 3.0, 2e-3),
    "mixup": ("MixUp", "alpha", 0.0, 1.0, 0.1),
    "noise": ("FeatureNoise", "sigma", 0.0, 0.4, 0.01),
    "smoothing": ("LabelSmoothing", "eps", 0.0, 0.2, 0.01),
}


class TPE(Proposer):
    """Proposes cocktails around what went well.

    Args:
        base: a net's trial; its settings, model and seed are kept, and that it is a folded run.
        task: without label smoothing for regression.
        seed: of the sampler.
        average: the averaging technique, where one is proposed.
        patience: ends after so many proposals without a better result.
        without: techniques that are not proposed.

    Reference: Bergstra et al. (2011), Algorithms for hyper-parameter optimization, NeurIPS.

    """

    def __init__(
        self, base: TrialSpec, *, task: str, seed: int, average: dict[str, Any], patience: int = 40,
        without: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sampler = optuna.samplers.TPESampler(seed=seed, multivariate=False, n_startup_trials=8, constant_liar=True)
        self._study = optuna.create_study(sampler=sampler)
        self._asked: dict[str, Any] = {}
        self.base, self.task, self.patience, self.average = base, task, patience, average
        self.without = without | ({"LabelSmoothing"} if task == "regression" else set())
        self._best, self._since = float("inf"), 0
        self._optuna = optuna

    def propose(self) -> TrialSpec | None:
        """Return a cocktail, or None when the last ``patience`` brought nothing."""
        if self._since >= self.patience:
            return None
        asked = self._study.ask()
        recipe, settings = self._recipe(asked)
        words = ", ".join(one["name"] for one in recipe["regularizers"]) or "none"
        spec = self.base.changed(
            id="", name=f"searched cocktail {asked.number + 1} ({words})",
            kind="folded" if self.base.kind == "folded" else "cocktail", adaptive=False,
            recipe=recipe, settings=settings,
        )  # fmt: skip
        self._asked[spec.name] = asked
        return spec

    def observe(self, spec: TrialSpec, quality: float | None) -> None:
        """Tell the sampler; results of other proposers are ignored."""
        asked = self._asked.pop(spec.name, None)
        if asked is None:
            return
        if quality is None:
            self._study.tell(asked, state=self._optuna.trial.TrialState.FAIL)
            self._since += 1
            return
        self._study.tell(asked, quality)
        self._since = 0 if quality < self._best else self._since + 1
        self._best = min(self._best, quality)

    def _recipe(self, asked: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        techniques: list[dict[str, Any]] = []
        for name, (technique, field, low, high, off) in SPACE.items():
            if technique in self.without:
                continue
            value = asked.suggest_float(name, low, high, log=name == "decay")
            if value > off:
                techniques.append({"name": technique, field: round(value, 6)})
        if asked.suggest_categorical("average", [True, False]):
            techniques.append(self.average)
        factor = asked.suggest_float("rate", 0.4, 2.5, log=True)
        settings = {**self.base.settings, "lr": round(self.base.settings["lr"] * factor, 8)}
        return {"regularizers": techniques}, settings
