"""A bundle's graph as a torch program: ``torch.export``, saved as one ``.pt2`` file."""

from __future__ import annotations

from temperance.deployment.export.program.graph import GraphModule
from temperance.deployment.export.program.write import write_program

__all__ = ["GraphModule", "write_program"]
