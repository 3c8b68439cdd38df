"""Public files of real cyclers, read and compared with sums made without a reader.

Each expectation is derived twice: by plain Python from the text of the file, with
nothing of equipoise, and (where it is printed here) once by hand with awk.
Files: shared/data/MANIFEST.md (cellpy MIT; beep, battery-data-format and ROVI
Apache-2.0); they are not part of this repository.
"""

import csv
import math
from itertools import pairwise

import numpy as np
import pytest

from equipoise.io.bdf import read_bdf
from equipoise.io.readers.read import read

HEADS = {
    "beep_PreDiag_000229_000229_truncated.034": 1,
    "beep_xTESLADIAG_000038.078": 1,
    "cellpy_maccor_001.txt": 3,
    "cellpy_maccor_002.txt": 13,
    "rovi_maccor_example.001": 1,
    "rovi_maccor_example.002": 1,
}
"""Lines above the header, counted by eye."""
COLUMNS = {
    "capacity": ("Amp-hr", "Cap. [Ah]"),
    "energy": ("Watt-hr", "Ener. [Wh]"),
    "current": ("Amps", "Current [A]"),
    "voltage": ("Volts", "Voltage [V]"),
    "state": ("State", "Md"),
    "cycle": ("Cyc#", "Cycle C"),
    "step": ("Step",),
    "time": ("Test (Sec)", "Test (Min)", "TestTime"),
}


@pytest.fixture(scope="module")
def folder(shared_data):
    for name in ("maccor", "cycling"):
        if not (shared_data / name).is_dir():
            pytest.skip(f"no {name} files in the shared data")
    return shared_data


def rows_of(path, skip):
    """Rows as dictionaries, by the csv module alone."""
    with path.open(encoding="latin-1", newline="") as stream:
        lines = [x for x in stream.read().splitlines()[skip:] if x.strip()]
    return list(csv.DictReader(lines, delimiter="\t"))


def column(rows, key):
    name = next(n for n in COLUMNS[key] if n in rows[0])
    return [r[name].strip() for r in rows], name


def seconds_of(text, name):
    if "d" in text:
        days, clock = text.split("d")
        h, m, s = clock.split(":")
        return 86400 * int(days) + 3600 * int(h) + 60 * int(m) + float(s)
    # "TestTime" without a unit is in minutes: the next column is, by the clock
    return float(text) * (1.0 if "Sec" in name else 60.0)


def sums(rows):
    """Charge and energy by state, from falls of the counter: plain Python."""
    states, _ = column(rows, "state")
    total = {(w, q): 0.0 for w in "CD" for q in ("capacity", "energy")}
    for quantity in ("capacity", "energy"):
        values = [float(v) for v in column(rows, quantity)[0]]
        last = states[0]
        for (before, now), state in zip(pairwise(values), states[1:], strict=True):
            gained = now - before if now >= before else now
            last = last if state == "S" else state  # S marks the end of a step
            if last in "CD":
                total[last, quantity] += gained
    return total


@pytest.mark.parametrize("name", HEADS)
def test_a_maccor_file_gives_what_its_text_says(folder, name):
    path = folder / "maccor" / name
    rows = rows_of(path, HEADS[name])
    table = read(path).table
    assert table.height == len(rows)
    volts = [float(v) for v in column(rows, "voltage")[0]]
    assert table["voltage_volt"].to_list() == volts
    amperes = [abs(float(v)) for v in column(rows, "current")[0]]
    assert table["current_ampere"].abs().to_list() == amperes
    states, _ = column(rows, "state")
    signs = np.sign(table["current_ampere"].to_numpy())
    for state, sign in zip(states, signs, strict=True):
        assert sign in {"C": (0, 1), "D": (0, -1)}.get(state, (0,))
    times, label = column(rows, "time")
    expected = [seconds_of(t, label) for t in times]
    assert np.allclose(table["test_time_second"], expected, rtol=0, atol=1e-6)
    cycles = [int(c) for c in column(rows, "cycle")[0]]
    assert table["cycle_count"].to_list() == cycles
    total = sums(rows)
    for state, direction in (("C", "charging"), ("D", "discharging")):
        for quantity, unit in (("capacity", "ah"), ("energy", "wh")):
            found = table[f"{direction}_{quantity}_{unit}"][-1]
            assert found == pytest.approx(total[state, quantity], rel=2e-5, abs=1e-9)


GOLDEN_AH = {
    "beep_PreDiag_000229_000229_truncated.034": (8.626252, 4.762617),
    "beep_xTESLADIAG_000038.078": (92.771366, 91.456219 + 0.009139),
    "cellpy_maccor_001.txt": (17.623600, 17.363110),
    "cellpy_maccor_002.txt": (0.004718710, 0.004504930),
}
"""Charge and discharge by awk: increments of the counter in rows of state C and D; the
second file ends with a row S that holds the last 9.139 mAh of a discharge."""


@pytest.mark.parametrize("name", GOLDEN_AH)
def test_the_charge_of_a_real_file_is_that_of_awk(folder, name):
    table = read(folder / "maccor" / name).table
    found = [table[f"{d}charging_capacity_ah"][-1] for d in ("", "dis")]
    assert found == pytest.approx(GOLDEN_AH[name], rel=2e-5)


@pytest.mark.parametrize("name", HEADS)
def test_unit_and_sign_of_a_real_file_are_proven_where_charge_passes(folder, name):
    recording = read(folder / "maccor" / name)
    if "rovi" in name:  # eight rows of a rest
        assert not recording.proven
        return
    assert recording.proven
    proofs = {f.what: f for f in recording.findings if f.level == "proven"}
    units = [f for n, f in proofs.items() if "unit (" in n]
    assert len(units) == 2  # charge and energy
    # real cyclers integrate what they print: 0.01 % of disagreement, not 1 %
    assert all(abs(f.residual_ratio) < 1e-4 for f in units)
    if "_00" in name and "cellpy_maccor_002" not in name:
        assert "test time: unit" in proofs


def test_the_unit_of_the_unnamed_time_is_found_by_the_clock(folder):
    """cellpy_maccor_002: TestTime in minutes, as its clock says."""
    recording = read(folder / "maccor" / "cellpy_maccor_002.txt")
    rows = rows_of(recording.path, 13)
    last = float(rows[-1]["TestTime"])
    assert recording.table["test_time_second"][-1] == pytest.approx(60.0 * last)
    assert recording.metadata["started_local"] == "2021-05-11T15:40:24"
    assert recording.metadata["channel"] == "53"


def test_the_step_times_of_a_real_file_restart_with_each_step(folder):
    table = read(folder / "maccor" / "beep_xTESLADIAG_000038.078").table
    rows = rows_of(folder / "maccor" / "beep_xTESLADIAG_000038.078", 1)
    expected = [float(r["Step (Sec)"]) for r in rows]
    assert table["step_time_second"].to_list() == expected


def integral(times, values, sign):
    """Trapezoids of one direction, ampere hour, in plain Python."""
    part = [max(sign * v, 0.0) for v in values]
    return (
        math.fsum(
            0.5 * (part[i] + part[i - 1]) * (times[i] - times[i - 1])
            for i in range(1, len(times))
        )
        / 3600.0
    )


@pytest.mark.parametrize(
    "name", [n for n in HEADS if "rovi" not in n], ids=lambda n: n[:20]
)
def test_counter_and_integral_of_a_real_file_agree(folder, name):
    """The second route: the current, not the counter."""
    rows = rows_of(folder / "maccor" / name, HEADS[name])
    times, label = column(rows, "time")
    seconds = [seconds_of(t, label) for t in times]
    states, _ = column(rows, "state")
    sign = {"C": 1.0, "D": -1.0}
    amperes = [
        sign.get(s, 0.0) * abs(float(i))
        for s, i in zip(states, column(rows, "current")[0], strict=True)
    ]
    table = read(folder / "maccor" / name).table
    for direction, way in (("charging", 1.0), ("discharging", -1.0)):
        counted = table[f"{direction}_capacity_ah"][-1]
        assert counted == pytest.approx(integral(seconds, amperes, way), rel=1e-3)


SINTEF = "SINTEF__LiGrR2032__2024-04-30__25degC__Landt.bdf.csv"


def test_a_current_bdf_file_is_read_as_by_the_plain_reader(folder):
    path = folder / "cycling" / SINTEF
    recording = read(path)
    plain = read_bdf(path)
    for name in ("test_time_second", "voltage_volt", "current_ampere", "step_index"):
        assert recording.table[name].equals(plain[name])


def test_capacities_that_restart_are_not_called_capacities_of_the_test(folder):
    """The file calls charging_capacity_ah what starts anew with each step."""
    path = folder / "cycling" / SINTEF
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    recording = read(path)
    for way in ("charging", "discharging"):
        values = [float(r[f"{way}_capacity_ah"]) for r in rows]
        whole = math.fsum(b - a if b >= a else b for a, b in pairwise(values))
        assert any(b < a for a, b in pairwise(values))
        table = recording.table
        assert table[f"step_{way}_capacity_ah"].to_list() == values
        assert table[f"{way}_capacity_ah"][-1] == pytest.approx(whole, rel=1e-12)
    # 0.0002 A with four decimals may be anything between 0.00015 and 0.00025
    units = [f for f in recording.findings if f.what.startswith("current: unit")]
    assert {f.level for f in units} == {"not proven"}
    signs = [f for f in recording.findings if f.what == "current: sign"]
    assert [f.level for f in signs] == ["proven"]


def test_the_older_flavour_charges_below_zero_and_is_turned(folder):
    path = folder / "cycling" / "cellpy_batmo_bdf.csv"
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    table = read(path).table
    assert table.height == len(rows)
    by_word = {"charge": 0.0, "discharge": 0.0}
    for row, ampere in zip(rows, table["current_ampere"], strict=True):
        word = row["Step Type / 1"]
        assert ampere == -float(row["Current / A"])
        if word in by_word and ampere:
            assert (ampere > 0) == (word == "charge")
    hours = [float(r["Test Time / h"]) for r in rows]
    assert np.allclose(table["test_time_second"], np.multiply(hours, 3600.0))
    for label, name in (
        ("Charge Capacity / Ah", "charging_capacity_ah"),
        ("Discharge Capacity / Ah", "discharging_capacity_ah"),
    ):
        values = [float(r[label]) for r in rows]
        whole = math.fsum(b - a if b >= a else b for a, b in pairwise(values))
        assert table[name][-1] == pytest.approx(whole, rel=1e-9)
        assert table[f"step_{name}"].to_list() == values


def test_no_real_file_holds_a_strange_finding_that_nobody_looked_at(folder):
    """Every "look" of the public files, and why it is right."""
    expected = {
        "cellpy_maccor_001.txt": {"auxiliary channels"},  # 16, none connected
        SINTEF: {"discharging_capacity_ah", "charging_capacity_ah"},  # see above
        "cellpy_batmo_bdf.csv": {"Charge Capacity / Ah", "Discharge Capacity / Ah"},
    }
    files = [folder / "maccor" / n for n in HEADS]
    files += [folder / "cycling" / n for n in (SINTEF, "cellpy_batmo_bdf.csv")]
    for path in files:
        looks = {f.what for f in read(path).findings if f.level == "look"}
        assert looks == expected.get(path.name, set()), path.name
