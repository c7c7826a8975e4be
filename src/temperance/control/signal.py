"""What controllers read: numbers by name. NaN, or a name that is absent, means *not measured at this call*."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Signals = Mapping[str, "float | NDArray[np.float64]"]
"""One value per name, of shape () or (k,)."""

STANDARD: dict[str, str] = {
    "progress": "share of the training that is done, 0 to 1",
    "epoch": "epochs done, may be fractional",
    "step": "optimizer steps done",
    "lr": "learning rate over its maximum, 0 to 1",
    "train_loss": "loss on clean training batches, evaluation mode",
    "valid_loss": "loss on the controller rows, evaluation mode",
    "gap": "valid_loss minus train_loss, only on the calls where it was measured anew",
    "gap_error": "standard error of gap",
    "gradient_noise": "gradient noise scale, tr(covariance) / |gradient|²",
    "weight_norm": "norm of the weights",
    "plateau": "readings since the held-out loss was last clearly better",
    "plateau_slope": "change of the smoothed held-out loss from one reading to the next",
    "gradient_disparity": "mean distance between the gradients of training batches",
    "gradient_coherence": "mean cosine between the gradients of training batches",
    "angular_step": "mean angle by which one step turns a weight matrix, in radians",
    "relative_step": "mean size of a step over the size of the weight matrix",
    "tail_exponent": "exponent of the tail of the weight matrices' spectra",
    "sharpness": "rise of the loss a small way up the gradient",
    "lambda_max": "largest eigenvalue of the loss' Hessian",
    "confidence": "mean largest probability on the held-out rows",
    "overconfidence": "confidence minus accuracy on the held-out rows",
    "prediction_flips": "training rows whose predicted class changed since the last reading",
    "difficulty_p90": "90th percentile of the training rows' losses",
    "kl": "divergence of the answers from those of the reference, in nats, on training rows",
    "forgetting": "rise of the loss on rows that must not be lost, since the training began",
    "evidence": "1 - (b/D) sum of squared gradient over variance: above 0 the gradient looks like noise",
}
"""Names that training provides. Production feeds in its own (drift, entropy, …)."""


def read(signals: Signals, name: str, shape: tuple[int, ...] = ()) -> NDArray[np.float64]:
    """Return signal ``name`` as float64 of ``shape``; NaN where it is absent or not finite.

    Args:
        signals: numbers by name.
        name: signal to read.
        shape: () or (k,).

    """
    value = np.asarray(signals.get(name, np.nan), dtype=np.float64)
    value = np.where(np.isfinite(value), value, np.nan)
    return np.array(np.broadcast_to(value, shape if value.size == 1 else np.broadcast_shapes(value.shape, shape)))
