"""The commands `simulate` and `protocol`, in this process and as a shell sees them."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time

import polars as pl
import pytest

import equipoise as eqp
from equipoise.cli import simulate as command
from equipoise.core.columns import COLUMNS
from equipoise.io import bdf
from equipoise.protocol import named
from equipoise.sim import origin
from equipoise.sim.mesh import Mesh, Stepping

posix = pytest.mark.skipif(os.name != "posix", reason="signals and terminals of POSIX")

CYCLES = """
name = "{name}"
[[steps]]
do = "cycle"
c_rate = 1
count = {count}
"""


@pytest.fixture
def cycles(tmp_path):
    """Write a protocol of so many cycles at 1C and return its path."""

    def write(count, name="many"):
        path = tmp_path / f"{name}.toml"
        path.write_text(CYCLES.format(name=name, count=count))
        return path

    return write


def fast(cli, *arguments):
    return cli("simulate", "zhang2026-lb", *arguments, "--model", "quasi-static")


# --- what is printed


def test_json_holds_the_cycles_of_the_library(cli, lb):
    answer = json.loads(cli("simulate", "zhang2026-lb", "formation", "--json").out)
    run = eqp.simulate(lb, eqp.load_protocol("formation"))
    assert answer["equipoise"] == eqp.__version__
    assert answer["cell"] == "LB"
    assert answer["protocol"] == "formation"
    assert answer["model"] == "dfn"
    assert answer["finished"] is True
    assert answer["status"] == "OK"
    assert answer["cycles"] == run.cycles.to_dicts()
    assert answer["notes"] == []
    assert answer["seconds"] > 0
    assert list(answer["roles"]) == run.cycles.columns
    assert answer["files"] == []


def test_the_table_says_units_roles_and_the_kind_of_the_rates(cli):
    ran = cli("simulate", "zhang2026-lb", "formation")
    assert ran.code == 0
    assert ran.err == ""
    assert "LB, formation: 4 of 4 cycles, dfn model" in ran.out
    for word in ("mAh g⁻¹", "C-rate", "UP", "Li+/Li", "rates:", "positive active"):
        assert word in ran.out, ran.out
    rows = [x.split("│")[1:-1] for x in ran.out.splitlines() if x.startswith("│")]
    assert [r[0].strip() for r in rows] == ["1", "2", "3", "4"]
    assert [r[1].strip() for r in rows] == ["0.1", "0.1", "0.2", "0.2"]


def test_numbers_of_the_table_are_those_of_the_json(cli):
    table = fast(cli, "formation").out
    answer = json.loads(fast(cli, "formation", "--json").out)
    first = next(x for x in table.splitlines() if x.startswith("│ 1 "))
    cells = [c.strip() for c in first.split("│")[1:-1]]
    row = answer["cycles"][0]
    expected = [f"{row[k]:{form}}" for k, (_, form) in command.COLUMNS.items()]
    assert cells == expected


@pytest.mark.parametrize("model", ["dfn", "quasi-static"])
@pytest.mark.parametrize("kind", ["none", "some", "all"])
def test_the_caption_says_what_is_calibrated(lb, monkeypatch, model, kind):
    run = eqp.simulate(lb, eqp.load_protocol("first-cycle"), model=model)
    charge = "charging_capacity_mah_per_g_positive"
    roles = dict.fromkeys(run.cycles.columns, "predicted")
    roles |= {"none": {}, "some": {charge: "calibrated"}}.get(
        kind, dict.fromkeys(roles, "calibrated")
    )
    monkeypatch.setattr(origin, "roles", lambda _: roles)
    text = command._caption(run, half=False)
    assert ("rates: " in text) == (model == "dfn")
    if kind == "none":
        assert "all numbers predicted" in text
    elif kind == "some":
        assert "calibrated: charge; all else predicted" in text
    else:
        assert "calibrated: cycle, C-rate, charge, discharge" in text


@pytest.mark.parametrize("cell", ["zhang2026-lb", "zhang2026-lto-inli"])
def test_the_table_fits_into_eighty_columns(cli, cell):
    lines = cli("simulate", cell, "rate-test").out.splitlines()
    rows = [x for x in lines if x[:1] in "│┃┏"]
    assert len(rows) > 20
    assert max(len(x.rstrip()) for x in rows) <= 80


def test_different_rates_of_charge_and_discharge_are_both_shown(cli, tmp_path):
    path = tmp_path / "two.toml"
    rates = "charge_c_rate = 0.2\ndischarge_c_rate = 1"
    path.write_text(f'name = "two"\n[[steps]]\ndo = "cycle"\n{rates}\n')
    assert re.search(r"│ +0\.2/1 │", fast(cli, path).out)


def test_more_than_twenty_cycles_are_elided_in_the_middle(cli, cycles):
    out = fast(cli, cycles(30)).out
    rows = [x.split("│")[1].strip() for x in out.splitlines() if x.startswith("│")]
    assert rows == [*map(str, range(1, 11)), "...", *map(str, range(22, 31))]
    short = fast(cli, cycles(20)).out
    rows = [x.split("│")[1].strip() for x in short.splitlines() if x.startswith("│")]
    assert rows == [*map(str, range(1, 21))]
    assert len(json.loads(fast(cli, cycles(30), "--json").out)["cycles"]) == 30


def test_a_half_cycle_alone_leaves_dashes_and_null(cli, tmp_path):
    path = tmp_path / "half.toml"
    path.write_text('name = "half"\n[[steps]]\ndo = "charge"\nc_rate = 0.2\n')
    row = next(x for x in fast(cli, path).out.splitlines() if x.startswith("│"))
    assert "-" in [c.strip() for c in row.split("│")]
    answer = json.loads(fast(cli, path, "--json").out)
    assert answer["cycles"][0]["coulombic_efficiency"] is None


def test_a_half_cell_is_simulated_with_its_own_columns(cli):
    ran = cli("simulate", "zhang2026-lto-inli", "first-cycle")
    assert ran.code == 0
    assert "working active material" in " ".join(ran.out.split())
    assert "UP" not in ran.out
    assert "upper" in ran.out
    assert "lower" in ran.out


def test_notes_go_to_stderr_and_into_the_json(cli, tmp_path):
    path = tmp_path / "wait.toml"
    path.write_text(
        'name = "wait"\n[[steps]]\ndo = "discharge"\nc_rate = 1\n'
        '[[steps]]\ndo = "charge"\nc_rate = 1\n'
    )
    ran = fast(cli, path, "--json")
    assert len(json.loads(ran.out)["notes"]) == 1
    assert "note: cycle 1, discharge 1C: the step was at its cut-off" in ran.err


def test_the_ratio_mesh_and_tolerance_are_those_asked_for(cli, tmp_path):
    out = tmp_path / "o"
    options = ("--np", "1.3", "--nodes", "7", "--shells", "9", "--tolerance", "1e-3")
    ran = cli(
        *("simulate", "zhang2026-lb", "first-cycle", *options),
        *("--out", out, "--no-figures", "--json"),
    )
    assert ran.code == 0
    found = bdf.read_metadata(out / "trace.bdf.parquet")
    assert found["np_ratio"] == 1.3
    assert found["mesh"]["positive_nodes_count"] == 7
    assert found["mesh"]["negative_nodes_count"] == 7
    assert found["mesh"]["shells_count"] == 9
    assert found["stepping"]["tolerance_volt"] == 1e-3


def test_the_help_names_the_defaults_of_the_library(cli):
    text = " ".join(cli("simulate", "--help").out.split())
    mesh, stepping = Mesh(), Stepping()
    assert mesh.positive_nodes_count == mesh.negative_nodes_count
    assert f"Through each electrode. Default: {mesh.positive_nodes_count}." in text
    assert f"In each particle. Default: {mesh.shells_count}." in text
    assert (
        f"Local error of both potentials. Default: {stepping.tolerance_volt}." in text
    )
    assert f"at most {command.TRACE_ALL_UP_TO} cycles, else the first and" in text


# --- what is written


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_tables_are_written_in_the_form_asked_for(cli, tmp_path, form):
    out = tmp_path / "new" / "o"
    ran = fast(cli, "formation", "--out", out, "--format", form, "--no-figures")
    assert ran.code == 0
    assert sorted(p.name for p in out.iterdir()) == [
        f"cycles.{form}",
        f"steps.{form}",
        f"trace.bdf.{'json' if form == 'parquet' else 'csv'}",
        f"trace.bdf.{'parquet' if form == 'parquet' else 'json'}",
    ]
    assert ran.out.count("written: ") == 4
    trace = eqp.read_bdf(out / f"trace.bdf.{form}")
    assert set(trace.columns) <= set(COLUMNS)
    assert trace["cycle_count"].unique().sort().to_list() == [1, 2, 3, 4]


def test_json_names_the_files_and_figures_are_drawn(cli, tmp_path):
    out = tmp_path / "o"
    answer = json.loads(fast(cli, "first-cycle", "--out", out, "--json").out)
    assert all(os.path.getsize(f) for f in answer["files"])  # noqa: PTH202
    drawn = sorted(p.name for p in (out / "figures").iterdir())
    stems = {name.partition(".")[0] for name in drawn}
    assert stems == {"rate_capability", "voltage_profiles", "three_electrode"}
    assert {name.partition(".")[2] for name in drawn} == {"svg", "png"}
    assert len(answer["files"]) == 4 + len(drawn)


TRACES = {
    "none": ([], 4),
    "all": ([1, 2, 3, 4], 4),
    "2,4": ([2, 4], 4),
    "": ([1, 2, 3], 3),
    " ": ([1, 51], 51),
}


@pytest.mark.parametrize("asked", TRACES)
def test_the_cycles_asked_for_are_traced(cli, cycles, tmp_path, asked):
    kept, count = TRACES[asked]
    option = ("--trace", asked) if asked.strip() else ()
    ran = fast(cli, cycles(count), *option, "--out", tmp_path / "o", "--no-figures")
    assert ran.code == 0
    trace = eqp.read_bdf(tmp_path / "o/trace.bdf.parquet")
    assert trace["cycle_count"].unique().sort().to_list() == kept
    assert pl.read_parquet(tmp_path / "o/cycles.parquet").height == count


REFUSED = {
    "model": (("--model", "dfm"), ["--model", "'dfm'", "'dfn'"]),
    "format": (("--format", "xlsx"), ["--format", "'xlsx'", "parquet"]),
    "trace beyond": (("--trace", "5"), ["--trace", "'5'", "which has 4"]),
    "trace zero": (("--trace", "0"), ["--trace", "'0'"]),
    "trace word": (("--trace", "1,last"), ["--trace", "'last'"]),
    "trace long": (("--trace", "9" * 5000), ["--trace"]),
    "trace comma": (("--trace", ","), ["--trace", "all, none"]),
    "np zero": (("--np", "0"), ["np_ratio = 0"]),
    "np nan": (("--np", "nan"), ["np_ratio = nan"]),
    "nodes": (("--nodes", "0"), ["--nodes"]),
    "nodes half": (("--nodes", "1.5"), ["--nodes", "integer"]),
    "shells": (("--shells", "401"), ["--shells"]),
    "tolerance": (("--tolerance-volt", "0"), ["--tolerance-volt", "greater than 0"]),
    "tolerance nan": (("--tolerance", "nan"), ["--tolerance-volt", "finite"]),
    "unknown": (("--node", "3"), ["--node"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_option_is_an_input_error_and_nothing_is_written(cli, name, tmp_path):
    options, words = REFUSED[name]
    folder = tmp_path / "out"
    ran = cli("simulate", "zhang2026-lb", "formation", *options, "--out", folder)
    assert ran.code == 2
    assert ran.out == ""
    assert "Traceback" not in ran.err
    for word in words:
        assert word in ran.err, ran.err
    assert not folder.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("zhang2026-lc", "formation"), ["'zhang2026-lc'", "zhang2026-lb"]),
        (("zhang2026-lb", "formatoin"), ["'formatoin'", "formation"]),
        (("formation", "zhang2026-lb"), ["'formation'"]),
        (("zhang2026-lb", "zhang2026-hb"), ["a protocol was expected"]),
        (("zhang2026-lb", "no/such.toml"), ["no/such.toml"]),
        (("zhang2026-lto-inli", "formation", "--np", "1.1"), ["--np", "half cell"]),
    ],
)
def test_what_is_no_cell_or_protocol_is_an_input_error(cli, arguments, words):
    ran = cli("simulate", *arguments)
    assert ran.code == 2
    assert ran.out == ""
    for word in words:
        assert word in ran.err, ran.err


def test_a_folder_that_cannot_be_written_is_refused_before_the_run(
    cli, tmp_path, monkeypatch
):
    import equipoise.sim.simulate as module

    def never(*_, **__):
        raise AssertionError("the run began")

    monkeypatch.setattr(module, "simulate", never)
    (tmp_path / "out").write_text("precious")
    ran = fast(cli, "formation", "--out", tmp_path / "out")
    assert ran.code == 2
    assert "a folder was expected" in ran.err
    assert (tmp_path / "out").read_text() == "precious"


def test_a_full_disk_does_not_take_the_answer_away(cli, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    ran = fast(cli, "formation", "--out", tmp_path / "out")
    assert ran.code == 2
    assert "No space left" in ran.err
    assert "4 of 4 cycles" in ran.out
    assert not list((tmp_path / "out").iterdir())


# --- ends that are not the end


def test_a_solver_that_gives_up_keeps_what_it_has(cli, tmp_path, monkeypatch):
    import equipoise.sim.simulate as module

    real = module.simulate

    def tight(*arguments, **options):
        options["stepping"] = Stepping(most_substeps_count=30)
        return real(*arguments, **options)

    monkeypatch.setattr(module, "simulate", tight)
    out = tmp_path / "o"
    ran = cli(
        *("simulate", "zhang2026-lb", "gitt", "--json"),
        *("--out", out, "--no-figures"),
    )
    answer = json.loads(ran.out)
    assert ran.code == 3
    assert answer["status"] == "TOO_MANY_SUBSTEPS"
    assert "could not be finished" in ran.err
    assert "not a whole cycle" in ran.err
    assert "Traceback" not in ran.err
    assert pl.read_parquet(out / "steps.parquet")["ended_by"][-1] == "not solved"


def test_an_interrupt_before_the_first_step_is_told_too(cli, tmp_path, monkeypatch):
    from equipoise.sim.machine import Machine

    def now(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Machine, "advance", now)
    out = tmp_path / "o"
    ran = cli("simulate", "zhang2026-lb", "formation", "--json", "--out", out)
    assert ran.code == 130
    answer = json.loads(ran.out)
    assert answer["status"] == "INTERRUPTED"
    assert answer["finished"] is False
    assert answer["cycles"] == []
    assert bdf.read_metadata(out / "trace.bdf.parquet")["finished"] is False
    table = cli("simulate", "zhang2026-lb", "formation")
    assert table.code == 130
    assert "0 of 4 cycles" in table.out


def started(protocol, out, *options):
    """A run of minutes in a process of its own, its stderr a terminal."""
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "equipoise", "simulate", "zhang2026-lb", protocol),
            *("--nodes", "60", "--shells", "60", "--out", out, "--no-figures"),
            *options,
        ],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(theirs)
    return process, ours


def until(terminal, pattern, process, seconds=120.0):
    """Text of the terminal up to a pattern."""
    text, end = "", time.monotonic() + seconds
    while not re.search(pattern, text):
        assert time.monotonic() < end, text[-2000:]
        if select.select([terminal], [], [], 0.5)[0]:
            text += os.read(terminal, 4096).decode("utf-8", "replace")
        else:
            assert process.poll() is None, text[-2000:]
    return text


@posix
def test_ctrl_c_keeps_prints_and_writes_the_finished_cycles(cycles, tmp_path):
    out = tmp_path / "o"
    process, terminal = started(cycles(20_000), out, "--json", "--trace", "1,2")
    try:
        seen = until(terminal, r"[1-9]\d*/20000", process)  # the bar of progress
        assert "many, cycles" in seen
        process.send_signal(signal.SIGINT)
        printed = process.stdout.read()
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.stdout.close()
        os.close(terminal)
    answer = json.loads(printed)
    done = len(answer["cycles"])
    assert 0 < done < 20_000
    assert answer["finished"] is False
    assert answer["status"] == "INTERRUPTED"
    assert pl.read_parquet(out / "cycles.parquet").to_dicts() == answer["cycles"]
    assert bdf.read_metadata(out / "trace.bdf.parquet")["status"] == "INTERRUPTED"
    assert eqp.read_bdf(out / "trace.bdf.parquet").height > 0
    assert not [p for p in out.iterdir() if p.name.startswith(".")]


@posix
def test_a_killed_run_leaves_no_file(cycles, tmp_path):
    out = tmp_path / "o"
    process, terminal = started(cycles(20_000), out)
    try:
        until(terminal, r"[1-9]\d*/20000", process)
    finally:
        process.kill()
        process.stdout.close()
        os.close(terminal)
    assert process.wait(60) == -signal.SIGKILL
    assert list(out.iterdir()) == []


WRITER = """
import sys
import equipoise as eqp
run = eqp.simulate(eqp.load_cell("zhang2026-lb"), eqp.load_protocol("formation"))
while True:
    for form in ("csv", "parquet"):
        eqp.write_run(run, sys.argv[1], form=form)
    sys.stdout.write("x\\n")
    sys.stdout.flush()
"""


@posix
def test_killed_while_writing_every_file_is_whole(tmp_path, lb):
    out = tmp_path / "o"
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, out], stdout=subprocess.PIPE
    )
    try:
        process.stdout.readline()
        time.sleep(0.0371)  # somewhere in the writing
    finally:
        process.kill()
    process.wait(60)
    process.stdout.close()
    run = eqp.simulate(lb, eqp.load_protocol("formation"))
    for form, read in (("csv", pl.read_csv), ("parquet", pl.read_parquet)):
        assert read(out / f"cycles.{form}").height == run.cycles.height
        assert read(out / f"steps.{form}").height == run.steps.height
        assert eqp.read_bdf(out / f"trace.bdf.{form}").height == run.trace.height
    assert json.loads((out / "trace.bdf.json").read_text())["cell"] == "LB"


def test_no_bar_where_stderr_is_no_terminal(cycles, tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "equipoise", "simulate", "zhang2026-lb"),
            *(cycles(60), "--model", "quasi-static", "--json"),
        ],
        capture_output=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0
    assert done.stderr == b""
    assert len(json.loads(done.stdout)["cycles"]) == 60


@pytest.mark.parametrize("name", ["simulate", "protocol"])
def test_help_loads_no_numerics(name):
    heavy = {"numpy", "numba", "polars", "scipy", "matplotlib", "jinja2"}
    code = (
        "import io, sys; out, sys.stdout = sys.stdout, io.StringIO()\n"
        f"sys.argv = ['equipoise', {name!r}, '--help']\n"
        "from equipoise.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"sys.stdout = out; print(sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


# --- protocols


def test_the_shipped_protocols_are_listed(cli):
    ran = cli("protocol")
    assert ran.code == 0
    for name in named.names():
        line = next(x for x in ran.out.splitlines() if x.startswith(f"{name} "))
        assert eqp.load_protocol(name).description in line
    listed = json.loads(cli("protocol", "--json").out)["protocols"]
    assert [p["name"] for p in listed] == list(named.names())


def test_a_protocol_is_shown_step_by_step(cli):
    lines = [" ".join(x.split()) for x in cli("protocol", "gitt").out.splitlines()]
    assert lines[0].startswith("gitt: ")
    assert lines[1] == "1 repeat count 60, stop when voltage reached true"
    assert lines[2] == "1.1 first half c rate 0.1, until time 1200 s"
    assert lines[-1] == "written out: 242 steps"


@pytest.mark.parametrize("name", named.names())
def test_every_shipped_protocol_is_shown_and_printed(cli, name):
    assert cli("protocol", name).code == 0
    assert cli("protocol", name, "--toml").out == named.text(name)
    answer = json.loads(cli("protocol", name, "--json").out)
    protocol = eqp.load_protocol(name)
    assert answer["name"] == name
    assert answer["step_count"] == protocol.step_count
    assert len(answer["steps"]) == len(protocol.steps)


def test_a_protocol_of_ones_own_is_shown_too(cli, cycles):
    path = cycles(7, name="mine")
    assert "cycle       c rate 1, count 7" in cli("protocol", path).out
    assert cli("protocol", path, "--toml").out == path.read_text()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("formatoin",), "'formation'"),
        (("--toml",), "prints one protocol"),
        (("gitt", "--toml", "--json"), "without --json"),
        (("absent.toml",), "absent.toml"),
    ],
)
def test_a_wrong_call_of_protocol_is_an_input_error(cli, arguments, word):
    ran = cli("protocol", *arguments)
    assert ran.code == 2
    assert word in ran.err
    assert ran.out == ""
