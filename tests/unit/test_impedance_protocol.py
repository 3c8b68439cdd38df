"""The step `eis`: in a protocol, in a run, in its tables and files."""

import json

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

import equipoise as eqp
from engine_cells import (
    SMALL,
    cell,
    charge,
    discharge,
    hold,
    machine,
    protocol,
    rest,
    smooth_cell,
    tried,
)
from equipoise.cli.app import app
from equipoise.core.errors import SpecError
from equipoise.core.status import Status
from equipoise.io.spectra.read import read_spectra
from equipoise.kernels.layout import INTERFACE
from equipoise.kernels.program import End, Reason
from equipoise.protocol.expand import Context, expand
from equipoise.protocol.parsing import parse
from equipoise.protocol.steps import Eis, Repeat
from equipoise.sim.impedance.at_rest import impedance_of
from equipoise.sim.origin import evidence_of_rates
from equipoise.sim.simulate import simulate

CONTEXT = Context(1.35, 2.75, 1e-3, 5e-3, 0.6)


def parsed(**keys):
    step = {"do": "eis"} | keys
    return parse({"name": "p", "steps": [step]}, where="file").steps[0]


def ran(*steps, known=None, **keys):
    return simulate(known or cell(), protocol(*steps), mesh=SMALL, **keys)


# --- the step


def test_the_default_is_the_sweep_of_the_paper():
    f = Eis().frequency_hertz
    assert f[0] == 1e6
    assert f[-1] == pytest.approx(0.1, rel=1e-14)
    assert f.size == 71
    assert np.diff(np.log10(f)) == pytest.approx(np.full(70, -0.1))
    assert Eis().label == "eis 1 MHz to 100 mHz"


def test_a_sweep_that_is_no_whole_number_of_steps_keeps_its_ends():
    f = Eis(
        highest_frequency_hertz=3e4,
        lowest_frequency_hertz=0.007,
        points_per_decade_count=7,
    ).frequency_hertz
    assert (f[0], f[-1]) == (3e4, pytest.approx(0.007))
    per_decade = (f.size - 1) / np.log10(f[0] / f[-1])
    assert per_decade == pytest.approx(7.0, abs=0.1)
    narrow = Eis(highest_frequency_hertz=1.01, lowest_frequency_hertz=1.0)
    assert narrow.frequency_hertz.tolist() == [1.01, 1.0]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"highest_frequency_hertz": 0.1, "lowest_frequency_hertz": 1e6},
            "highest_frequency_hertz = 0.1 must lie above",
        ),
        (
            {"highest_frequency_hertz": 1.0, "lowest_frequency_hertz": 1.0},
            "must lie above",
        ),
        ({"lowest_frequency_hertz": 0.0}, "lowest_frequency_hertz"),
        ({"lowest_frequency_hertz": -1.0}, "lowest_frequency_hertz"),
        ({"highest_frequency_hertz": float("inf")}, "highest_frequency_hertz"),
        ({"highest_frequency_hertz": "1 MHz"}, "highest_frequency_hertz"),
        ({"points_per_decade_count": 0}, "points_per_decade_count"),
        ({"points_per_decade_count": 10.5}, "points_per_decade_count"),
        ({"points_per_decade_count": 5000}, "35,001 points"),
        ({"frequency_hertz": 3.0}, "frequency_hertz"),
    ],
)
def test_a_wrong_sweep_is_refused_with_its_step_and_key(keys, said):
    with pytest.raises(SpecError) as caught:
        parsed(**keys)
    assert "file: step 1 (eis)" in str(caught.value)
    assert said in str(caught.value)


def test_rows_of_impedances_are_told_from_the_others():
    sweep = Eis(highest_frequency_hertz=1e3, lowest_frequency_hertz=1.0)
    again = Repeat(count=3, steps=(charge(1), sweep, discharge(1)))
    program = expand(protocol(again, Eis()), CONTEXT)
    assert list(program.sweeps) == [1, 4, 7, 9]
    assert [program.labels[i] for i in (1, 9)] == [
        "eis 1 kHz to 1 Hz",
        "eis 1 MHz to 100 mHz",
    ]
    assert program.sweeps[4] is sweep
    assert program.cycle_count == 3


def test_a_hold_after_an_impedance_takes_the_limit_of_the_step_before_it():
    program = expand(protocol(charge(1), Eis(), hold(until_c_rate=0.1)), CONTEXT)
    assert program.labels[2] == "hold 2.75 V"


# --- in a run


def test_an_impedance_changes_nothing_of_the_test():
    plain = ran(charge(1), rest(1), discharge(1), rest(0.5), charge(0.5))
    with_eis = ran(
        Eis(),
        charge(1),
        rest(1),
        Eis(),
        discharge(1),
        Eis(),
        rest(0.5),
        Eis(),
        charge(0.5),
    )
    assert_frame_equal(with_eis.cycles, plain.cycles, rel_tol=0, abs_tol=0)
    keep = with_eis.steps.filter(pl.col("ended_by") != "measured")
    assert_frame_equal(
        keep.drop("step_count"), plain.steps.drop("step_count"), rel_tol=0, abs_tol=0
    )
    assert_frame_equal(
        with_eis.trace.drop("step_count"),
        plain.trace.drop("step_count"),
        rel_tol=0,
        abs_tol=0,
    )
    assert len(with_eis.spectra) == 4
    assert with_eis.finished


def test_spectra_say_where_they_were_measured():
    run = ran(charge(1), rest(1), Eis(), discharge(1), charge(1), rest(1), Eis())
    first, second = run.impedances
    steps = run.steps
    assert [s.name for s in run.spectra] == [first.name, second.name]
    assert first.name.startswith("LB cycle 1, ")
    assert second.name.startswith("LB cycle 2, ")
    for found, row in ((first, 2), (second, 6)):
        assert found.step_count == row + 1
        assert found.time_second == steps["end_time_second"][row]
        assert found.voltage_volt == pytest.approx(
            steps["end_voltage_volt"][row], abs=1e-12
        )
        assert found.current_ampere == 0.0
        key = "positive_lithiation_fraction"
        assert found.positive_lithiation_fraction == steps[key][row - 1]
    assert steps["ended_by"][2] == "measured"
    assert steps["capacity_mah_per_g_positive"][2] == 0.0
    assert first.area_cm2 == pytest.approx(np.pi * 0.45**2, rel=1e-12)


def test_electrodes_add_up_to_the_cell():
    (found,) = ran(charge(1), Eis()).impedances
    whole = found.positive.impedance_ohm + found.negative.impedance_ohm
    assert np.array_equal(found.cell.impedance_ohm, whole)
    assert found.positive.name.endswith(", positive")


def test_a_rested_run_is_the_impedance_at_that_state_of_charge():
    # one steep curve per electrode: on a plateau nodes stay apart for ever
    sweep = Eis(highest_frequency_hertz=1e5, lowest_frequency_hertz=1e-3)
    known = smooth_cell()
    run = ran(charge(0.2, until_time_hour=2.0), rest(3000), sweep, known=known)
    charged = run.steps["capacity_mah_per_g_positive"][0]
    fresh = impedance_of(
        known,
        frequency_hertz=sweep.frequency_hertz,
        passed_capacity_mah_per_g_positive=charged,
        mesh=SMALL,
    )
    found = run.impedances[0]
    assert found.positive_lithiation_fraction == pytest.approx(
        fresh.positive_lithiation_fraction, rel=1e-9
    )
    off = np.abs(found.cell.impedance_ohm / fresh.cell.impedance_ohm - 1.0)
    assert off.max() < 1e-6


def test_an_impedance_under_current_says_so_and_one_after_a_rest_does_not():
    run = ran(charge(1, until_time_hour=0.4), Eis(), rest(10), Eis())
    under, rested = run.impedances
    assert any("flows" in note and "rest" in note for note in under.notes)
    assert under.current_ampere > 0.0
    assert rested.notes == ()
    assert any("flows" in note for note in run.notes)


def test_an_impedance_shortly_after_a_current_says_that_the_cell_still_relaxes():
    slow = cell({"diffusivity_cm2_per_s": 1e-12})
    run = ran(charge(2, until_time_hour=0.1), rest(1e-3), Eis(), known=slow)
    assert any("not at rest" in note for note in run.impedances[0].notes)


def test_an_empty_electrode_is_told_and_gives_numbers():
    known = eqp.load_half_cell_setup("zhang2026-lto-inli")  # built without lithium
    (found,) = simulate(known, protocol(Eis()), mesh=SMALL).impedances
    assert np.isfinite(found.cell.impedance_ohm).all()
    assert any("empty at a surface" in note for note in found.notes)
    assert found.positive_lithiation_fraction == 0.0


def test_a_half_cell_has_the_impedance_of_its_working_electrode():
    known = eqp.load_half_cell_setup("zhang2026-ncm85-inli")
    run = simulate(
        known, protocol(charge(0.2, until_time_hour=2.0), rest(1), Eis()), mesh=SMALL
    )
    (found,) = run.impedances
    assert np.all(found.negative.impedance_ohm == 0.0)
    assert np.array_equal(found.cell.impedance_ohm, found.positive.impedance_ohm)
    assert np.isnan(found.negative_lithiation_fraction)
    assert json.dumps(
        eqp.sim.impedance.table.impedance_summary([found]), allow_nan=False
    )


def test_one_node_is_still_a_line():
    known = cell()
    keys = {"passed_capacity_mah_per_g_positive": 100.0}
    dfn = impedance_of(known, model="dfn", mesh=SMALL, **keys)
    spm = impedance_of(known, model="spm", mesh=SMALL, **keys)
    assert spm.cell.impedance_ohm == pytest.approx(dfn.cell.impedance_ohm, rel=1e-11)
    run = ran(charge(1), Eis(), known=known, model="spm")
    assert np.isfinite(run.spectra[0].impedance_ohm).all()


def test_a_model_without_rates_has_no_impedance():
    with pytest.raises(SpecError, match="quasi-static") as caught:
        ran(charge(1), Eis(), model="quasi-static")
    assert "dfn" in str(caught.value)


def test_an_impedance_in_a_repeat_that_stops_early_is_measured_as_often_as_it_ran():
    pulses = Repeat(
        count=50,
        stop_when_voltage_reached=True,
        steps=(charge(0.5, until_time_hour=0.4), rest(0.5), Eis()),
    )
    run = ran(pulses, discharge(0.5))
    done = run.steps.filter(pl.col("ended_by") == "measured").height
    assert 2 <= done < 12
    assert len(run.spectra) == done
    assert run.steps["step"][-1] == "discharge 0.5C"


def test_a_failed_run_keeps_the_spectra_before():
    tiny = eqp.Stepping(most_substeps_count=10)
    run = tried(cell(), Eis(), charge(1), Eis(), stepping=tiny)
    assert not run.finished
    assert len(run.spectra) == 1


def test_an_electrode_without_any_contact_ends_the_run_and_keeps_what_was():
    driven = machine(cell(), [charge(1, until_time_hour=0.2), Eis()])
    assert driven.advance(1) == Status.OK
    driven.lowered.positive.column[INTERFACE] = 0.0  # as after isolating everything
    assert driven.advance(2) == Status.NOT_FINITE
    assert driven.impedances == []
    assert driven.finished[-1, End.REASON] == Reason.FAILED
    assert driven.finished.shape[0] == 2


def test_rates_of_impedance_count_as_evidence_only_where_they_matter():
    plain = evidence_of_rates(ran(charge(1)))
    measured = evidence_of_rates(ran(charge(1), Eis()))
    more = sum(measured.values()) - sum(plain.values())
    assert more == 2 * 2 + 2  # capacitances of either side; inductance, grain boundary
    assert measured["assumed"] - plain["assumed"] == more


# --- tables, files, command


def test_the_long_table_has_every_point_with_its_state():
    run = ran(charge(1), Eis(), discharge(1), Eis(points_per_decade_count=5))
    table = run.impedance_rows
    assert table.height == 71 + 36
    second = table.filter(pl.col("step_count") == 4)
    found = run.impedances[1]
    assert second["frequency_hertz"].to_list() == found.frequency_hertz.tolist()
    for key in ("positive_", "negative_"):
        z = second[f"{key}real_impedance_ohm"] + 0.0
        side = getattr(found, key[:-1]).impedance_ohm
        assert z.to_list() == side.real.tolist()
        assert second[f"{key}imaginary_impedance_ohm"].to_list() == side.imag.tolist()
    assert second["voltage_volt"].n_unique() == 1
    assert ran(charge(1)).impedance_rows.height == 0


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_spectra_of_a_run_are_written_and_read_back(tmp_path, form):
    run = ran(charge(1), Eis(), discharge(1), Eis())
    files = eqp.write_run(run, tmp_path, form=form)
    assert [f.name for f in files[-2:]] == [f"spectra.{form}", f"impedances.{form}"]
    back = read_spectra(files[-2])
    assert len(back.spectra) == 2
    for ours, theirs in zip(run.spectra, back.spectra, strict=True):
        assert theirs.name == ours.name
        assert np.array_equal(theirs.impedance_ohm, ours.impedance_ohm)
        assert theirs.area_cm2 == ours.area_cm2


def test_the_command_reports_spectra(tmp_path):
    arguments = ["simulate", "zhang2026-lb", "eis-after-discharge", "--nodes", "4"]
    arguments += ["--shells", "6", "--no-figures", "--json", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    (spectrum,) = answer["spectra"]
    assert spectrum["points_count"] == 71
    assert spectrum["highest_frequency_hertz"] == 1e6
    assert spectrum["cycle_count"] == 1
    high = spectrum["highest_frequency_real_impedance_ohm"]
    assert 0.0 < high < spectrum["lowest_frequency_real_impedance_ohm"]
    assert str(tmp_path / "spectra.parquet") in answer["files"]
