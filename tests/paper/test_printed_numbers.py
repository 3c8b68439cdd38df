"""Numbers printed in zhang2026 (Energy Storage Mater. (2026) 105045), computed again.

Tolerance: half a unit of the last printed digit plus what the rounding of the inputs
does, or the bracket that the project has set itself where the curves are a proxy.
Ids are those of reference_values.csv.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

import equipoise as eqp
from equipoise.core.references import to_vs_li
from equipoise.design.formed import formed
from equipoise.design.states import end_of_charge
from equipoise.spec import library
from equipoise.spec.inventory import Inventory

LB = eqp.load_cell("zhang2026-lb")
HB = eqp.load_cell("zhang2026-hb")
NCM = eqp.load_half_cell_setup("zhang2026-ncm85-inli")
LTO = eqp.load_half_cell_setup("zhang2026-lto-inli")
EXACT = 1e-12


def low():
    return eqp.design_cell(LB)


def high():
    return eqp.design_cell(HB)


def voltage_at(cell, charge_mah_per_g):
    table = eqp.profiles(cell)
    return np.interp(
        charge_mah_per_g,
        table["passed_capacity_mah_per_g_positive"],
        table["voltage_volt"],
    )


def second_charge_upper_potential(cell):
    """End of the second charge: it starts where the first discharge ended."""
    first = formed(cell, Inventory.of(cell))
    rebuilt = Inventory.of(
        cell,
        positive_start_mah_per_g=first.discharged.positive_delithiated_mah_per_g,
        negative_start_mah_per_g=first.discharged.negative_lithiated_mah_per_g,
    )
    return float(end_of_charge(cell, rebuilt).terminal_potential_vs_li_volt)


def share(electrode, name):
    """Printed parts: percent of the composite."""
    return 100.0 * electrode.spec.fractions[name]


@dataclass(frozen=True)
class Printed:
    """Where, our code, the printed value, the tolerance."""

    where: str
    ours: Callable[[], float]
    value: float
    tolerance: float


INPUTS = [  # givens of the design: taken over, not computed
    Printed("B1", lambda: LB.positive_capacity_mah_per_g, 202, EXACT),
    Printed("B2", lambda: LB.negative_capacity_mah_per_g, 132, EXACT),
    Printed("B3", lambda: HB.np_ratio, 1.5, EXACT),
    Printed("B4", lambda: LB.np_ratio, 1.1, EXACT),
    Printed("B5", lambda: LB.one_c_ma_per_g_positive, 190, EXACT),
    Printed("B6", lambda: LTO.working.material.one_c_ma_per_g.value, 175, EXACT),
    Printed("B8", lambda: NCM.counter_potential_vs_li_volt, 0.62, EXACT),
    # middle of the plateau of our table; printed with two decimals
    Printed("B7", lambda: LB.negative.half_cell.lithiation.potential(66.0), 1.55, 5e-3),
    Printed("G4", lambda: LB.spec.separator.mass_mg, 100, EXACT),
    Printed("G5", lambda: LB.positive.spec.diameter_mm, 9, EXACT),
    Printed("G6", lambda: LB.negative.spec.diameter_mm, 10, EXACT),
    Printed("G8", lambda: LB.spec.stack_pressure_mpa, 81, EXACT),
    Printed("G9", lambda: LB.spec.temperature_celsius, 45, EXACT),
    Printed(
        "K1",
        lambda: LB.positive.spec.ionic_conductivity_millisiemens_per_cm,
        0.14,
        EXACT,
    ),
    Printed(
        "K2",
        lambda: LB.positive.spec.electronic_conductivity_millisiemens_per_cm,
        0.048,
        EXACT,
    ),
]

RESULTS = [
    # the brackets: 2 mAh/g, 6 and 4 mV, 0.15 points of volume
    Printed("C1", lambda: high().first_charge_mah_per_g_positive, 227, 2.0),
    Printed("C3", lambda: low().first_charge_mah_per_g_positive, 210, 2.0),
    Printed("T1", lambda: low().upper_potential_vs_li_volt, 4.1919, 0.006),
    Printed("UP of HB", lambda: high().upper_potential_vs_li_volt, 4.300, 0.004),
    Printed("X1", lambda: -high().volume_change_percent, 5.1, 0.15),
    Printed("X2", lambda: -low().volume_change_percent, 4.3, 0.15),
    # the second charge ends in the same state without kinetics; same bracket as T1
    Printed("T2", lambda: second_charge_upper_potential(LB), 4.1931, 0.006),
    # half a digit 5 mV; the plateau of LTO, an input, is printed as 1.55 V: 5 mV more;
    # 210 +- 0.5 mAh/g on a slope of 2 mV per mAh/g: 1 mV. (T1 and the plateau alone
    # give 4.1919 - 1.549 = 2.643 V; the curves follow those.)
    Printed("C5", lambda: voltage_at(HB, 210.0), 2.65, 0.011),
    # half a digit of 131 and of the 132 that scales our curve
    Printed(
        "C8",
        lambda: eqp.design_half_cell(LTO).first_discharge_mah_per_g,
        131,
        1.0,
    ),
    # The quasi-static model has one lock for both cells, 27 mAh/g, the mean of
    # 227 - 198 = 29 and 210 - 185 = 25. So it gives 200 and 183 mAh/g and cannot
    # give both printed numbers: an honest residual of 2 each, half the difference of
    # the two locks; 0.1 is what C1 and C3 are off themselves.
    Printed("C2", lambda: high().first_discharge_mah_per_g_positive, 198, 2.1),
    Printed("C4", lambda: low().first_discharge_mah_per_g_positive, 185, 2.1),
]

GEOMETRY = [  # of the issue and of geometry_implied.csv: half a unit of the last digit
    Printed("LTO mass", lambda: low().weigh.negative_active_mg, 9.10, 0.005),
    Printed("LTO composite", lambda: low().weigh.negative_composite_mg, 30.34, 0.005),
    Printed("LTO composite", lambda: low().weigh.negative_composite_mg, 30.3, 0.05),
    Printed("LTO mass HB", lambda: high().weigh.negative_active_mg, 12.41, 0.005),
    Printed("composite HB", lambda: high().weigh.negative_composite_mg, 41.38, 0.005),
    Printed("CAM mass", lambda: low().weigh.positive_active_mg, 5.407, 5e-4),
    Printed("1C", lambda: low().weigh.one_c_ma, 1.027, 5e-4),
    Printed("cathode area", lambda: low().weigh.positive_area_cm2, 0.6362, 5e-5),
    Printed("ring area", lambda: low().weigh.negative_area_cm2, 0.7854, 5e-5),
    Printed("1C of LTO, LB", lambda: low().weigh.one_c_negative_ma_per_g, 112.9, 0.05),
    Printed("1C of LTO, HB", lambda: high().weigh.one_c_negative_ma_per_g, 82.8, 0.05),
    Printed("1C per area", lambda: low().weigh.one_c_positive_ma_per_cm2, 1.615, 5e-4),
    # 803 um printed from densities rounded to 0.001 g/cm3: 803 * 0.0005/1.865 = 0.2
    Printed("separator", lambda: low().weigh.separator_thickness_um, 803, 0.7),
]


def printed_window():
    window = LB.spec.window
    return [
        Printed("G10 lower", lambda: window.lower_volt, 1.35, EXACT),
        Printed("G10 upper", lambda: window.upper_volt, 2.75, EXACT),
        # sec. 4.6: the same windows against Li, printed with one decimal
        Printed("upper vs Li", lambda: to_vs_li(window.upper_volt, "lto"), 4.3, 0.05),
        Printed("lower vs Li", lambda: to_vs_li(window.lower_volt, "lto"), 2.9, 0.05),
    ]


def recipes():
    cathode = {"ncm85": 68.6, "lpscl": 29.4, "c65": 1.0, "pib": 1.0}
    anode = {"lto": 30, "lpscl": 65, "c65": 5}
    return [
        Printed(f"{where} {name}", lambda e=e, n=name: share(e, n), part, 1e-9)
        for where, e, recipe in (
            ("G1", LB.positive, cathode),
            ("G2", LB.negative, anode),
        )
        for name, part in recipe.items()
    ]


ALL = [*INPUTS, *RESULTS, *GEOMETRY, *printed_window(), *recipes()]


@pytest.mark.parametrize("number", ALL, ids=lambda n: n.where)
def test_printed_number(number):
    assert float(number.ours()) == pytest.approx(number.value, abs=number.tolerance)


def test_one_lock_for_both_cells_divides_its_residual_between_them():
    # 27 mAh/g is the mean of the printed 29 and 25: 2 too much here, 2 too little there
    residuals = [
        high().first_discharge_mah_per_g_positive - 198.0,
        low().first_discharge_mah_per_g_positive - 185.0,
    ]
    assert sum(residuals) == pytest.approx(0.0, abs=0.1)  # of C1 and C3, as above
    assert residuals[0] > 0.0 > residuals[1]


@pytest.mark.parametrize(("design", "printed"), [(high, 198.0), (low, 185.0)])
def test_the_printed_discharge_lies_in_the_band(design, printed):
    band_low, band_high = design().band("first_discharge_mah_per_g_positive")
    assert band_low <= printed <= band_high


def test_the_loading_lies_in_the_printed_range():
    assert 8.0 <= LB.positive.spec.loading_mg_per_cm2 <= 9.0  # G3


def test_low_balancing_spares_the_positive_as_the_paper_says():
    # sec. 2.2 and 2.3: lower charge, lower upper potential, less shrinkage
    a, b = low(), high()
    assert a.first_charge_mah_per_g_positive < b.first_charge_mah_per_g_positive - 10
    assert a.upper_potential_vs_li_volt < b.upper_potential_vs_li_volt - 0.08
    assert a.volume_change_percent > b.volume_change_percent + 0.5


def test_the_cut_off_of_low_balancing_is_reached_on_the_tail_of_lto():
    a = low()
    assert a.upper_potential_vs_li_volt - 2.75 == pytest.approx(
        a.negative_end_of_charge_potential_vs_li_volt
    )
    assert a.negative_end_of_charge_potential_vs_li_volt < 1.55 - 0.1


def test_the_values_above_are_those_of_the_shared_table(shared_data):
    file = shared_data.parent / "paper" / "reference_values.csv"
    with file.open(encoding="utf-8") as lines:
        rows = csv.DictReader(line for line in lines if not line.startswith("#"))
        table = {row["id"]: row["value"] for row in rows}
    checked = 0
    for number in [*INPUTS, *RESULTS]:
        if number.where in table:
            assert float(table[number.where]) == number.value, number.where
            checked += 1
    assert checked >= 24


def test_the_sources_in_the_library_agree_with_the_cells():
    lto, ncm = library.material("lto"), library.material("ncm85")
    assert lto.balancing_capacity_mah_per_g.value == 132.0
    assert ncm.balancing_capacity_mah_per_g.value == 202.0
    assert ncm.one_c_ma_per_g.value == 190.0


GEOMETRY_ROWS = {  # row of geometry_implied.csv -> our number
    "area cathode (9 mm)": lambda: low().weigh.positive_area_cm2,
    "area ring/separator/LTO (10 mm)": lambda: low().weigh.separator_area_cm2,
    "area ratio cathode/ring": lambda: (
        low().weigh.positive_area_cm2 / low().weigh.negative_area_cm2
    ),
    "cathode solid density": lambda: LB.positive.density_g_per_cm3,
    "LTO composite solid density": lambda: LB.negative.density_g_per_cm3,
    "crystal density NCM85": lambda: LB.positive.material.density_g_per_cm3.value,
    "crystal density LPSCl": lambda: LB.separator_material.density_g_per_cm3.value,
    "crystal density LTO": lambda: LB.negative.material.density_g_per_cm3.value,
    "CAM mass at 8.5 mg/cm2": lambda: low().weigh.positive_active_mg,
    "1C current (190 mA/g)": lambda: low().weigh.one_c_ma,
    "LTO mass n/p=1.1": lambda: low().weigh.negative_active_mg,
    "LTO composite mass n/p=1.1": lambda: low().weigh.negative_composite_mg,
    "LTO current density at 1C n/p=1.1": lambda: low().weigh.one_c_negative_ma_per_g,
    "LTO mass n/p=1.5": lambda: high().weigh.negative_active_mg,
    "LTO composite mass n/p=1.5": lambda: high().weigh.negative_composite_mg,
    "LTO current density at 1C n/p=1.5": lambda: high().weigh.one_c_negative_ma_per_g,
    "separator thickness 100 mg porosity 0.15": lambda: (
        low().weigh.separator_thickness_um
    ),
    "cathode L at 10 % porosity": lambda: low().weigh.positive_thickness_um,
    "cathode thickness loading 8.5 porosity 0.05": lambda: thickness(
        LB.positive, low().weigh.positive_active_mg, 0.05
    ),
    "cathode thickness loading 8.5 porosity 0.15": lambda: thickness(
        LB.positive, low().weigh.positive_active_mg, 0.15
    ),
    "LTO layer thickness n/p=1.1 porosity 0.05": lambda: thickness(
        LB.negative, low().weigh.negative_active_mg, 0.05
    ),
    "LTO layer thickness n/p=1.5 porosity 0.15": lambda: thickness(
        HB.negative, high().weigh.negative_active_mg, 0.15
    ),
}


def thickness(electrode, mass_mg, porosity):
    pores = (1.0 - electrode.spec.porosity_fraction) / (1.0 - porosity)
    return electrode.thickness_um(mass_mg) * pores


@pytest.mark.parametrize("row", GEOMETRY_ROWS)
def test_geometry_implied_by_the_paper(row, shared_data):
    file = shared_data / "reference" / "geometry_implied.csv"
    with file.open(encoding="utf-8") as lines:
        rows = csv.DictReader(line for line in lines if not line.startswith("#"))
        values = {r["quantity"]: r["value"] for r in rows}
    text = values[row]
    decimals = len(text.partition(".")[2])
    # half a unit of the last digit, and densities rounded to 0.02 %
    tolerance = 0.5 * 10.0**-decimals + 2.5e-4 * abs(float(text))
    assert GEOMETRY_ROWS[row]() == pytest.approx(float(text), abs=tolerance)
