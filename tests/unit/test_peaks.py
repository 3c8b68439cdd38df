"""Peaks, their tracks over cycles, and the charge in a window."""

import csv

import numpy as np
import polars as pl
import pytest

import equipoise as eqp
from equipoise.analysis.dqdv import dqdv, dqdv_of
from equipoise.analysis.peaks import (
    NCM_WINDOWS,
    Window,
    peaks,
    track_peaks,
    window_charge,
    windows_of_cell,
)
from equipoise.analysis.smoothing import smoother
from equipoise.core.errors import DataError, EquipoiseWarning, SpecError
from equipoise.spec.cell_record import CellRecord

PLACES, CHARGES, WIDTH = np.array([3.6, 4.0, 4.2]), np.array([0.05, 0.02, 0.03]), 0.01


def cycles(shifts, charges=None, rows=1200, **options):
    """Charges, one per cycle, whose peaks are all shifted by so many volts."""
    charges = [CHARGES] * len(shifts) if charges is None else charges
    volt = np.linspace(3.4, 4.4, 10_001)
    q, v = [], []
    for shift, charge in zip(shifts, charges, strict=True):
        curve = (charge / (1 + np.exp((PLACES + shift - volt[:, None]) / WIDTH))).sum(1)
        even = np.linspace(curve[0], curve[-1], rows)
        q.append(even)
        v.append(np.interp(even, curve, volt))
    stops = np.arange(1, len(shifts) + 1) * rows
    return dqdv_of(
        np.concatenate(q),
        np.concatenate(v),
        stops - rows,
        stops,
        cycle_count=np.arange(1, len(shifts) + 1),
        **options,
    )


def test_place_height_area_and_width_of_logistic_peaks():
    found = peaks(cycles([0.0], by=smoother("none", 1)), windows=NCM_WINDOWS)
    assert found["transition"].to_list() == ["H1-M", "M-H2", "H2-H3"]
    assert found["voltage_volt"].to_numpy() == pytest.approx(PLACES, abs=3e-4)
    height = CHARGES / (4 * WIDTH)
    assert found["height_ah_per_volt"].to_numpy() == pytest.approx(height, rel=0.01)
    assert found["capacity_ah"].to_numpy() == pytest.approx(CHARGES, rel=1e-3)
    wide = 2 * WIDTH * np.arccosh(np.sqrt(2)) * 2
    widths = found["full_width_half_maximum_volt"].to_numpy()
    assert widths == pytest.approx([wide] * 3, rel=0.02)


def test_areas_between_valleys_add_up_to_all_charge():
    dq = cycles([0.0, 0.013])
    by = peaks(dq).group_by("half_cycle_index").agg(pl.col("capacity_ah").sum())
    total = by.sort("half_cycle_index")["capacity_ah"].to_numpy()
    assert total == pytest.approx(dq.capacity_ah, rel=1e-9)


def test_a_discharge_has_the_same_peaks_with_heights_above_zero():
    up = cycles([0.0])
    volt = np.linspace(3.4, 4.4, 4001)
    curve = (CHARGES / (1 + np.exp((PLACES - volt[:, None]) / WIDTH))).sum(1)
    down = dqdv_of(curve[::-1], volt[::-1], np.array([0]), np.array([4001]))
    a, b = peaks(up), peaks(down)
    assert b["direction"].to_list() == [-1] * 3
    for name in ("voltage_volt", "height_ah_per_volt", "capacity_ah"):
        assert b[name].to_numpy() == pytest.approx(a[name].to_numpy(), rel=2e-3)


def test_small_wiggles_are_no_peaks_and_a_cut_off_rise_is_none():
    volt = np.linspace(3.9, 4.2, 2001)  # ends on top of the last peak
    curve = (CHARGES / (1 + np.exp((PLACES - volt[:, None]) / WIDTH))).sum(1)
    noisy = volt + np.random.default_rng(3).normal(0, 2e-4, volt.size)
    rows = np.array([0]), np.array([volt.size])
    dq = dqdv_of(curve, noisy, *rows)
    rough = dqdv_of(curve, noisy, *rows, by=smoother("none", 1))
    assert peaks(dq)["voltage_volt"].to_numpy() == pytest.approx([4.0], abs=2e-3)
    assert peaks(rough, minimum_prominence_fraction=0.0).height > 20
    assert peaks(dq, minimum_prominence_fraction=0.9).height == 0


def test_a_shoulder_that_does_not_fall_to_half_has_no_width():
    dq = cycles([0.0], [np.array([0.05, 0.0, 0.05])], by=smoother("gaussian", 60))
    widths = peaks(dq)["full_width_half_maximum_volt"].to_numpy()
    assert widths.size == 2
    assert np.isfinite(widths[0])  # 0.6 V apart, 0.15 V wide
    merged = cycles([0.0], [np.array([0.0, 0.05, 0.05])], by=smoother("gaussian", 130))
    assert peaks(merged).height <= 1
    close = cycles([0.0], [np.array([0.0, 0.05, 0.05])], by=smoother("gaussian", 75))
    assert np.isnan(peaks(close)["full_width_half_maximum_volt"].to_numpy()).all()
    assert peaks(close).height == 2


def test_tracks_follow_peaks_that_move_further_than_their_distance():
    shifts = np.linspace(0.0, 0.25, 26)  # 0.2 V between the last two peaks
    found = track_peaks(peaks(cycles(shifts)), maximum_shift_volt=0.02)
    for index, place in enumerate(PLACES):
        mine = found.filter(pl.col("peak_index") == index)
        within = place + shifts < 4.36
        assert mine.height >= within.sum()
        volt = mine["voltage_volt"].to_numpy()[: within.sum()]
        assert volt == pytest.approx((place + shifts)[within], abs=1e-3)


def test_a_track_waits_for_a_peak_that_is_missing_and_a_jump_begins_a_new_one():
    without = CHARGES * [1, 0, 1]
    dq = cycles([0.0, 0.0, 0.005, 0.1], [CHARGES, without, CHARGES, CHARGES])
    found = track_peaks(peaks(dq))
    middle = found.filter(pl.col("peak_index") == 1)
    assert middle["cycle_count"].to_list() == [1, 3]
    jumped = found.filter(pl.col("cycle_count") == 4)["peak_index"].to_list()
    assert jumped == [3, 4, 5]
    with pytest.raises(SpecError, match="maximum_shift_volt = 0"):
        track_peaks(found, maximum_shift_volt=0.0)


def test_a_flawed_half_cycle_has_no_peaks_but_stays_in_the_window_table():
    v = np.concatenate([np.linspace(3.5, 4.3, 100), [3.5, 3.6]])
    q = np.linspace(0.0, 1.0, 102)
    with pytest.warns(EquipoiseWarning, match="1 of 2"):
        dq = dqdv_of(q, v, np.array([0, 100]), np.array([100, 102]))
    assert set(peaks(dq, minimum_prominence_fraction=0.0)["half_cycle_index"]) <= {0}
    charge = window_charge(dq, 4.1, 4.3)["window_capacity_ah"].to_numpy()
    assert charge[0] == pytest.approx(0.25 * 99 / 101, rel=1e-3)
    assert np.isnan(charge[1])


def test_the_charge_of_a_window_is_that_of_its_peak_also_between_bins():
    dq = cycles([0.0], rows=20_000)
    table = window_charge(dq, 4.1005, 4.2995)
    ends = np.array([[4.1005], [4.2995]])
    below, above = (CHARGES / (1 + np.exp((PLACES - ends) / WIDTH))).sum(1)
    charge = table["window_capacity_ah"][0]
    assert charge == pytest.approx(above - below, rel=1e-3)
    assert table["window_fraction"][0] == pytest.approx(0.3, rel=0.01)
    halves = [
        window_charge(dq, *w)["window_capacity_ah"][0]
        for w in ((3.4, 4.00037), (4.00037, 4.4))
    ]
    assert sum(halves) == pytest.approx(dq.capacity_ah[0], rel=1e-9)


def test_windows_that_are_empty_or_beside_the_curve_are_refused():
    dq = cycles([0.0])
    with pytest.raises(SpecError, match="is empty"):
        window_charge(dq, 4.2, 4.2)
    with pytest.raises(DataError, match="windows vs Li"):
        window_charge(dq, 2.5, 2.7)
    with pytest.raises(SpecError, match=r"1\.55 for LTO"):
        windows_of_cell(negative_potential_volt=np.nan)
    with pytest.raises(SpecError, match="minimum_prominence_fraction = 1"):
        peaks(dq, minimum_prominence_fraction=1.0)


def test_windows_move_with_the_negative_electrode():
    h2h3 = windows_of_cell(negative_potential_volt=1.55)[-1]
    assert h2h3.name == "H2-H3"
    # zhang2026 sec. 2.2: the transition is at about 2.65 V vs LTO
    assert h2h3.low_volt < 2.65 < h2h3.high_volt
    assert [h2h3.low_volt, h2h3.high_volt] == pytest.approx([2.55, 2.75])


def test_peaks_of_measured_cathodes_are_those_of_the_reference_table(shared_data):
    """TUM half cells at C/50, smoothed by 7.5 mV as the table."""
    from scipy.io import loadmat

    lines = (shared_data / "reference" / "ncm_dqdv_peaks.csv").read_text("utf-8")
    table = csv.DictReader(x for x in lines.splitlines() if not x.startswith("#"))
    files = {"LG": "tum_LGM36_PE_coin", "Molicel": "tum_MoliM35A_PE"}
    for row in table:
        charge = "discharge" not in row["curve"]
        stem = files[row["curve"].split()[0]]
        branch = "Delithiation" if charge else "Lithiation"
        content = loadmat(
            shared_data / "halfcell" / f"{stem}_Cathode_{branch}_0C02.mat",
            squeeze_me=True,
            struct_as_record=False,
        )
        struct = next(v for k, v in content.items() if not k.startswith("__"))
        names = struct._fieldnames
        q = getattr(struct, next(n for n in names if "cap" in n.lower()))
        v = getattr(struct, next(n for n in names if "volt" in n.lower()))
        q = np.abs(q - q[0]) / abs(q[-1] - q[0]) * (1.0 if charge else -1.0)
        dq = dqdv_of(
            q, v, np.array([0]), np.array([q.size]), by=smoother("gaussian", 7.5)
        )
        found = peaks(dq, windows=NCM_WINDOWS)
        names = found["transition"].to_list()
        assert names == ["H1-M", "H1-M", "M-H2", "H2-H3"]
        volt = found["voltage_volt"].to_numpy()
        wanted = [float(row[f"peak{i}_V"]) for i in (1, 2, 3)]
        # the table reads potentials off a grid of 2.5 mV; peak 1 and 2 are shoulders
        assert volt[:3] == pytest.approx([*wanted], abs=6e-3)
        assert volt[3] == pytest.approx(float(row["peak4_H2H3_V"]), abs=2e-3)
        height = found["height_ah_per_volt"][3]
        assert height == pytest.approx(float(row["peak4_height_1_per_V"]), rel=0.02)


@pytest.fixture(scope="module")
def simulated(lb, hb):
    protocol = eqp.load_protocol("first-cycle")
    runs = {"lb": lb, "hb": hb}
    return {k: eqp.simulate(cell, protocol).trace for k, cell in runs.items()}


def test_h2h3_is_stronger_in_hb_than_in_lb(simulated):
    """zhang2026 sec. 2.2, Fig. S6a: the H2-H3 peak is significantly weaker in LB."""
    record = CellRecord(positive_active_mass_mg=6.0)
    h2h3 = NCM_WINDOWS[-1]
    usage, tops = {}, {}
    for name, trace in simulated.items():
        dq = dqdv(trace, axis="positive", record=record)
        table = window_charge(dq, h2h3.low_volt, h2h3.high_volt)
        usage[name] = table["window_capacity_ah"][0]
        found = peaks(dq, windows=NCM_WINDOWS).filter(pl.col("direction") == 1)
        tops[name] = found.filter(pl.col("transition") == "H2-H3").height
        assert "positive_electrode_potential_volt" in found.columns
        assert "capacity_mah_per_g_positive" in found.columns
        gram = table["window_capacity_mah_per_g_positive"][0]
        assert gram == pytest.approx(usage[name] * 1e6 / 6.0)
    assert usage["hb"] > 1.4 * usage["lb"]
    assert tops == {"lb": 0, "hb": 1}  # LB stops before the peak


def test_h2h3_on_the_cell_voltage_is_near_2_65_volt_in_hb(simulated):
    dq = dqdv(simulated["hb"])
    windows = windows_of_cell(negative_potential_volt=1.55)
    found = peaks(dq, windows=windows).filter(pl.col("direction") == 1)
    top = found.filter(pl.col("transition") == "H2-H3")["voltage_volt"]
    assert top.to_numpy() == pytest.approx([2.65], abs=0.02)


def test_names_need_no_windows():
    assert set(peaks(cycles([0.0]))["transition"]) == {""}
    named = peaks(cycles([0.0]), windows=[Window("all", 0.0, 9.0)])
    assert set(named["transition"]) == {"all"}
