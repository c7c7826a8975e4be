"""A study's clock on a machine that others use: ``time.monotonic`` as it would go on if nobody else wanted the cores.

With this folder on ``PYTHONPATH`` and ``QUIET_CLOCK`` the path of a file, each process of a command reads there what
time it is. ``quiet_clock.clock`` writes it: time stands still in proportion to what the command's processes wanted of
the cores and did not get. Used by ``benchmarks/budget.py --quiet-clock``; needs Linux.
"""

import mmap
import os
import struct
import time


def install(path: str) -> None:
    """Replace the clock of this process."""
    with open(path, "rb") as file:
        shown = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    time.monotonic = lambda: struct.unpack("d", shown[:8])[0]


if os.environ.get("QUIET_CLOCK"):
    install(os.environ["QUIET_CLOCK"])
    import temperance.study.clock

    temperance.study.clock.process_start = lambda: 0.0
