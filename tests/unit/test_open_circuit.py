import numpy as np
import pytest

from equipoise.core.constants import FARADAY_C_PER_MOL, GAS_CONSTANT_J_PER_MOL_K
from equipoise.spec import library
from equipoise.spec.material import (
    MsmrBranch,
    MsmrTerm,
    TableCurve,
    TailedPlateau,
    TanhCurve,
)
from equipoise.spec.open_circuit import half_cell, msmr_lithium_content

ABOUT = {"source": "a test", "evidence": "assumed"}


def lto():
    return half_cell("lto", library.material("lto").open_circuit)


def test_lto_passes_the_points_it_is_pinned_to():
    # zhang2026 B7, B2 and T1 with n/p 1.1: see the note in lto.toml
    u = lto().lithiation.potential([66.0, 132.0, 132.0 * 210.0 / (1.1 * 202.0)])
    assert u[0] == pytest.approx(1.55, abs=1e-4)
    assert u[1] == pytest.approx(1.00, abs=1e-9)
    assert u[2] == pytest.approx(4.1919 - 2.75, abs=5e-4)


def test_the_table_of_lto_is_its_closed_form():
    y = np.linspace(0.0, 1.0, 4001)
    form = 1.55 + 0.45 * np.exp(-y / 0.010) - 0.55 * np.exp((y - 1.0) / 0.0337)
    # linear between nodes 1/8192 apart: error <= h^2/8 max|U''| = 1e-8/8 * 4500 V
    np.testing.assert_allclose(
        lto().lithiation.potential(132.0 * y), form, atol=9e-6, rtol=0
    )


def test_a_delithiated_plateau_runs_the_other_way():
    form = library.material("lto").open_circuit.model_copy(
        update={"axis": "delithiated"}
    )
    out = half_cell("lto", form).delithiation
    np.testing.assert_allclose(
        out.potential([0.0, 66.0, 132.0]),
        lto().lithiation.potential([132.0, 66.0, 0.0]),
        atol=1e-12,
    )


def test_ncm85_has_two_branches_and_charges_above_its_discharge():
    ncm = half_cell("ncm85", library.material("ncm85").open_circuit)
    assert ncm.has_hysteresis
    q = np.linspace(60.0, 225.0, 100)
    gap = ncm.delithiation.potential(q) - ncm.lithiation.potential(q)
    assert gap.min() > 0.005
    assert gap.max() < 0.045  # 26-39 mV above 60 mAh/g, see the caveat in ncm85.toml


def test_one_branch_of_a_table_stands_for_both():
    form = TableCurve(
        form="table",
        axis="lithiated",
        lithiation={
            "capacity_mah_per_g": [0, 1, 2, 3],
            "potential_vs_li_volt": [1.0, 0.5, 0.2, 0.1],
            "measured_from_mah_per_g": 0,
            "measured_to_mah_per_g": 3,
        },
        **ABOUT,
    )
    curves = half_cell("x", form)
    assert curves.delithiation is curves.lithiation
    assert not curves.has_hysteresis


@pytest.mark.parametrize(
    ("capacity", "potential", "word"),
    [
        ([0, 1, 1, 2], [3.0, 3.1, 3.2, 3.3], "rise strictly"),
        ([0, 2, 1, 3], [3.0, 3.1, 3.2, 3.3], "rise strictly"),
        ([0, 1, 2, 3, 4], [3.0, 3.1, 3.2, 3.3], "5 capacities but 4 potentials"),
        ([0, 1, 2], [3.0, 3.1, 3.2], "at least 4"),
        ([0, 1, 2, float("nan")], [3.0, 3.1, 3.2, 3.3], "finite"),
        ([0, 1, 2, 3], [3.0, 3.1, 3.2, float("inf")], "finite"),
    ],
)
def test_bad_knots_are_refused(capacity, potential, word):
    branch = {
        "capacity_mah_per_g": capacity,
        "potential_vs_li_volt": potential,
        "measured_from_mah_per_g": 0,
        "measured_to_mah_per_g": 3,
    }
    with pytest.raises(ValueError, match=word):
        TableCurve(form="table", axis="delithiated", delithiation=branch, **ABOUT)


def test_a_table_without_branches_is_refused():
    with pytest.raises(ValueError, match="needs a delithiation or a lithiation"):
        TableCurve(form="table", axis="delithiated", **ABOUT)


def test_a_constant_is_the_same_everywhere():
    curve = half_cell("in_inli", library.material("in_inli").open_circuit).lithiation
    np.testing.assert_array_equal(curve.potential([0.0, 100.0, 233.4]), 0.62)


def test_hyperbolic_tangents_are_summed_over_the_lithium_content():
    form = TanhCurve(
        form="tanh",
        axis="delithiated",
        capacity_mah_per_g=200.0,
        offset_vs_li_volt=4.0,
        slope_volt=-1.0,
        terms=[{"height_volt": -0.1, "steepness": 5.0, "centre": 0.5}],
        measured_from_mah_per_g=20.0,
        measured_to_mah_per_g=180.0,
        **ABOUT,
    )
    curve = half_cell("x", form).delithiation
    expected = 4.0 - 0.3 - 0.1 * np.tanh(5.0 * (0.3 - 0.5))
    assert curve.potential(140.0) == pytest.approx(expected, abs=1e-7)
    assert (curve.measured_from_mah_per_g, curve.measured_to_mah_per_g) == (20, 180)


def test_half_of_a_reaction_is_used_at_its_standard_potential():
    branch = MsmrBranch(
        terms=(
            MsmrTerm(
                standard_potential_vs_li_volt=3.7, occupancy_fraction=1.0, omega=2.0
            ),
        ),
        valid_from_vs_li_volt=3.0,
        valid_to_vs_li_volt=4.3,
        rmse_millivolt=0.0,
    )
    thermal = GAS_CONSTANT_J_PER_MOL_K * 298.15 / FARADAY_C_PER_MOL
    u = np.array([3.7, 3.7 + 2.0 * thermal, 3.7 - 2.0 * thermal])
    x = msmr_lithium_content(branch, u, 25.0)
    np.testing.assert_allclose(x, [0.5, 1 / (1 + np.e), 1 / (1 + 1 / np.e)], rtol=1e-12)


def test_the_msmr_reading_of_ncm85_is_near_its_table():
    material = library.material("ncm85")
    table = half_cell("ncm85", material.open_circuit)
    form = material.alternative_open_circuit["msmr"]
    fitted = half_cell("ncm85", form)
    for name in ("delithiation", "lithiation"):
        ours, theirs = getattr(fitted, name), getattr(table, name)
        # 10 mAh/g off the ends, where the fit is no longer valid (3.53-4.295 V)
        q = np.linspace(45.0, 217.0, 200)
        off = ours.potential(q) - theirs.potential(q)
        rmse = getattr(form, name).rmse_millivolt * 1e-3
        assert np.sqrt(np.mean(off**2)) < 2.0 * rmse


def test_variants_of_the_tail_meet_the_plateau(lb):
    for curves in lb.negative.variants.values():
        assert curves.lithiation.potential(66.0) == pytest.approx(1.55, abs=1e-3)
    assert set(lb.negative.variants) == {"ma2007", "narrow"}
    assert isinstance(library.material("lto").open_circuit, TailedPlateau)
