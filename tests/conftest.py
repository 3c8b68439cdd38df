"""Fixtures of all tests: shared reference data, the paper's cells, the command line."""

import os
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

import equipoise as eqp
from equipoise.spec import library

# The first kernel call compiles, so no deadline; CI repeats the same examples.
settings.register_profile(
    "equipoise",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("equipoise")

REPO = Path(__file__).resolve().parents[1]
SHARED = REPO.parent / "shared"


@pytest.fixture(scope="session")
def shared_data():
    """Reference tables and public raw files, beside the checkout."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip(f"no shared data beside the checkout ({folder})")
    return folder


@pytest.fixture(scope="session")
def repo():
    return REPO


@pytest.fixture(scope="session")
def lb():
    return eqp.load_cell("zhang2026-lb")


@pytest.fixture(scope="session")
def hb():
    return eqp.load_cell("zhang2026-hb")


@pytest.fixture(scope="session")
def graphite(tmp_path_factory):
    """LB with graphite, whose first lithiation consumes 25 mAh/g for good."""
    text = library.text("cells", "zhang2026-lb")
    for old, new in (
        ('"lto"', '"graphite"'),
        ("{ lto = 30", "{ graphite = 30"),
        ("negative_capacity_mah_per_g = 132", "negative_capacity_mah_per_g = 350"),
        ("upper_volt = 2.75", "upper_volt = 4.2"),
        ("lower_volt = 1.35", "lower_volt = 2.5"),
    ):
        assert old in text
        text = text.replace(old, new)
    path = tmp_path_factory.mktemp("graphite") / "cell.toml"
    path.write_text(text, "utf-8")
    return eqp.load_cell(path)


@pytest.fixture
def edited(tmp_path):
    """Write the LB cell with replaced text to a file and return its path."""

    def write(*replacements, kind="cells", name="zhang2026-lb", to="cell.toml"):
        text = library.text(kind, name)
        for old, new in replacements:
            assert old in text, f"the library file has no {old!r} to replace"
            text = text.replace(old, new)
        path = tmp_path / to
        path.write_text(text, "utf-8")
        return path

    return write


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def cli(monkeypatch, capsys):
    """Run the command line in this process, with its error handling."""
    from equipoise.cli import main

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["equipoise", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = 0 if end.code is None else end.code
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run
