"""One impedance tool as a process: JSON lines in, JSON lines out (see eis_call.py).

Usage: python worker.py TOOL

Runs in .venv-eis, without equipoise. What a tool prints is thrown away; what it
raises is told.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import warnings
from importlib.metadata import version


def main() -> None:
    replies = os.fdopen(os.dup(1), "w")  # before the tool can print into it
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    warnings.simplefilter("ignore")

    def tell(answer: dict) -> None:
        replies.write(json.dumps(answer) + "\n")
        replies.flush()

    begin = time.perf_counter()
    try:
        tool = importlib.import_module(f"with_{sys.argv[1]}")
    except Exception as error:  # broken peers fail in many ways
        tell({"error": _told(error)})
        return
    names = (*tool.PACKAGES, "numpy", "scipy")
    tell(
        {
            "versions": {name: version(name) for name in names},
            "import_second": time.perf_counter() - begin,
        }
    )
    for line in sys.stdin:
        try:
            tell(_answer(tool, json.loads(line)))
        except Exception as error:
            tell({"error": _told(error)})


def _told(error: Exception) -> str:
    lines = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"


def _answer(tool: object, job: dict) -> dict:
    import numpy as np

    run = tool.TASKS[job["task"]]
    arguments = []
    if "frequency_hertz" in job:
        impedance = np.array(job["real_ohm"]) + 1j * np.array(job["imaginary_ohm"])
        arguments = [np.array(job["frequency_hertz"]), impedance]
    wall, cpu = time.perf_counter(), time.process_time()
    found = run(*arguments, **job["settings"])
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    plain = {k: np.asarray(v).tolist() for k, v in found().items()}
    return plain | {"wall_second": wall, "cpu_second": cpu}


if __name__ == "__main__":
    main()
