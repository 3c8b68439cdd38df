"""Files that once gave a wrong number without a word."""

import warnings
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from cycler_files import truth
from equipoise import DataError, EquipoiseWarning, SpecError
from equipoise.analysis.retention import cycle_life
from equipoise.analysis.summary import cycle_summary
from equipoise.io.readers.read import read
from equipoise.io.readers.states import direction_of
from equipoise.io.toml_file import read_toml
from equipoise.study.measured_cell import load_cell_data

MADE = truth(cycles=4, hold=False, every=30)


def written(tmp_path, made, **more):
    columns = {
        "Test Time / s": made.seconds,
        "Voltage / V": made.volts,
        "Current / A": made.amperes,
        "Cycle Count / 1": made.cycles,
        **more,
    }
    path = tmp_path / "cell.bdf.csv"
    pl.DataFrame(columns).write_csv(path)
    return path


def levels(recording):
    """How sure the sign of the current is."""
    return {f.level for f in recording.findings if f.what == "current: sign"}


CHARGE = "2nd charge;pulsed charge;Laden;充电;CHG;CC Chrg;cha;C_CC;CCCV_Chg"
DISCHARGE = "Entladen;Décharge;放电;DST discharge;D;DCH;d-chg;D_CC;CC_DChg"
NEITHER = "chamber;Change;Channel;Charakterisierung;disconnected;display;Discharge rest"
WORDS = {1: CHARGE, -1: DISCHARGE, 0: f"{NEITHER};Rest after charge;Pause;"}


@pytest.mark.parametrize(
    ("word", "direction"),
    [(w, d) for d, words in WORDS.items() for w in words.split(";")],
)
def test_words_of_states_mean_what_they_say(word, direction):
    assert direction_of(word) == direction


def test_a_net_counter_that_starts_anew_does_not_make_every_efficiency_one(tmp_path):
    net = np.concatenate(
        [
            q - q[0]
            for c in np.unique(MADE.cycles)
            for q in [(MADE.charged_ah - MADE.discharged_ah)[MADE.cycles == c]]
        ]
    )
    path = written(tmp_path, MADE, **{"Net Capacity / Ah": net})
    with pytest.raises(DataError, match="starts anew"):
        read(path)


def test_a_counter_of_the_cycle_keeps_its_rule_after_an_aborted_cycle(tmp_path):
    """The first row of a cycle may show more than the whole aborted one before."""
    seconds, amperes, cycles, counted = [], [], [], []
    now = 0.0
    for number, rows in ((1, 100), (2, 2), (3, 100)):
        for k in range(rows):
            seconds.append(now)
            amperes.append(1.0)
            cycles.append(number)
            counted.append((k + (number == 3)) * 240.0 / 3600.0)
            now += 240.0
        now += 240.0 if number == 1 else 0.0
    frame = pl.DataFrame(
        {
            "Test Time / s": seconds,
            "Voltage / V": np.linspace(3.0, 4.0, len(seconds)),
            "Current / A": amperes,
            "Cycle Count / 1": cycles,
            "Cycle Charging Capacity / Ah": counted,
            "Cycle Discharging Capacity / Ah": np.zeros(len(counted)),
        }
    )
    path = tmp_path / "aborted.bdf.csv"
    frame.write_csv(path)
    table = read(path).table
    assert "cycle_charging_capacity_ah" in table.columns
    found = cycle_summary(table)["charging_capacity_ah"].to_list()
    assert found == pytest.approx([counted[99], counted[101], counted[-1]])


def test_reversed_leads_are_no_proof_of_the_sign(tmp_path):
    found = read(written(tmp_path, replace(MADE, volts=-MADE.volts)))
    assert levels(found) == {"look", "not proven"}


def test_a_sign_that_turns_within_the_file_is_not_proven(tmp_path):
    turned = np.where(MADE.cycles == MADE.cycles.max(), -MADE.amperes, MADE.amperes)
    found = read(written(tmp_path, replace(MADE, amperes=turned)))
    assert "proven" not in levels(found)


def test_a_cell_that_died_is_not_quietly_censored():
    n = 70
    dead = [1.0] * 50 + [0.0] * 20
    table = pl.DataFrame(
        {
            "cycle_count": range(1, n + 1),
            "cycle_kind": ["ageing"] * 50 + ["rest"] * 20,
            "complete": [True] * 50 + [False] * 20,
            "discharging_capacity_ah": dead,
        }
    )
    with pytest.warns(EquipoiseWarning, match="after cycle 50 come 20 cycles"):
        assert cycle_life(table).censored
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cycle_life(table.head(50))


def test_brackets_without_end_are_refused(tmp_path):
    path = tmp_path / "deep.toml"
    path.write_text("a = " + "[" * 20_000)
    with pytest.raises(SpecError):
        read_toml(path)


@pytest.mark.parametrize("name", [".", "/", "nowhere/x.csv"])
def test_a_folder_is_no_file(name):
    with pytest.raises(DataError, match=r"folder|no such file"):
        load_cell_data(name)


def test_a_parquet_file_too_large_for_the_memory_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "small.bdf.parquet"
    n = 1_000_000
    pl.DataFrame(
        {
            "Test Time / s": np.zeros(n),
            "Voltage / V": np.zeros(n),
            "Current / A": np.zeros(n),
        }
    ).write_parquet(path)
    assert path.stat().st_size < 100_000  # 24 MB in memory
    monkeypatch.setattr(
        "equipoise.io.readers.source.free_memory_bytes", lambda: 10_000_000
    )
    with pytest.raises(DataError, match="GB"):
        read(path)
