"""Layers, and what an import costs."""

import subprocess
import sys

import pytest

HEAVY = ("numpy", "numba", "polars", "scipy", "matplotlib", "pydantic", "jinja2")
ASK = "import sys; print(*sorted({{m.split('.')[0] for m in sys.modules}} & {heavy!r}))"


def run(code, *arguments):
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def loaded_after(statement):
    ask = ASK.format(heavy=set(HEAVY))
    done = run(f"{statement}\n{ask}")
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_importing_equipoise_is_light():
    assert loaded_after("import equipoise; equipoise.__all__; dir(equipoise)") == []


def loaded_after_command(arguments):
    return loaded_after(
        f"import io, sys; sys.argv = ['equipoise', *{arguments!r}]\n"
        "streams = sys.stdout, sys.stderr\n"
        "sys.stdout = sys.stderr = io.StringIO()\n"
        "from equipoise.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "assert 'equipoise' in sys.stdout.getvalue()\n"
        "sys.stdout, sys.stderr = streams"
    )


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"], []])
def test_help_is_light(arguments):
    assert loaded_after_command(arguments) == []


@pytest.mark.parametrize("command", ["demo", "design", "curve", "library"])
def test_help_of_a_command_loads_no_numerics(command):
    # typer itself loads pydantic for the parameters of a command
    assert set(loaded_after_command([command, "--help"])) <= {"pydantic"}


def test_errors_can_be_caught_without_numerics():
    assert loaded_after("from equipoise import SpecError, StoreError") == []


def test_drawing_and_fitting_are_not_loaded_for_numbers():
    # numba loads the bare scipy package itself; its parts are what costs time
    done = run(
        "import sys, equipoise as eqp\n"
        "eqp.np_map(eqp.load_cell('zhang2026-lb'), [1.1])\n"
        "heavy = {'matplotlib', 'jinja2', 'scipy.optimize', 'scipy.interpolate'}\n"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_the_import_contracts_hold(repo):
    done = run(
        "from importlinter.cli import lint_imports_command; lint_imports_command()",
        "--config",
        str(repo / "pyproject.toml"),
        "--no-cache",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout
