"""Size, names and references of the source files."""

import ast
import re
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src" / "equipoise"
REPO = SRC.parents[1]
FILES = sorted(SRC.rglob("*.py"))
DATA = sorted(SRC.rglob("*.toml"))
TEXTS = [*FILES, *DATA, *sorted(SRC.rglob("*.j2"))]

LONGEST_FILE, LONGEST_FUNCTION, LONGEST_KERNEL = 600, 60, 120
VAGUE = {"utils", "helpers", "common", "base", "misc", "util", "helper"}


def name(path):
    return str(path.relative_to(SRC))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_files_and_functions_are_short(path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    limit = LONGEST_KERNEL if "kernels" in path.parts else LONGEST_FUNCTION
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = node.end_lineno - node.lineno + 1
            documented = ast.get_docstring(node, clean=False) or ""
            body = lines - documented.count("\n")
            assert body <= limit, f"{node.name}: {body} lines without its docstring"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_module_is_named_after_what_it_holds(path):
    assert path.stem not in VAGUE
    assert path.parent.name not in VAGUE


@pytest.mark.parametrize("path", TEXTS, ids=name)
def test_no_path_of_one_machine_and_no_loose_end_is_in_the_package(path):
    text = path.read_text("utf-8")
    assert not re.search(r"(?<![\w.])/(?:home|root|work|Users|mnt)/\w", text)
    assert not re.search(r"[A-Z]:\\\\?\w", text)
    assert not re.search(r"\b(?:TODO|FIXME|XXX)\b(?!.{0,3}\(?#\d+)", text)


@pytest.mark.parametrize("path", FILES, ids=name)
def test_print_and_eval_are_not_used(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("print", "eval", "exec"), node.lineno


KEY = re.compile(r"(?<![\w.-])([a-z]{2,}(?:19|20)\d{2})(?![\w-])")


def bib_keys():
    text = (REPO / "docs" / "references.bib").read_text("utf-8")
    return set(re.findall(r"^@\w+\{\s*([^,\s]+)\s*,", text, flags=re.M))


def cited(path):
    """Words like zhang2026 in a file, without names of cells (zhang2026-lb)."""
    return set(KEY.findall(path.read_text("utf-8")))


def test_the_search_for_citations_finds_them():
    found = set().union(*(cited(p) for p in TEXTS))
    assert {"zhang2026", "rehm2025", "ma2007"} <= found


@pytest.mark.parametrize("path", TEXTS, ids=name)
def test_every_cited_key_is_in_the_bibliography(path):
    # files of the reference data are named like oregan2022.csv: those are no keys
    unknown = cited(path) - bib_keys()
    assert not unknown


@pytest.mark.parametrize("path", DATA, ids=name)
def test_a_source_begins_with_a_key_a_file_or_a_plain_word(path):
    import tomllib

    def sources(table):
        for key, value in table.items():
            if key == "source":
                yield value
            elif isinstance(value, dict):
                yield from sources(value)
            elif isinstance(value, list):
                for entry in value:
                    if isinstance(entry, dict):
                        yield from sources(entry)

    for source in sources(tomllib.loads(path.read_text("utf-8"))):
        assert source.strip()
        assert "http://" not in source


def test_the_lock_pins_versions_and_nothing_else():
    lines = (REPO / "requirements.lock").read_text("utf-8").splitlines()
    assert len(lines) > 10
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.+!-]+", line), line
    assert lines == sorted(lines, key=str.lower)


def test_every_dependency_is_in_the_lock():
    import tomllib

    project = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))["project"]
    lock = (REPO / "requirements.lock").read_text("utf-8").lower()
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    for requirement in wanted:
        package = re.match(r"[A-Za-z0-9_-]+", requirement).group().lower()
        assert f"{package}==" in lock, package


def test_the_wheel_takes_the_whole_package():
    import tomllib

    tool = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))["tool"]
    wheel = tool["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["src/equipoise"]
    assert "exclude" not in wheel


def test_tests_and_lock_are_run_by_make():
    text = (REPO / "Makefile").read_text("utf-8")
    for target in ("demo", "test", "check", "bench", "lock"):
        assert re.search(rf"^{target}:", text, flags=re.M), target
