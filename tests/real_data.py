"""Real files of the folder beside the project; tests that need one skip without it."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "shared" / "data"


def data_file(name):
    """Path of a real file; skips the test, with the reason, if it is not there."""
    path = ROOT / name
    if not path.exists():
        pytest.skip(f"../shared/data/{name} is not here")
    return path
