"""The command `life`, in this process and as a shell sees it."""

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
from equipoise.cli import life as command
from equipoise.cli import life_rows
from equipoise.io import bdf
from equipoise.io.ageing import ageing_of, load_ageing
from equipoise.sim.life.counterfactual import Counterfactuals
from equipoise.sim.life.jumping import Jump
from equipoise.sim.life.life import life
from equipoise.sim.life.plan import life_protocol
from equipoise.sim.mesh import Stepping
from equipoise.spec import library

posix = pytest.mark.skipif(os.name != "posix", reason="signals and terminals of POSIX")

QUICK = """
name = "quick"
[[mechanisms]]
kind = "lattice-contraction"
hazard_per_cycle_fraction = 0.02
exponent = 2.0
"""


@pytest.fixture
def quick(tmp_path):
    """A file with one mechanism that wears a cell out in some twenty cycles."""
    path = tmp_path / "quick.toml"
    path.write_text(QUICK)
    return path


@pytest.fixture
def short(cli):
    """Run a life of single particles that takes a moment."""

    def run(*arguments, cell="zhang2026-hb"):
        return cli("life", cell, "--model", "spm", "--no-ledger", *arguments)

    return run


def cells_of(out):
    """Cells of the rows of all tables."""
    lines = [x for x in out.splitlines() if x.startswith("│")]
    return [[c.strip() for c in x.split("│")[1:-1]] for x in lines]


# --- what is printed


CALIBRATED_COUNT = library.text("ageing", "zhang2026").count('evidence = "calibrated"')


def test_json_holds_the_life_of_the_library(cli, hb):
    arguments = ("--cycles", 30, "--no-jump", "--no-ledger", "--json")
    answer = json.loads(cli("life", "zhang2026-hb", *arguments).out)
    found = life(hb, life_protocol(rate=1.0, cycles=30), ageing_of(hb))
    assert next(iter(answer)) == "equipoise"
    assert answer["equipoise"] == eqp.__version__
    assert answer["cell"] == "HB"
    assert answer["protocol"] == "life at 1C"
    assert answer["model"] == "dfn"
    assert answer["ageing"] == "zhang2026"
    assert answer["status"] == "OK"
    assert answer["finished"] is True
    assert answer["cycle_life"] is None
    assert answer["censored"] is True
    assert answer["ran"] == 30
    assert answer["level_retention"] == 0.8
    assert answer["solved_count"] == answer["last_cycle"] == 30
    assert answer["ledger"] is None
    assert answer["sensitivities"] is None
    assert list(answer["roles"]) == found.cycles.columns
    assert answer["caveats"] == list(found.ageing.caveats)
    assert answer["evidence_of_ageing"] == {"calibrated": CALIBRATED_COUNT}
    assert answer["files"] == []
    rows = found.cycles.to_dicts()
    assert [list(r) for r in answer["cycles"]] == [list(r) for r in rows]
    for shown, row in zip(answer["cycles"], rows, strict=True):
        assert shown == {k: v if v == v else None for k, v in row.items()}


def test_a_life_that_ends_is_a_number_and_the_cycle_before_it_is_the_last(short, quick):
    answer = json.loads(short("--ageing", quick, "--no-jump", "--json").out)
    assert answer["censored"] is False
    assert answer["ran"] is None
    last = answer["cycles"][-1]["discharge_retention"]
    before = answer["cycles"][-2]["discharge_retention"]
    assert last < 0.8 <= before
    assert answer["last_cycle"] - 1 <= answer["cycle_life"] <= answer["last_cycle"]
    line = short("--ageing", quick, "--no-jump").out
    assert f"cycle life: {answer['cycle_life']:.0f} cycles to 80 % of cycle 1" in line


def test_a_life_that_does_not_end_is_told_as_longer(short):
    out = short("--cycles", 8, "--until", "0.5").out
    assert "cycle life: > 8 cycles to 50 % of cycle 1" in out
    assert "status" not in out


def test_the_table_has_first_and_last_cycle_units_roles_and_caveats(short, hb):
    ran = short("--cycles", 8, "--no-jump")
    assert ran.code == 0
    assert ran.err == ""
    assert "HB, life at 1C: 8 of 8 cycles, spm model" in ran.out
    assert "solved" not in ran.out
    found = life(hb, life_protocol(cycles=8), ageing_of(hb), model="spm").cycles
    table = {row[0]: row[1:] for row in cells_of(ran.out)}
    for key, (label, form) in life_rows.QUANTITIES.items():
        shown = [format(found[key][0], form), format(found[key][-1], form)]
        assert table[label][:2] == shown
        assert table[label][3] == "predicted"
    assert re.search(r"cycle 1 +┃ +cycle 8 ", ran.out)
    text = " ".join(ran.out.split())
    for word in (
        "mAh g⁻¹",
        "Li+/Li",
        f"{CALIBRATED_COUNT} calibrated",
        "positive active material",
    ):
        assert word in text, text
    for caveat in load_ageing("zhang2026").caveats:
        assert f"caveat: {' '.join(caveat.split())}" in text


def test_a_test_that_never_discharges_has_no_life(short, tmp_path):
    path = tmp_path / "charge.toml"
    path.write_text('name = "charge"\n[[steps]]\ndo = "charge"\nc_rate = 1.0\n')
    ran = short("--protocol", path)
    assert ran.code == 0
    assert "cycle life: unknown, no cycle of the test discharged" in ran.out
    assert "has no discharge" in ran.err
    assert json.loads(short("--protocol", path, "--json").out)["cycle_life"] is None


def test_a_test_that_begins_with_a_discharge_has_a_life(short, tmp_path, quick):
    path = tmp_path / "reverse.toml"
    cycles = '[[steps]]\ndo = "cycle"\nc_rate = 1.0\ncount = 200\n'
    path.write_text(f'name = "reverse"\nfirst = "discharge"\n{cycles}')
    ran = short("--protocol", path, "--ageing", quick)
    assert ran.code == 0
    assert "has no discharge" not in ran.err
    assert re.search(r"cycle life: \d+ cycles to 80 % of cycle 2 ", ran.out)


def test_jumps_are_told(short):
    out = short("--cycles", 60).out
    assert re.search(r"60 of 60 cycles \(\d\d solved\)", out)


@pytest.mark.parametrize("looks", [("--sensitivity",), ("--ledger",)])
def test_the_tables_fit_into_eighty_columns(cli, quick, looks):
    lines = cli(
        *("life", "zhang2026-lb", "--before", "short-rate-test", "--model", "spm"),
        *("--ageing", quick, *looks),
    ).out.splitlines()
    rows = [x for x in lines if x[:1] in "│┃┏"]
    assert len(rows) > 20
    assert max(len(x.rstrip()) for x in rows) <= 90


def test_sensitivities_are_a_table_and_in_the_json(short, quick):
    arguments = ("--ageing", quick, "--sensitivity")
    answer = json.loads(short(*arguments, "--json").out)
    (row,) = answer["sensitivities"]
    assert row["kind"] == "lattice-contraction"
    assert row["strength"] == "hazard_per_cycle_fraction"
    assert row["weaker_life_count"] > row["stronger_life_count"]
    shown = cells_of(short(*arguments).out)
    at = next(
        i for i, r in enumerate(shown) if r[0] == "lattice-contraction, positive:"
    )
    assert shown[at][1].removeprefix("> ") == f"{row['weaker_life_count']:.0f}"
    assert shown[at + 1][0] == "hazard per cycle fraction"


def test_the_ledger_adds_up_in_the_table_and_in_the_json(cli, quick):
    arguments = ("life", "zhang2026-lb", "--model", "spm", "--ageing", quick)
    answer = json.loads(cli(*arguments, "--json").out)
    ledger = answer["ledger"]
    last = ledger["reserve"][-1]
    shares = [
        row["loss_mah_per_g_positive"]
        for row in ledger["causes"]
        if row["cycle_count"] == last["cycle_count"]
    ]
    assert sum(shares) == pytest.approx(last["loss_mah_per_g_positive"], abs=1e-9)
    assert ledger["o_to_f"]
    shown = {row[0]: row[1] for row in cells_of(cli(*arguments).out)}
    assert shown["all causes"] == f"{last['loss_mah_per_g_positive']:.2f}"
    assert shown["compensation fraction"] == f"{last['compensation_fraction']:.3f}"


def test_impedances_are_told_in_the_json(short):
    arguments = ("--cycles", 4, "--eis-every", 2, "--until", "none", "--json")
    answer = json.loads(short(*arguments).out)
    assert len(answer["spectra"]) == 2


# --- what is computed


PLANS = {
    "plain": ((), {}),
    "rate": (("--rate", "0.5C"), {"rate": 0.5}),
    "rate small": (("--rate", "2c"), {"rate": 2.0}),
    "rate as a part": (("--rate", "C/2"), {"rate": 0.5}),
    "rate as a number": (("--rate", "0.5"), {"rate": 0.5}),
    "check-ups": (("--check-up-every", "3"), {"check_up_every": 3}),
    "slow check-ups": (
        ("--check-up-every", "3", "--check-up-rate", "C/5"),
        {"check_up_every": 3, "check_up_rate": 0.2},
    ),
    "impedances": (("--eis-every", "3"), {"eis_every": 3}),
    "before": (("--before", "formation"), {"before": "formation"}),
}


@pytest.mark.parametrize("name", PLANS)
def test_the_test_is_the_one_that_the_options_describe(name, monkeypatch, short):
    import equipoise.sim.life.life as module

    options, keywords = PLANS[name]
    asked = []

    def looked(cell, protocol, ageing, **options):
        asked.append((cell, protocol, ageing, options))
        return real(cell, protocol, ageing, **options)

    real = module.life
    monkeypatch.setattr(module, "life", looked)
    assert short("--cycles", 4, "--until", "none", *options).code == 0
    if "before" in keywords:
        keywords = keywords | {"before": eqp.load_protocol(keywords["before"])}
    assert asked[0][1] == life_protocol(cycles=4, **keywords)


def test_options_arrive_where_they_are_meant(monkeypatch, short, quick):
    import equipoise.sim.life.life as module

    asked = []

    def looked(cell, protocol, ageing, **options):
        asked.append((cell, protocol, ageing, options))
        return real(cell, protocol, ageing, **options)

    real = module.life
    monkeypatch.setattr(module, "life", looked)
    options = ("--np", "1.3", "--nodes", "7", "--shells", "9", "--tolerance", "2e-3")
    more = ("--jump-tolerance", "0.02", "--trace", "1,3:7:2", "--until", "0.9")
    ran = short("--ageing", quick, *options, *more, "--protocol", "cycle-1C")
    assert ran.code == 0
    cell, protocol, ageing, rest = asked[0]
    assert cell.np_ratio == 1.3
    assert protocol == eqp.load_protocol("cycle-1C")
    assert ageing == load_ageing(quick)
    assert rest["mesh"].positive_nodes_count == rest["mesh"].negative_nodes_count == 7
    assert rest["mesh"].shells_count == 9
    assert rest["stepping"].tolerance_volt == 2e-3
    assert rest["jump"] == Jump(tolerance_fraction=0.02)
    assert rest["trace"] == {1, 3, 5, 7}
    assert rest["until_retention"] == 0.9
    assert rest["model"] == "spm"
    assert short("--no-jump", "--cycles", 3).code == 0
    assert asked[1][3]["jump"] is None
    assert asked[1][3]["trace"] == "none"
    assert asked[1][3]["until_retention"] == 0.8
    assert short("--until", "none", "--cycles", 3).code == 0
    assert asked[2][3]["jump"] == Jump()
    assert asked[2][3]["until_retention"] is None


def test_the_help_names_the_defaults(cli):
    text = " ".join(cli("life", "--help").out.split())
    assert (
        f"Error of the cycle life by jumps. Default: {Jump().tolerance_fraction}"
        in (text)
    )
    assert f"Of the cycles: 1C, 0.2C or C/5. Default: {command.RATE}." in text
    assert f"At that rate. Default: {command.CYCLES}." in text
    assert "Example: equipoise life zhang2026-lb --before short-rate-test" in text


def test_a_protocol_that_ends_before_the_level_is_run_to_its_end(short):
    out = short("--protocol", "short-rate-test").out
    assert "15 of 15 cycles" in out


# --- roles


def calibrated(monkeypatch):
    """The bundled HB cell, as if its long cycling at 1C had been calibrated."""
    real = library.text

    def text(kind, name):
        found = real(kind, name)
        if (kind, name) == ("cells", "zhang2026-hb"):
            found += 'long-cycling-1C = ["discharging_capacity_mah_per_g_positive"]\n'
        return found

    monkeypatch.setattr(library, "text", text)


def test_what_the_ageing_was_made_to_meet_is_called_calibrated(cli, monkeypatch, quick):
    calibrated(monkeypatch)

    def role(*arguments):
        ran = cli("life", "zhang2026-hb", "--no-ledger", "--json", *arguments)
        return json.loads(ran.out)["roles"][life_rows.DISCHARGE]

    same = ("--before", "short-rate-test", "--cycles")
    assert role("--protocol", "long-cycling-1C", "--until", "0.995") == "calibrated"
    assert role(*same, 12) == "calibrated"
    assert role("--cycles", 12) == "predicted"
    assert role(*same, 12, "--rate", "0.5C") == "predicted"
    assert role(*same, 12, "--ageing", quick) == "predicted"
    assert role(*same, 12, "--np", "1.4") == "predicted"
    assert role(*same, 12, "--model", "spm") == "predicted"
    out = cli("life", "zhang2026-hb", *same, 12, "--no-ledger").out
    assert "; calibrated, ageing 'zhang2026'" in out
    roles = {row[0]: row[4] for row in cells_of(out)}
    assert roles["discharge"] == "calibrated"
    assert roles["charge"] == "predicted"


def test_roles_tell_inputs_from_results(short):
    roles = json.loads(short("--cycles", 3, "--json").out)["roles"]
    given = {k for k, v in roles.items() if v == "input"}
    assert given == {
        "cycle_count",
        "charge_c_rate",
        "discharge_c_rate",
        "end_of_charge_voltage_volt",
        "end_of_discharge_voltage_volt",
        "is_ageing_cycle",
        "is_settled",
    }


# --- what is written


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_tables_are_written_in_the_form_asked_for(cli, tmp_path, quick, form):
    out = tmp_path / "new" / "o"
    ran = cli(
        *("life", "zhang2026-hb", "--model", "spm", "--ageing", quick),
        *("--trace", "1,2", "--eis-every", "5", "--sensitivity", "--json"),
        *("--out", out, "--format", form, "--no-figures"),
    )
    assert ran.code == 0
    answer = json.loads(ran.out)
    names = {"cycles", "steps", "impedances", "ledger", "reserve", "sensitivities"}
    expected = {f"{n}.{form}" for n in (*names, "trace.bdf", "spectra")}
    found = {p.name for p in out.iterdir()}
    assert expected <= found
    assert "trace.bdf.json" in found
    assert {str(out / n) for n in (*expected, "trace.bdf.json")} == set(answer["files"])
    read = pl.read_parquet if form == "parquet" else pl.read_csv
    cycles = read(out / f"cycles.{form}")
    assert cycles["cycle_count"].to_list() == [
        r["cycle_count"] for r in answer["cycles"]
    ]
    assert read(out / f"ledger.{form}").height == len(answer["ledger"]["causes"])
    trace = eqp.read_bdf(out / f"trace.bdf.{form}")
    assert trace["cycle_count"].unique().sort().to_list() == [1, 2]


def test_the_metadata_say_what_aged_and_how_long(short, tmp_path, quick):
    out = tmp_path / "o"
    options = ("--ageing", quick, "--no-jump", "--no-figures", "--json", "--out", out)
    answer = json.loads(short(*options).out)
    found = bdf.read_metadata(out / "trace.bdf.parquet")
    assert found["kind"] == "simulated life"
    assert found["protocol"] == "life at 1C"
    assert found["cycle_life"] == answer["cycle_life"]
    assert found["censored"] is False
    assert found["jump"] is None
    assert found["roles"] == answer["roles"]
    (mechanism,) = found["ageing"]["mechanisms"]
    assert mechanism["hazard_per_cycle_fraction"]["value"] == 0.02
    assert load_ageing(found["ageing"]) == load_ageing(quick)


def test_cycles_that_are_written_are_read_as_a_cycle_table(cli, short, tmp_path):
    out = tmp_path / "o"
    short("--cycles", 12, "--no-figures", "--no-jump", "--out", out)
    ran = cli("cycles", out / "cycles.parquet", "--json")
    assert ran.code == 0
    (found,) = json.loads(ran.out)["cells"]
    assert len(found["cycles"]) == 12


def test_figures_are_drawn(cli, tmp_path, quick):
    out = tmp_path / "o"
    arguments = ("--model", "spm", "--ageing", quick, "--json", "--out", out)
    answer = json.loads(cli("life", "zhang2026-lb", *arguments).out)
    stems = {p.name.partition(".")[0] for p in (out / "figures").iterdir()}
    assert {"capacity", "potentials", "wear", "ledger", "compensation_line"} <= stems
    assert all(os.path.getsize(f) for f in answer["files"])  # noqa: PTH202


# --- refusals


REFUSED = {
    "model": (("--model", "dfm"), ["--model", "'dfm'", "'dfn'"]),
    "quasi-static": (("--model", "quasi-static"), ["--model"]),
    "format": (("--format", "xlsx"), ["--format", "'xlsx'", "parquet"]),
    "rate": (("--rate", "fast"), ["--rate", "'fast'", "0.2C"]),
    "rate zero": (("--rate", "0"), ["--rate", "0.0"]),
    "rate none": (("--rate", "C/0"), ["--rate", "'C/0'"]),
    "rate comma": (("--rate", "0,2C"), ["--rate", "'0,2C'"]),
    "rate dots": (("--rate", "0.2.1"), ["--rate"]),
    "cycles": (("--cycles", "0"), ["--cycles"]),
    "cycles many": (("--cycles", "1000000"), ["--cycles", "100,000"]),
    "until percent": (("--until", "80"), ["--until", "0.8"]),
    "until word": (("--until", "dead"), ["--until", "'dead'", "none"]),
    "until one": (("--until", "1"), ["--until"]),
    "until nan": (("--until", "nan"), ["--until"]),
    "trace beyond": (("--trace", "9"), ["--trace", "'9'", "1 to 4"]),
    "trace zero": (("--trace", "0"), ["--trace", "'0'"]),
    "trace word": (("--trace", "1,last"), ["--trace", "'last'"]),
    "trace all": (("--trace", "all"), ["--trace", "'all'"]),
    "trace span": (("--trace", "1:9"), ["--trace", "'1:9'"]),
    "trace step": (("--trace", "1:3:0"), ["--trace", "'1:3:0'"]),
    "jump": (("--jump-tolerance", "0"), ["--jump-tolerance-fraction", "greater"]),
    "jump nan": (("--jump-tolerance", "nan"), ["--jump-tolerance-fraction"]),
    "no jump": (("--no-jump", "--jump-tolerance", "0.01"), ["--no-jump", "leave one"]),
    "np": (("--np", "0"), ["np_ratio = 0"]),
    "nodes": (("--nodes", "0"), ["--nodes"]),
    "tolerance": (("--tolerance-volt", "0"), ["--tolerance-volt", "greater than 0"]),
    "ageing": (("--ageing", "zhang2062"), ["--ageing", "'zhang2026'"]),
    "ageing file": (("--ageing", "absent.toml"), ["absent.toml", "no such file"]),
    "before": (("--before", "formatoin"), ["'formatoin'", "formation"]),
    "check-up rate": (("--check-up-rate", "0.2C"), ["--check-up-every 100"]),
    "check-up same": (
        ("--check-up-every", "2", "--check-up-rate", "1C"),
        ["--check-up-rate", "rate of the cycles", "leave --check-up-every out"],
    ),
    "check-up each": (("--check-up-every", "1"), ["--check-up-every", "as many"]),
    "protocol": (("--protocol", "first-cycle"), ["--protocol", "without --cycles"]),
    "resume": (("--resume",), ["--checkpoint FILE"]),
    "resume absent": (
        ("--resume", "--checkpoint", "absent.npz"),
        ["absent.npz", "no such checkpoint"],
    ),
    "checkpoint": (("--checkpoint", "no/such/file"), ["no/such/file", "a folder"]),
    "device": (("--checkpoint", "/dev/full"), ["/dev/full", "a plain file"]),
    "empty span": (("--trace", "3:1:1"), ["'3:1:1' holds no cycle", "1:3"]),
    "one empty span": (("--trace", "1,4:2"), ["'4:2' holds no cycle"]),
    "unknown": (("--cycle-life", "3"), ["--cycle-life"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_option_is_an_input_error_and_nothing_is_written(cli, name, tmp_path):
    options, words = REFUSED[name]
    folder = tmp_path / "out"
    ran = cli("life", "zhang2026-lb", "--cycles", "4", *options, "--out", folder)
    assert ran.code == 2
    assert ran.out == ""
    assert "Traceback" not in ran.err
    for word in words:
        assert word in ran.err, ran.err
    assert not folder.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("zhang2026-lc",), ["'zhang2026-lc'", "zhang2026-lb"]),
        (("zhang2026-lto-inli",), ["half cell", "both electrodes"]),
        (("no/such.toml",), ["no/such.toml"]),
        (("zhang2026-lb", "--protocol", "formatoin"), ["'formatoin'", "formation"]),
        (("zhang2026-lb", "--protocol", "zhang2026-hb"), ["a protocol was expected"]),
    ],
)
def test_what_is_no_cell_or_protocol_is_an_input_error(cli, arguments, words):
    ran = cli("life", *arguments)
    assert ran.code == 2
    assert ran.out == ""
    for word in words:
        assert word in ran.err, ran.err


def test_a_cell_that_does_not_say_how_it_ages_is_refused(cli, edited):
    ran = cli("life", edited(('ageing = "zhang2026"\n', "")))
    assert ran.code == 2
    assert "does not say how it ages" in ran.err
    assert 'ageing = "zhang2026"' in ran.err


def test_a_folder_that_cannot_be_written_is_refused_before_the_run(
    short, tmp_path, monkeypatch
):
    import equipoise.sim.life.life as module

    def never(*_, **__):
        raise AssertionError("the run began")

    monkeypatch.setattr(module, "life", never)
    (tmp_path / "out").write_text("precious")
    ran = short("--out", tmp_path / "out")
    assert ran.code == 2
    assert "a folder was expected" in ran.err
    assert (tmp_path / "out").read_text() == "precious"


def test_a_full_disk_does_not_take_the_answer_away(short, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    ran = short("--cycles", 3, "--out", tmp_path / "out")
    assert ran.code == 2
    assert "No space left" in ran.err
    assert "3 of 3 cycles" in ran.out


# --- ends that are not the end


def test_a_solver_that_gives_up_keeps_what_it_has(cli, tmp_path, monkeypatch):
    from equipoise.core.status import Status
    from equipoise.sim.life.ageing_cell import AgeingCell

    real = AgeingCell.run_cycle

    def run_cycle(self, **options):
        if self.cycle == 3:
            return Status.STEP_NOT_SOLVED, []
        return real(self, **options)

    monkeypatch.setattr(AgeingCell, "run_cycle", run_cycle)
    out = tmp_path / "o"
    arguments = ("life", "zhang2026-lb", "--cycles", "5", "--no-figures", "--out", out)
    ran = cli(*arguments, "--json")
    answer = json.loads(ran.out)
    assert ran.code == 3
    assert answer["status"] == "STEP_NOT_SOLVED"
    assert answer["finished"] is False
    assert answer["ledger"] is None
    assert answer["cycle_life"] is None
    assert len(answer["cycles"]) == 3
    assert "cycle 4 of life at 1C could not be finished" in ran.err
    assert "Traceback" not in ran.err
    assert pl.read_parquet(out / "cycles.parquet").height == 3
    table = cli(*arguments)
    assert table.code == 3
    assert "status: STEP_NOT_SOLVED" in table.out
    assert "cycle life: > 3 cycles" in table.out


def test_a_test_that_cannot_begin_is_told_too(cli, monkeypatch):
    import equipoise.sim.life.life as module

    real = module.life

    def tight(*arguments, **options):
        options["stepping"] = Stepping(most_substeps_count=10)
        return real(*arguments, **options)

    monkeypatch.setattr(module, "life", tight)
    ran = cli("life", "zhang2026-lb", "--cycles", "5")
    assert ran.code == 3
    assert "cycle life: unknown" in ran.out
    assert "status: TOO_MANY_SUBSTEPS" in ran.out


def interrupted_after(monkeypatch, cycles):
    """Let Ctrl-C come in the cycle after so many."""
    from equipoise.sim.life.ageing_cell import AgeingCell

    real, count = AgeingCell.run_cycle, []

    def run_cycle(self, **options):
        count.append(1)
        if len(count) > cycles:
            raise KeyboardInterrupt
        return real(self, **options)

    monkeypatch.setattr(AgeingCell, "run_cycle", run_cycle)


@pytest.mark.parametrize("cycles", [0, 1, 4])
def test_an_interrupt_keeps_the_finished_cycles(cli, tmp_path, monkeypatch, cycles):
    import equipoise.sim.life.driver as driver

    monkeypatch.setattr(driver, "COPY_SECOND", 0.0, raising=False)
    interrupted_after(monkeypatch, cycles)
    out = tmp_path / "o"
    arguments = ("life", "zhang2026-lb", "--cycles", "9", "--no-jump", "--out", out)
    ran = cli(*arguments, "--json")
    assert ran.code == 130
    assert "finished cycles are kept" in ran.err
    answer = json.loads(ran.out)
    assert answer["status"] == "INTERRUPTED"
    assert answer["finished"] is False
    assert answer["cycle_life"] is None
    assert len(answer["cycles"]) == cycles
    assert pl.read_parquet(out / "cycles.parquet").height == cycles
    assert (out / "figures").exists() == (cycles > 0)


def test_an_interrupt_is_told_without_json_too(cli, monkeypatch):
    interrupted_after(monkeypatch, 0)
    ran = cli("life", "zhang2026-lb", "--cycles", "9")
    assert ran.code == 130
    assert "0 of 9 cycles" in ran.out
    assert "cycle life: unknown" in ran.out
    assert "status: INTERRUPTED" in ran.out


@pytest.mark.parametrize("which", ["ledger", "sensitivity"])
def test_an_interrupt_after_the_life_keeps_the_life(cli, monkeypatch, which):
    import equipoise.sim.life.ledger as ledger
    import equipoise.sim.life.sensitivity as sensitivity

    def now(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(ledger, "ledger_so_far", now)
    monkeypatch.setattr(sensitivity, "life_sensitivities", now)
    options = ("--ledger",) if which == "ledger" else ("--no-ledger", "--sensitivity")
    arguments = ("--model", "spm", "--cycles", "3", "--json", *options)
    ran = cli("life", "zhang2026-lb", *arguments)
    answer = json.loads(ran.out)
    assert ran.code == 130
    assert len(answer["cycles"]) == 3
    assert answer["ledger"] is None
    assert answer["sensitivities"] is None
    name = {"ledger": "the ledger", "sensitivity": "the sensitivities"}[which]
    assert f"{name} was interrupted" in ran.err.replace("were", "was")
    assert "the life itself is finished" in ran.err


def test_an_interrupted_ledger_is_told_and_its_finished_states_are_kept(
    cli, quick, tmp_path, monkeypatch
):
    real, count = Counterfactuals.run, []

    def run(self, state, **options):
        count.append(state.cycle_count)
        if len(set(count)) > 2:
            raise KeyboardInterrupt
        return real(self, state, **options)

    monkeypatch.setattr(Counterfactuals, "run", run)
    out = tmp_path / "o"
    arguments = ("--ageing", quick, "--model", "spm", "--no-jump", "--no-figures")
    ran = cli("life", "zhang2026-hb", *arguments, "--out", out)
    assert ran.code == 130
    assert re.search(r"the ledger was interrupted after 2 of \d+ states", ran.err)
    assert "the life itself is finished and kept" in ran.err
    assert "cycle life: " in ran.out
    assert f"discharge lost until cycle {count[-2]}" in ran.out
    assert "status: INTERRUPTED (the ledger" in ran.out
    cycles = pl.read_parquet(out / "cycles.parquet")
    assert cycles["discharge_retention"][-1] < 0.8
    assert pl.read_parquet(out / "reserve.parquet").height == 2
    answer = json.loads(cli("life", "zhang2026-hb", *arguments, "--json").out)
    assert answer["ledger"] is None  # not one state is finished
    assert answer["cycle_life"] is not None


def test_an_interrupted_life_goes_on_from_its_checkpoint(cli, tmp_path, monkeypatch):
    path = tmp_path / "lb.checkpoint"
    arguments = ("life", "zhang2026-lb", "--cycles", "9", "--no-jump", "--json")
    whole = json.loads(cli(*arguments, "--no-ledger").out)
    with monkeypatch.context() as patched:
        interrupted_after(patched, 4)
        ran = cli(*arguments, "--no-ledger", "--checkpoint", path)
    assert ran.code == 130
    assert f"go on with --checkpoint {path}" in ran.err
    assert path.is_file()
    again = cli(*arguments, "--no-ledger", "--checkpoint", path, "--resume")
    assert again.code == 0
    answer = json.loads(again.out)
    assert answer["cycles"] == whole["cycles"]
    other = cli("life", "zhang2026-hb", "--checkpoint", path)
    assert other.code == 2
    assert str(path) in other.err


def started(*options):
    """A life of minutes in a process of its own, its stderr a terminal."""
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "equipoise", "life", "zhang2026-lb", "--no-jump"),
            *("--nodes", "60", "--shells", "60", *options),
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
def test_ctrl_c_keeps_prints_and_writes_the_finished_cycles(tmp_path):
    out, path = tmp_path / "o", tmp_path / "lb.checkpoint"
    process, terminal = started(
        *("--json", "--out", out, "--no-figures", "--checkpoint", path)
    )
    try:
        seen = until(terminal, r"[1-9]\d*/2000", process)  # the bar of progress
        assert "life at 1C, cycles" in seen
        process.send_signal(signal.SIGINT)
        printed = process.stdout.read()
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.stdout.close()
        os.close(terminal)
    answer = json.loads(printed)
    assert 0 < len(answer["cycles"]) < 2000
    assert answer["status"] == "INTERRUPTED"
    written = pl.read_parquet(out / "cycles.parquet")
    assert written["cycle_count"].to_list() == [
        r["cycle_count"] for r in answer["cycles"]
    ]
    assert path.is_file()


def test_the_command_is_light_until_it_runs():
    heavy = {"numba", "scipy", "polars", "matplotlib"}
    code = (
        "import sys, io\nfrom equipoise.cli import main\n"
        "out = sys.stdout; sys.stdout = io.StringIO()\n"
        "sys.argv = ['equipoise', 'life', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"sys.stdout = out; print(sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
