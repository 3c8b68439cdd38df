"""Slopes, dQ/dV, compensation and energy against exact solves and integrals."""

import numpy as np
import polars as pl
import pytest
from scipy.integrate import trapezoid

import equipoise as eqp
from equipoise.design.formed import formed
from equipoise.design.states import end_of_charge
from equipoise.spec.inventory import Inventory

RATIOS = [0.95, 1.0, 1.1, 1.2, 1.3, 1.5]


@pytest.mark.parametrize("ratio", RATIOS)
def test_charge_per_polarisation_is_the_derivative_of_exact_solves(lb, ratio):
    inventory = Inventory.of(lb, np_ratio=np.full(2, ratio))
    h = 2e-4  # volt; the cell moves by 0.01 mAh/g, less than a node of the table
    state = end_of_charge(lb, inventory, polarisation_volt=[-h, h])
    difference = np.diff(state.positive_delithiated_mah_per_g)[0] / (2.0 * h)
    exact = end_of_charge(lb, Inventory.of(lb, np_ratio=ratio))
    # central differences over two nodes (0.05 mAh/g): the curvature of the tail,
    # U''/U' = 1/4.4 per mAh/g, makes less than 1 %
    assert float(exact.charge_per_polarisation_mah_per_g_per_volt) == pytest.approx(
        difference, rel=0.01
    )


@pytest.mark.parametrize("ratio", RATIOS)
def test_kappa_is_the_share_the_negative_gives_back(lb, ratio):
    h = 2e-4
    inventory = Inventory.of(lb, np_ratio=np.full(2, ratio))
    state = end_of_charge(lb, inventory, polarisation_volt=[-h, h])
    # with more polarisation the negative stops higher, by kappa times as much
    given_back = np.diff(state.negative_potential_vs_li_volt)[0] / (2.0 * h)
    kappa = float(
        end_of_charge(lb, Inventory.of(lb, np_ratio=ratio)).compensation_fraction
    )
    assert kappa == pytest.approx(given_back, abs=0.01)


@pytest.mark.parametrize("fraction", [1.0, 0.95, 0.9])
def test_slopes_of_an_aged_cell_refer_to_the_charge_of_the_cell(lb, fraction):
    h = 2e-4
    inventory = Inventory.of(lb, positive_active_fraction=np.full(2, fraction))
    state = end_of_charge(lb, inventory, polarisation_volt=[-h, h])
    difference = fraction * np.diff(state.positive_delithiated_mah_per_g)[0] / (2.0 * h)
    exact = end_of_charge(lb, Inventory.of(lb, positive_active_fraction=fraction))
    assert float(exact.charge_per_polarisation_mah_per_g_per_volt) == pytest.approx(
        difference, rel=0.01
    )


@pytest.mark.parametrize("direction", ["charge", "discharge"])
def test_inverse_dqdv_of_the_cell_is_the_sum_of_its_electrodes(lb, hb, direction):
    for cell in (lb, hb):
        t = eqp.profiles(cell, direction)
        np.testing.assert_allclose(
            1.0 / t["dqdv_mah_per_g_per_volt"],
            1.0 / t["positive_dqdv_mah_per_g_per_volt"]
            + 1.0 / t["negative_dqdv_mah_per_g_per_volt"],
            rtol=1e-12,
        )


@pytest.mark.parametrize("direction", ["charge", "discharge"])
def test_dqdv_is_the_slope_of_the_profile(lb, direction):
    t = eqp.profiles(lb, direction, points=20001, smoothing_mah_per_g=0.0)
    q, u = (
        t["passed_capacity_mah_per_g_positive"].to_numpy(),
        t["voltage_volt"].to_numpy(),
    )
    slope = np.abs(np.gradient(u, q))
    ours = 1.0 / t["dqdv_mah_per_g_per_volt"].to_numpy()
    inner = slice(600, -600)  # off the steep ends, where one node bends the slope
    np.testing.assert_allclose(ours[inner], slope[inner], rtol=0.03, atol=2e-5)


def test_smoothing_keeps_the_area_and_moves_no_peak(hb):
    raw, smooth = (
        eqp.profiles(hb, points=4001, smoothing_mah_per_g=s) for s in (0.0, 1.0)
    )
    v = raw["voltage_volt"].to_numpy()
    window = (v > 1.95) & (v < 2.70)  # H1-M to H2-H3, off the steep ends
    areas = [
        trapezoid(t["dqdv_mah_per_g_per_volt"].to_numpy()[window], v[window])
        for t in (raw, smooth)
    ]
    # A Gaussian of 1 mAh/g moves charge by far less than it smooths over.
    assert areas[1] == pytest.approx(areas[0], rel=2e-3)
    h2h3 = (v > 2.6) & (v < 2.7)
    peaks = [
        v[h2h3][np.argmax(t["dqdv_mah_per_g_per_volt"].to_numpy()[h2h3])]
        for t in (raw, smooth)
    ]
    assert peaks[1] == pytest.approx(peaks[0], abs=2e-3)


def test_smoothing_takes_the_kinks_of_the_knots_out(hb):
    def roughness(smoothing):
        t = eqp.profiles(hb, points=4001, smoothing_mah_per_g=smoothing)
        inner = t.filter(pl.col("voltage_volt").is_between(2.0, 2.6))
        return np.abs(np.diff(inner["dqdv_mah_per_g_per_volt"], n=2)).sum()

    assert roughness(1.0) < 0.25 * roughness(0.0)


@pytest.mark.parametrize("ratio", RATIOS)
def test_energy_is_the_integral_of_the_profile(lb, ratio):
    cell = lb.with_np_ratio(ratio)
    t = eqp.profiles(cell, "discharge", points=40001)
    area = trapezoid(t["voltage_volt"], t["passed_capacity_mah_per_g_positive"])
    energy = float(formed(cell, Inventory.of(cell)).discharge_energy_wh_per_kg_positive)
    # trapezoids of 0.005 mAh/g on a piecewise linear curve: better than 1e-7
    assert energy == pytest.approx(area, rel=1e-6)


@pytest.mark.parametrize(
    "aged",
    [
        {"positive_active_fraction": 0.8},
        {"negative_active_fraction": 0.85},
        {
            "positive_active_fraction": 0.9,
            "negative_active_fraction": 0.9,
            "lithium_loss_mah_per_g_positive": 5.0,
            "positive_isolated_at_mah_per_g": 150.0,
            "negative_isolated_at_mah_per_g": 30.0,
        },
    ],
    ids=["positive", "negative", "both"],
)
def test_energy_of_an_aged_cell_is_the_integral_of_its_profile(lb, aged):
    inventory = Inventory.of(lb, **aged)
    t = eqp.profiles(lb, "discharge", points=40001, inventory=inventory)
    area = trapezoid(t["voltage_volt"], t["passed_capacity_mah_per_g_positive"])
    energy = float(formed(lb, inventory).discharge_energy_wh_per_kg_positive)
    assert energy == pytest.approx(area, rel=1e-6)  # as above


def test_energy_of_a_polarised_cell_is_the_integral_of_what_its_terminals_show(lb):
    eta = 0.05
    quiet = formed(lb, Inventory.of(lb))
    loud = formed(lb, Inventory.of(lb), polarisation_volt=eta)
    q = float(loud.first_discharge_mah_per_g_positive)
    # from the same charged state it would be exactly eta q; it also starts lower
    difference = float(
        quiet.discharge_energy_wh_per_kg_positive
        - loud.discharge_energy_wh_per_kg_positive
    )
    assert difference > eta * q
    assert float(loud.mean_discharge_volt) == pytest.approx(
        float(quiet.mean_discharge_volt) - eta, abs=0.02
    )


def test_a_finer_table_changes_nothing_a_balance_can_see(lb):
    from dataclasses import replace

    from equipoise.spec.curve import Curve

    q, u = [], []
    for nodes in (2049, 8193, 32769):
        old = lb.negative.half_cell.lithiation
        curve = Curve.sampled(
            lambda x: (
                1.55
                + 0.45 * np.exp(-x / 1.32)
                - 0.55 * np.exp((x / 132.0 - 1.0) / 0.0337)
            ),
            0.0,
            132.0,
            axis="lithiated",
            nodes=nodes,
        )
        assert old.axis == curve.axis
        half_cell = replace(lb.negative.half_cell, delithiation=curve, lithiation=curve)
        state = end_of_charge(lb, Inventory.of(lb), negative=half_cell)
        q.append(float(state.positive_delithiated_mah_per_g))
        u.append(float(state.negative_potential_vs_li_volt))
    # second order: the error falls 16-fold from one table to the next
    assert abs(q[1] - q[2]) < 1e-4
    assert abs(q[0] - q[2]) > 4.0 * abs(q[1] - q[2])
    assert abs(u[1] - u[2]) < 1e-6
