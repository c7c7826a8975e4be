"""What was compared on the half ``tuned`` before the presets were chosen."""

from __future__ import annotations

from benchmarks.presets.tasks import NEW_HEAD

from temperance import (
    EMA,
    L2SP,
    R1,
    Dropout,
    FrozenPrefix,
    GeneralizedCrossEntropy,
    GradientClipping,
    LabelSmoothing,
    LayerwiseRateDecay,
    Mixout,
    MixUp,
    OnlineLabelSmoothing,
    Recipe,
    SpectralNorm,
    SymmetricCrossEntropy,
    WeightDecay,
)

PLAIN, PRESET = "plain", "preset"
N = NEW_HEAD
CANDIDATES: dict[str, dict[str, Recipe]] = {
    "finetune": {
        "rates 0.9": Recipe(LayerwiseRateDecay(0.9)),
        "rates 0.65": Recipe(LayerwiseRateDecay(0.65)),
        "mixout 0.3": Recipe(Mixout(0.3, new=N, at="*")),
        "mixout 0.7": Recipe(Mixout(0.7, new=N, at="*")),
        "thaw 0.3": Recipe(FrozenPrefix(0.3)),
        "head first 0.3": Recipe(FrozenPrefix(0.3, gradual=False)),
        "l2sp 0.1": Recipe(L2SP(0.1, new=N)),
        "l2sp 1": Recipe(L2SP(1.0, new=N)),
        "smoothing": Recipe(LabelSmoothing(0.1)),
        "dropout 0.1": Recipe(Dropout(0.1)),
        "rates 0.8, head first": Recipe(LayerwiseRateDecay(0.8), FrozenPrefix(0.3, gradual=False)),
        "rates 0.95, l2sp 0.1": Recipe(LayerwiseRateDecay(0.95), L2SP(0.1, new=N)),
        "rates 0.8, l2sp 0.1": Recipe(LayerwiseRateDecay(0.8), L2SP(0.1, new=N)),
        "head first, dropout 0.1": Recipe(FrozenPrefix(0.3, gradual=False), Dropout(0.1)),
        "head first, dropout, l2sp": Recipe(FrozenPrefix(0.3, gradual=False), Dropout(0.1), L2SP(0.1, new=N)),
    },
    "small-data": {
        "dropout 0.2": Recipe(Dropout(0.2)),
        "dropout 0.5": Recipe(Dropout(0.5)),
        "decay 0.1": Recipe(WeightDecay(0.1)),
        "decay 2": Recipe(WeightDecay(2.0)),
        "smoothing": Recipe(LabelSmoothing(0.1)),
        "mixing": Recipe(MixUp(0.2)),
        "average": Recipe(EMA(0.99)),
        "spectral": Recipe(SpectralNorm()),
        "dropout 0.2, decay 1": Recipe(Dropout(0.2), WeightDecay(1.0)),
        "dropout 0.2, decay 1, mixing": Recipe(Dropout(0.2), WeightDecay(1.0), MixUp(0.2)),
        "dropout 0.1, decay 0.2": Recipe(Dropout(0.1), WeightDecay(0.2)),
        "decay 2, mixing": Recipe(WeightDecay(2.0), MixUp(0.2)),
        "decay 2, mixing, average": Recipe(WeightDecay(2.0), MixUp(0.2), EMA(0.99)),
        "decay 1, smoothing": Recipe(WeightDecay(1.0), LabelSmoothing(0.1)),
        "dropout 0.4, decay 2": Recipe(Dropout(0.4), WeightDecay(2.0)),
    },
    "noisy-labels": {
        "dropout 0.5": Recipe(Dropout(0.5)),
        "decay 5": Recipe(WeightDecay(5.0)),
        "smoothing 0.2": Recipe(LabelSmoothing(0.2)),
        "mixing 0.4": Recipe(MixUp(0.4)),
        "symmetric": Recipe(SymmetricCrossEntropy()),
        "generalized": Recipe(GeneralizedCrossEntropy()),
        "online smoothing": Recipe(OnlineLabelSmoothing()),
        "dropout 0.1": Recipe(Dropout(0.1)),
        "average": Recipe(EMA(0.99)),
        "dropout 0.1, decay 0.2": Recipe(Dropout(0.1), WeightDecay(0.2)),
        "dropout 0.1, decay 0.2, mixing": Recipe(Dropout(0.1), WeightDecay(0.2), MixUp(0.4)),
        "decay 1, mixing": Recipe(WeightDecay(1.0), MixUp(0.4)),
        "dropout 0.5, decay 2": Recipe(Dropout(0.5), WeightDecay(2.0)),
        "dropout 0.5, decay 2, mixing": Recipe(Dropout(0.5), WeightDecay(2.0), MixUp(0.4)),
        "dropout 0.5, decay 2, generalized": Recipe(Dropout(0.5), WeightDecay(2.0), GeneralizedCrossEntropy()),
        "dropout 0.5, decay 2, symmetric": Recipe(Dropout(0.5), WeightDecay(2.0), SymmetricCrossEntropy()),
    },
    "lm": {
        "dropout 0.1": Recipe(Dropout(0.1)),
        "decay 0.1": Recipe(WeightDecay(0.1)),
        "dropout 0.1, decay 0.1": Recipe(Dropout(0.1), WeightDecay(0.1)),
        "dropout 0.2, decay 1": Recipe(Dropout(0.2), WeightDecay(1.0)),
        "dropout 0.1, decay 0.1, clipping": Recipe(Dropout(0.1), WeightDecay(0.1), GradientClipping(1.0)),
    },
    "gan": {"r1 1": Recipe(R1(1.0)), "spectral": Recipe(SpectralNorm())},
}
ASKS = {"finetune": {"new": NEW_HEAD}}


def recipes(kind: str, half: str) -> dict[str, Recipe]:
    """Return plain training, the preset, and on the half ``tuned`` what was compared."""
    both = {PLAIN: Recipe()}
    if kind in Recipe.presets():
        both[PRESET] = Recipe.preset(kind, **ASKS.get(kind, {}))
    return both | (CANDIDATES[kind] if half == "tuned" else {})
