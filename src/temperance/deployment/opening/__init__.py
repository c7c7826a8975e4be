"""Open any model as a ``Subject``: a bundle, an ONNX file, a module or estimator, a server, a file of predictions."""

from temperance.deployment.opening.base import Opened, open_model, what_is

__all__ = ["Opened", "open_model", "what_is"]
