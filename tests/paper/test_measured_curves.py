"""Measured curves of commercial cathodes (rehm2025) through the user's route."""

import pytest

import equipoise as eqp

FILES = {
    "lgm36": "tum_LGM36_PE_coin_Cathode_{}_0C02.mat",
    "m35a": "tum_MoliM35A_PE_Cathode_{}_0C02.mat",
}
DECLARATION = """\
name = "{name}"
role = "positive"
reference = "li"
source = "rehm2025, InputData"
like = "ncm85"
"""
BRANCH = """\
[{direction}]
file = "{file}"
capacity_column = "{capacity}"
capacity_unit = "normalised"
capacity_span_mah_per_g = 210
capacity_counts = "delithiation"
capacity_offset_mah_per_g = 17
potential_column = "{potential}"
"""


def fields(path):
    """Names of the capacity and potential fields of the only struct."""
    from scipy.io import loadmat

    content = loadmat(path, squeeze_me=True, struct_as_record=False)
    structs = [v for k, v in content.items() if not k.startswith("__")]
    names = [n for s in structs for n in getattr(s, "_fieldnames", [])]
    capacity = next(n for n in names if "capacity" in n.lower())
    potential = next(n for n in names if "volt" in n.lower())
    return capacity, potential


@pytest.fixture(scope="module")
def designs(shared_data, tmp_path_factory, lb):
    folder = tmp_path_factory.mktemp("curves")
    answers = {}
    for name, pattern in FILES.items():
        text = DECLARATION.format(name=name)
        for direction in ("Delithiation", "Lithiation"):
            path = shared_data / "halfcell" / pattern.format(direction)
            capacity, potential = fields(path)
            text += BRANCH.format(
                direction=direction.lower(),
                file=path,
                capacity=capacity,
                potential=potential,
            )
        declaration = folder / f"{name}.toml"
        declaration.write_text(text)
        answers[name] = eqp.design_cell(eqp.with_positive(lb, str(declaration)))
    return answers


def raw_potential_at(path, capacity_mah_per_g):
    """Straight from the file: potential where the mapped capacity is passed."""
    import numpy as np
    from scipy.io import loadmat

    content = loadmat(path, squeeze_me=True, struct_as_record=False)
    (struct,) = [v for k, v in content.items() if not k.startswith("__")]
    q = 17.0 + 210.0 * struct.normalizedCapacity
    near = np.abs(q - capacity_mah_per_g) < 0.25
    return float(np.median(struct.voltage[near]))


def test_the_measured_lg_curve_is_the_bundled_one(designs, lb):
    # ncm85.toml is made from this file: knots within 0.25 mV, lock and n/p the same
    ours, bundled = designs["lgm36"], eqp.design_cell(lb)
    assert ours.first_charge_mah_per_g_positive == pytest.approx(
        bundled.first_charge_mah_per_g_positive, abs=0.5
    )
    assert ours.upper_potential_vs_li_volt == pytest.approx(
        bundled.upper_potential_vs_li_volt, abs=1e-3
    )
    # both branches are measured, so the discharge goes to the file's own end, 17,
    # and not to the 27 mAh/g that the bundled cell has locked at 0.2C
    assert ours.first_discharge_mah_per_g_positive == pytest.approx(
        ours.first_charge_mah_per_g_positive - 17.0, abs=0.01
    )
    locked = lb.locked_capacity_mah_per_g
    more = ours.first_discharge_mah_per_g_positive - (
        bundled.first_discharge_mah_per_g_positive
    )
    # the file ends at 17, the bundled curve has the lock at the 2.9 V of the cut-off;
    # the two charges differ by the 0.1 mAh/g of the knots
    assert more == pytest.approx(locked - 17.0, abs=0.1)


def test_a_material_that_is_lower_at_210_charges_further_and_ends_lower(
    designs, shared_data
):
    """U_p - U_n = 2.75 V: a lower U_p(q) moves the end down the tail of LTO."""
    raw = {
        name: raw_potential_at(
            shared_data / "halfcell" / pattern.format("Delithiation"), 210.0
        )
        for name, pattern in FILES.items()
    }
    low, high = sorted(raw, key=raw.get)
    assert raw[high] - raw[low] > 1e-3  # else the files would not tell a direction
    assert (
        designs[low].first_charge_mah_per_g_positive
        > designs[high].first_charge_mah_per_g_positive + 0.1
    )
    assert (
        designs[low].upper_potential_vs_li_volt
        < designs[high].upper_potential_vs_li_volt - 1e-3
    )


def test_measured_curves_are_marked_and_not_calibrated(designs):
    for design in designs.values():
        assert design.calibrated == ()
        assert design.np_ratio == 1.1
        assert design.limiting_electrode_end_of_charge == "negative"
