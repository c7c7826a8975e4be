"""Budgets of a study in CPU-seconds: ``time.monotonic`` counts what all processes of one command used together.

With this folder on ``PYTHONPATH`` and ``CPU_CLOCK`` the path of an empty file, each process of the command writes its
number there, and the clock that budgets are kept by is the sum of their CPU time. What other work does on the machine
then takes nothing from a study, as it takes nothing from its peers, which are given CPU-seconds too. Work that is
done side by side counts twice. Used by ``benchmarks/quality.py --cpu-clock``; needs Linux.
"""

import atexit
import os
import time

START = 1000.0  # what the clock showed when the command began


def install(path: str) -> None:
    """Replace the clock of this process."""
    read_at, used = 0, {}  # CPU-seconds by process; None beside them while it runs
    first = not os.path.getsize(path)
    with open(path, "a") as file:
        file.write(f"{os.getpid()} runs\n")

    def look() -> None:
        nonlocal read_at
        with open(path) as file:
            file.seek(read_at)
            text = file.read()
        whole = text[: text.rfind("\n") + 1]
        read_at += len(whole)
        for line in whole.splitlines():
            process, word = line.split()
            used[int(process)] = [0.0, True] if word == "runs" else [float(word), False]

    def monotonic() -> float:
        if os.path.getsize(path) != read_at:
            look()
        for process, row in used.items():
            if row[1]:
                try:
                    row[0] = time.clock_gettime((~process << 3) | 2)  # the CPU clock of another process
                except OSError:  # it was killed: what was seen last counts
                    row[1] = False
        return START + sum(row[0] for row in used.values())

    def end() -> None:
        with open(path, "a") as file:
            file.write(f"{os.getpid()} {time.process_time()}\n")

    time.monotonic = monotonic
    atexit.register(end)
    if first:  # its age is CPU time too
        import temperance.study.clock

        temperance.study.clock.process_start = lambda: START


if os.environ.get("CPU_CLOCK"):
    install(os.environ["CPU_CLOCK"])
