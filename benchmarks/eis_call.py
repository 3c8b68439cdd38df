"""Talks to the impedance tools of others, each in a process of their own.

They live in .venv-eis (benchmarks/eis_peers.txt). A worker imports one tool, then
answers jobs, one JSON line each, until its input ends; it measures wall and CPU time
of each answer itself, so that no pipe is timed. EQUIPOISE_EIS_PYTHON names another
interpreter.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from types import TracebackType

ROOT = Path(__file__).resolve().parents[1]
WORKER = Path(__file__).resolve().parent / "eis_peers" / "worker.py"
TOOLS = ("drttools", "impedance_py", "impspec", "pydrt_", "hybrid")
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)


class PeerError(RuntimeError):
    """The tool is not there, or failed; the text is its own."""


def interpreter() -> Path:
    """Python of the environment; it may not exist."""
    given = os.environ.get("EQUIPOISE_EIS_PYTHON")
    return Path(given) if given else ROOT / ".venv-eis" / "bin" / "python"


def why_absent(tool: str) -> str | None:
    """Reason why a tool cannot be used; None: it can."""
    try:
        with Peer(tool):
            return None
    except PeerError as error:
        return str(error)


class Peer:
    """One tool in one process; use it in a `with`."""

    def __init__(self, tool: str) -> None:
        if not interpreter().exists():
            raise PeerError("there is no .venv-eis: see make eis-peers")
        self.tool = tool
        self.begin = time.perf_counter()
        environment = os.environ | ONE_THREAD | {"MPLBACKEND": "Agg"}
        try:
            self.process = subprocess.Popen(
                [str(interpreter()), str(WORKER), tool],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                text=True,
            )
        except OSError as error:
            raise PeerError(f"{tool}: {error}") from error
        try:
            hello = self._reply()
        except PeerError:
            self.close()
            raise
        self.versions: dict[str, str] = hello["versions"]
        self.import_second: float = hello["import_second"]

    def _reply(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise PeerError(f"{self.tool}: ended with code {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise PeerError(f"{self.tool}: {answer['error']}")
        return answer

    def ask(
        self,
        task: str,
        frequency: np.ndarray | None = None,
        impedance: np.ndarray | None = None,
        **settings: object,
    ) -> dict:
        """One answer: arrays as arrays, and `wall_second` and `cpu_second`."""
        job: dict[str, object] = {"task": task, "settings": settings}
        if frequency is not None and impedance is not None:
            job["frequency_hertz"] = frequency.tolist()
            job["real_ohm"] = impedance.real.tolist()
            job["imaginary_ohm"] = impedance.imag.tolist()
        try:
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
        except OSError as error:
            raise PeerError(f"{self.tool}: {error}") from error
        answer = self._reply()
        return {k: np.array(v) if isinstance(v, list) else v for k, v in answer.items()}

    def close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            pipe.close()
        try:
            self.process.wait(timeout=5.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def cold(
    tool: str, task: str, f: np.ndarray, z: np.ndarray, **settings: object
) -> float:
    """Seconds from starting the process to its first answer."""
    with Peer(tool) as peer:
        peer.ask(task, f, z, **settings)
        return time.perf_counter() - peer.begin
