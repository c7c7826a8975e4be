"""The statistics and model repository extensions of the Open Inference Protocol.

Specification: triton-inference-server/server, ``docs/protocol/extension_statistics.md`` and
``extension_model_repository.md``. Times are nanoseconds; what is not measured apart has a count of 0.
"""

from __future__ import annotations

from typing import Any

from temperance.deployment.bundle import Bundle
from temperance.deployment.serve.metrics import Tally

NOT_MEASURED = {"count": 0, "ns": 0}


def statistics(bundle: Bundle, tally: Tally) -> dict[str, Any]:
    """Return what ``GET /v2/models/stats`` and ``/v2/models/NAME/stats`` answer, since this version is served.

    ``success`` and ``fail`` are requests for predictions with the arrival of their bodies; ``compute_infer`` counts
    runs of the graph with monitor and adapter, which several requests may share.
    """
    return {
        "model_stats": [
            {
                "name": bundle.name,
                "version": bundle.version,
                "last_inference": int(1000 * tally.last),
                "inference_count": tally.rows,
                "execution_count": tally.runs,
                "inference_stats": {
                    "success": {"count": tally.good, "ns": _ns(tally.good_seconds)},
                    "fail": {"count": tally.bad, "ns": _ns(tally.bad_seconds)},
                    "queue": NOT_MEASURED,
                    "compute_input": NOT_MEASURED,
                    "compute_infer": {"count": tally.runs, "ns": _ns(tally.run_seconds)},
                    "compute_output": NOT_MEASURED,
                },
                "batch_stats": [],
            }
        ]
    }


def repository(bundle: Bundle, *, ready: bool) -> list[dict[str, str]]:
    """Return what ``POST /v2/repository/index`` answers: the one model that is served."""
    return [
        {
            "name": bundle.name, "version": bundle.version, "state": "READY" if ready else "UNAVAILABLE",
            "reason": "" if ready else "the server is stopping",
        }
    ]  # fmt: skip


def _ns(seconds: float) -> int:
    return round(1e9 * seconds)
