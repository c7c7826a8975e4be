"""Numbers that are computed from texts and series, by blocks fitted on training rows. NumPy alone where they serve."""

from __future__ import annotations

from temperance.data.blocks import text
from temperance.data.blocks.base import BLOCKS, Block, Blocks, fit_blocks, pack, unpack
from temperance.data.blocks.scores import ScoreBlock
from temperance.data.blocks.series import SeriesBlock

__all__ = ["BLOCKS", "Block", "Blocks", "ScoreBlock", "SeriesBlock", "fit_blocks", "pack", "text", "unpack"]
