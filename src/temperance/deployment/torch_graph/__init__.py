"""An ONNX graph as differentiable torch operations, so that a bundle's scores have gradients by its raw inputs."""

from temperance.deployment.torch_graph.network import GraphNetwork, open_network

__all__ = ["GraphNetwork", "open_network"]
