"""The simulated section of a report, its files, and what the demo prints of it."""

import dataclasses
import json
import re

import polars as pl
import pytest
from typer.testing import CliRunner

from equipoise import load_cell, write_design_report
from equipoise.cli.app import app
from equipoise.cli.demo import _echo_simulated
from equipoise.report.simulated import PROTOCOLS, Simulated, simulate_cells
from equipoise.report.simulated_rows import (
    differing_potentials,
    printed_values,
    quantities,
    simulated_notes,
    simulated_rows,
)
from equipoise.report.wording import simulate_commands

FIGURES = {
    "simulated_first_cycle",
    "simulated_normalised",
    "simulated_profiles",
    "simulated_rates",
    "simulated_electrodes",
    "simulated_potentials",
}


@pytest.fixture(scope="module")
def cells():
    return [load_cell("zhang2026-lb"), load_cell("zhang2026-hb")]


@pytest.fixture(scope="module")
def simulated(cells):
    return simulate_cells(cells)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    done = CliRunner().invoke(app, ["demo", "--json", "--out", str(folder)])
    assert done.exit_code == 0, done.output
    return folder, json.loads(done.stdout), done.stderr


def test_progress_names_cell_and_protocol(cells):
    said = []
    simulate_cells(cells[:1], progress=said.append)
    assert said == [f"LB: {name}" for name in PROTOCOLS]


def test_quantities_are_those_of_the_cycle_tables(simulated):
    lb = {q["key"]: q for q in quantities(simulated[0])}
    assert list(lb) == [
        "first_charge",
        "first_discharge",
        "first_upper_potential",
        *(f"discharge_{r}" for r in ("0.1C", "0.2C", "0.5C", "1C", "2C", "5C")),
        *(f"upper_potential_cycle_{n}" for n in (1, 2, 24)),
    ]
    rates = simulated[0].runs["rate-test"].cycles
    capacity = rates["discharging_capacity_mah_per_g_positive"]
    assert lb["discharge_1C"]["value"] == capacity[19]  # last of cycles 16 to 20
    assert lb["discharge_5C"]["value"] == capacity[29]
    assert lb["discharge_5C"]["unit"] == "mAh g⁻¹"
    assert lb["upper_potential_cycle_2"]["unit"] == "V"
    assert all(q["role"] in ("calibrated", "predicted") for q in lb.values())


def test_printed_numbers_stand_beside_their_own_cell_only(simulated, cells):
    lb, hb = ({q["key"]: q for q in quantities(s)} for s in simulated)
    assert (lb["first_charge"]["printed"], hb["first_charge"]["printed"]) == (210, 227)
    assert (lb["discharge_5C"]["printed"], hb["discharge_5C"]["printed"]) == (85, 96)
    assert lb["upper_potential_cycle_1"]["printed"] == 4.1919
    assert lb["upper_potential_cycle_1"]["section"] == "2.5"
    assert hb["upper_potential_cycle_1"]["printed"] is None
    for s, printed in ((lb, (189, 167)), (hb, (195, 178))):
        for rate, value in zip(("0.2C", "0.5C"), printed, strict=True):
            q = s[f"discharge_{rate}"]
            assert (q["printed"], q["section"]) == (value, "2.4")
            assert q["printed_in"] == "short"  # of another test than the value
    assert lb["discharge_1C"]["printed_in"] is None
    (variant,) = simulate_cells([cells[0].with_np_ratio(1.2)])
    assert {q["printed"] for q in quantities(variant)} == {None}


def test_the_upper_potential_at_the_end_is_predicted(simulated, cells):
    for s in simulated:
        role = {q["key"]: q["role"] for q in quantities(s)}
        assert role["upper_potential_cycle_24"] == "predicted"
        # met in a cell with 160 mg of separator; this one has 100
        assert role["upper_potential_cycle_2"] == "predicted"
        assert role["first_charge"] == "calibrated"
    (variant,) = simulate_cells([cells[0].with_np_ratio(1.2)])
    assert {q["role"] for q in quantities(variant)} == {"predicted"}
    mixed = [simulated[0], dataclasses.replace(variant, label="B")]
    if quantities(simulated[0])[0]["role"] == "calibrated":
        assert simulated_rows(mixed)[0]["role"] == "calibrated (LB), predicted (B)"


def test_every_printed_number_finds_its_quantity_and_unit(simulated):
    known = {
        s.runs["first-cycle"].cell.where.removeprefix("library: "): {
            q["key"]: q for q in quantities(s)
        }
        for s in simulated
    }
    values = printed_values()
    assert len({p["id"] for p in values}) == len(values)
    for p in values:
        assert known[p["cell"]][p["of"]]["unit"] == p["unit"], p["id"]
        assert re.fullmatch(r"2\.\d", p["section"])


def test_the_table_is_as_printed(simulated):
    rows = {r["label"]: r for r in simulated_rows(simulated)}
    assert rows["first charge, 0.2C"]["values"][0][1] == "210"
    potential = rows["three-electrode test, UP of cycle 1, 0.2C"]
    assert potential["values"][0][1] == "4.1919"
    assert potential["values"][1][1] == "–"
    assert re.fullmatch(r"4\.\d{4}", potential["values"][0][0])
    assert rows["rate test, discharge at 0.2C"]["sections"] == "2.4 short"
    assert rows["rate test, discharge at 1C"]["sections"] == "2.4"
    assert simulated_rows([]) == []


def test_the_evidence_of_the_rates_is_told(simulated):
    notes = simulated_notes(simulated)
    assert re.match(r"Rates of .*LB.*, by evidence: \d+ \w+", notes[0])
    assert len(notes) == len(set(notes))
    caveats = simulated[0].runs["rate-test"].cell.kinetics.caveats
    assert set(caveats) <= set(notes)


def test_an_upper_potential_off_the_design_is_explained(simulated):
    (said,) = differing_potentials(simulated)  # LB agrees
    run = simulated[1].runs["first-cycle"]
    upper = run.cycles["upper_potential_vs_li_volt"][0]
    stretch = run.cell.kinetics.positive.open_circuit_stretch_ratio
    assert said.startswith(f"HB: UP of the simulated first charge is {upper:.3f} V, in")
    assert "4.300 V" in said
    assert f"stretched by a factor of {stretch:g}" in said
    assert f"{said}." in simulated_notes(simulated)


def test_figures_are_numbered_as_they_come(demo):
    folder, _, _ = demo
    html = (folder / "report.html").read_text("utf-8")
    numbers = [int(n) for n in re.findall(r"<b>Figure (\d+)\.", html)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 10


def test_a_report_with_runs_says_so_and_how_to_repeat_them(demo):
    folder, _, _ = demo
    html = (folder / "report.html").read_text("utf-8")
    assert "Quasi-static design and simulated tests" in html
    limits = html.partition('<section id="limits">')[2].partition("</section>")[0]
    assert "The simulations have kinetics" in limits
    pre = re.search(r"<pre>(.*?)</pre>", html, re.DOTALL)[1].splitlines()
    assert pre[:2] == [
        "equipoise demo",
        "equipoise design zhang2026-lb --out LB-report",
    ]
    assert "equipoise simulate zhang2026-hb rate-test --out HB-rate-test" in pre
    hb = html.partition("<h3>HB, n/p 1.5</h3>")[2].partition("</article>")[0]
    assert "0.00\N{NO-BREAK SPACE}mV" not in hb
    assert "on its plateau" in hb
    assert "lower end" not in hb


def test_only_what_the_command_can_change_is_repeated(cells, simulated):
    first = simulated[0].runs["first-cycle"]

    def lines(cell):
        runs = {"first-cycle": dataclasses.replace(first, cell=cell)}
        return simulate_commands([Simulated("A", "A", runs)])

    assert lines(cells[0].with_np_ratio(1.2)) == [
        "equipoise simulate zhang2026-lb first-cycle --np 1.2 --out A-first-cycle"
    ]
    assert lines(cells[0].with_window(upper_volt=2.7)) == []
    assert lines(dataclasses.replace(cells[0], where="")) == []


def test_the_demo_shows_and_writes_what_it_simulated(demo):
    folder, content, said = demo
    html = (folder / "report.html").read_text("utf-8")
    section = html.partition('<section id="simulated">')[2].partition("</section>")[0]
    assert '<a href="#simulated">' in html
    assert {f"figure-{stem}" for stem in FIGURES} == set(
        re.findall(r'<figure id="([^"]*)"', section)
    )
    assert section.count("<svg") == len(FIGURES)
    names = [entry["cell"] for entry in content["simulations"]]
    assert names == ["LB", "HB"]
    for entry in content["simulations"]:
        for q in entry["quantities"]:
            form = ".4f" if q["unit"] == "V" else ".1f"
            assert f">{q['value']:{form}}<" in section, q["key"]
        for run in entry["runs"]:
            assert run["status"] == "OK"
            assert run["model"] == "dfn"
            made = folder / run["folder"]
            cycles = pl.read_parquet(made / "cycles.parquet")
            assert cycles.height == run["cycles_count"]
            assert (made / "trace.bdf.parquet").is_file()
            assert f"{run['folder']}/trace.bdf.parquet" in html
            assert f"simulating {entry['cell']}: {run['protocol']} ..." in said
    ids = re.findall(r'\bid="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    for stem in FIGURES:
        assert (folder / "figures" / f"{stem}.png").is_file()


def test_a_report_without_runs_has_no_such_section(cells, tmp_path):
    done = write_design_report(cells[:1], tmp_path, figures=False)
    html = done.report.read_text("utf-8")
    assert "simulated" not in html.lower()
    assert not (tmp_path / "simulated").exists()


def test_a_report_without_figures_still_has_the_numbers(cells, simulated, tmp_path):
    done = write_design_report(cells, tmp_path, figures=False, simulated=simulated)
    html = done.report.read_text("utf-8")
    assert "<svg" not in html
    assert "rate test, discharge at 5C" in html
    first, again = (
        write_design_report(
            cells[:1], tmp_path / d, figures=False, simulated=simulated[:1]
        )
        for d in "ab"
    )
    for a, b in zip(first.files, again.files, strict=True):
        assert a.read_bytes() == b.read_bytes(), a.name


def test_the_demo_prints_the_table(simulated, capsys):
    _echo_simulated(simulated)
    text = capsys.readouterr().out
    for part in ("simulated (dfn model)", "LB", "HB", "printed", "4.1919", "sec."):
        assert part in text
    folded = {line.split("│")[1].strip() for line in text.splitlines() if "│" in line}
    for q in quantities(simulated[1]):
        assert all(any(w in part for part in folded) for w in q["label"].split())
        assert f"{q['value']:{'.4f' if q['unit'] == 'V' else '.1f'}}" in text
