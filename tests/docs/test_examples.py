"""Every example runs, and one of its numbers is what it has to be."""

from __future__ import annotations

import runpy

import pytest
from pages import EXAMPLES, ROOT

# number, value, tolerance, and why
TRUTHS = {
    # specs/ageing.md, section 5: jumping keeps the cycle life within 0.5 %
    "13_life": ("jumped_ratio", 1.0, 0.005),
    # a film is an arc in series with the reaction: equal steps add equal resistance,
    # as far as they do not move the reaction along the electrode
    "12_impedance": ("growth_ratio", 1.0, 0.05),
    # at a fixed cut-off the positive ends 2.75 V above the negative, whatever the rate;
    # seen by the cycle summary in the last row of the charge
    "09_analyse_simulated": ("window_volt", 2.75, 1e-4),
    # 1.2 mA for one hour, by the counter of the file
    "10_read_a_csv": ("charging_mah", 1.2, 1e-5),
    # two cells of two groups, each imported twice
    "11_store": ("cells_count", 4, 0),
    # the voltage ends every charge: upper potential minus negative is 2.75 V
    "08_simulate": ("window_upper_volt", 2.75, 1e-4),
    # Eq. 1: 1.1 * 8.5 mg/cm2 * pi (0.45 cm)^2 * 202 / 132 / 0.30
    "01_design_lb": ("lb_composite_mg", 30.342, 0.001),
    # a lighter separator favours a lighter negative; grid of 0.01
    "02_np_map": ("best_thin_np_ratio", 1.18, 0.011),
    # the made-up curve is the bundled one with 0.5 mV of noise; at the end of charge
    # the cell rises by 16 mV per mAh/g, so the charge moves by far less than 0.2
    "03_own_curve": ("first_charge_mah_per_g", 209.97, 0.2),
    # specs/balancing.md: a loss of 10 % costs the LB cell 4.0 %, rounded
    "04_compensation": ("lost_full_percent", -4.0, 0.05),
    # Eq. 1 with 195 instead of 202 mAh/g, all else equal: 30.342 * 195 / 202
    "05_compare_materials": ("nca_composite_mg", 29.290, 0.001),
    # the logits of the fit make the occupancies add up to one
    "06_msmr": ("occupancy_sum", 1.0, 1e-9),
    # three rows (positive, negative, cell), whole and zoom
    "07_readme_picture": ("panels_count", 6, 0),
}


def test_every_example_has_a_truth():
    assert {p.stem for p in EXAMPLES} == set(TRUTHS)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_example_leaves_the_number_it_should(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    left = runpy.run_path(str(path))
    name, value, tolerance = TRUTHS[path.stem]
    assert left[name] == pytest.approx(value, abs=tolerance)
    assert not list(tmp_path.iterdir()), "an example wrote into the working folder"
    assert capsys.readouterr().out or path.stem.endswith("picture")


def test_particles_lost_charged_leave_no_reserve():
    left = runpy.run_path(str(EXAMPLES[3]))
    assert left["lost_charged_percent"] == pytest.approx(-10.0, abs=0.01)
    assert left["hb_percent"] == pytest.approx(-10.0, abs=0.02)


def test_analysis_of_a_simulation_keeps_the_charge_and_finds_h2h3():
    left = runpy.run_path(str(EXAMPLES[8]))
    assert left["area_residual_fraction"] < 1e-12
    # docs/tutorial/first-simulation.md: UP of the slow cycles; the peak just below it
    assert left["upper_potential_volt"] == pytest.approx(4.200, abs=0.002)
    assert left["h2h3_volt"] == pytest.approx(4.187, abs=0.003)


def test_a_wrong_unit_or_sign_is_refused():
    left = runpy.run_path(str(EXAMPLES[9]))
    assert left["refused_count"] == 3
    assert left["efficiency"] == pytest.approx(54 / 60, abs=1e-3)


def test_the_store_answers_as_the_simulation():
    left = runpy.run_path(str(EXAMPLES[10]))
    assert left["problems_count"] == 0
    # the short rate test at 0.1C: 208.0 against 194.4 mAh/g at the nominal n/p
    assert left["advantage_mah_per_g"] == pytest.approx(13.6, abs=1.0)


def test_picture_of_the_readme_is_committed_and_small():
    picture = ROOT / "docs/images/lb-hb.png"
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert picture.stat().st_size < 300_000
