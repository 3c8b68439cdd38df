"""What a material has from the user's declaration, and what from the library."""

from dataclasses import replace

import pytest

import equipoise as eqp
from equipoise.core.errors import SpecError
from equipoise.design.states import discharge_curve

BRANCH = """\
[{direction}]
file = "{direction}.csv"
capacity_column = "q"
capacity_unit = "mah_per_g"
potential_column = "u"
capacity_counts = "delithiation"
"""
FROM, TO = 12.0, 225.0  # of the discharge branch, mAh/g


@pytest.fixture
def mine(lb, tmp_path):
    """Write a declaration and put it into LB as its positive."""

    def write(*directions, like="ncm85", **numbers):
        text = ['name = "mine"', 'role = "positive"', 'reference = "li"']
        text.append('source = "made up for a test"')
        if like:
            text.append(f'like = "{like}"')
        text += [f"{key} = {value}" for key, value in numbers.items()]
        for direction in directions:
            begin = 0.0 if direction == "delithiation" else FROM
            rows = ["q,u"]
            for i in range(60):
                q = begin + (TO - begin) * i / 59
                u = 3.4 + q / 250.0 - (0.0 if direction == "delithiation" else 0.03)
                rows.append(f"{q:.6f},{u:.6f}")
            (tmp_path / f"{direction}.csv").write_text("\n".join(rows), "utf-8")
            text.append(BRANCH.format(direction=direction))
        path = tmp_path / "mine.toml"
        path.write_text("\n".join(text), "utf-8")
        return eqp.with_positive(lb, str(path))

    return write


def kept(cell):
    d = eqp.design_cell(cell)
    return d.first_charge_mah_per_g_positive - d.first_discharge_mah_per_g_positive


def caveat(cell):
    return " ".join(c for c in eqp.design_cell(cell).caveats if c.startswith("mine"))


def test_a_charge_alone_takes_the_lock_over_and_says_so(mine):
    cell = mine("delithiation")
    assert cell.locked_capacity_mah_per_g == 27.0
    assert kept(cell) == pytest.approx(27.0, abs=0.1)  # vertical below its end, 3.4 V
    assert "taken over from ncm85" in caveat(cell)
    assert "locked capacity" in caveat(cell)


def test_two_measured_branches_end_where_they_were_measured(mine):
    cell = mine("delithiation", "lithiation")
    assert cell.locked_capacity_mah_per_g is None
    assert discharge_curve(cell) is cell.positive.half_cell.lithiation
    assert kept(cell) == pytest.approx(FROM, abs=1e-6)
    assert "taken over from ncm85" in caveat(cell)
    assert "locked capacity" not in caveat(cell)
    assert not [b for b in eqp.design_cell(cell).bands if "locked" in b.over]


@pytest.mark.parametrize(
    "directions", [("delithiation",), ("delithiation", "lithiation")]
)
def test_a_lock_in_the_declaration_wins_over_that_of_the_library(mine, directions):
    cell = mine(*directions, locked_capacity_mah_per_g=19.0)
    assert cell.locked_capacity_mah_per_g == 19.0
    assert kept(cell) == pytest.approx(19.0, abs=0.1)
    assert "locked capacity" not in caveat(cell)


def test_a_lock_in_the_cell_wins_over_that_of_the_declaration(mine):
    cell = mine("delithiation", locked_capacity_mah_per_g=19.0)
    spec = cell.positive.spec.model_copy(update={"locked_capacity_mah_per_g": 8.0})
    own = replace(cell, positive=replace(cell.positive, spec=spec))
    assert own.locked_capacity_mah_per_g == 8.0
    assert kept(own) == pytest.approx(8.0, abs=0.1)
    assert kept(cell) == pytest.approx(19.0, abs=0.1)


def test_what_is_declared_is_not_taken_over(mine):
    given = caveat(
        mine(
            "delithiation",
            density_g_per_cm3=4.7,
            balancing_capacity_mah_per_g=200.0,
            one_c_ma_per_g=180.0,
        )
    )
    for word in ("density", "balancing", "one c", "1c"):
        assert word not in given.lower(), given
    assert "onset" in given
    assert "volume change" in given
    silent = caveat(mine("delithiation")).lower()
    assert "density" in silent
    assert "balancing" in silent


def test_nothing_is_taken_over_from_nowhere(mine):
    cell = mine(
        "delithiation",
        like=None,
        density_g_per_cm3=4.7,
        balancing_capacity_mah_per_g=200.0,
        one_c_ma_per_g=180.0,
    )
    assert cell.locked_capacity_mah_per_g is None
    assert caveat(cell) == ""
    assert eqp.design_cell(cell).volume_change_percent is None
    with pytest.raises(SpecError, match="density_g_per_cm3 is missing"):
        mine("delithiation", like=None)


def test_a_declared_material_is_never_calibrated(mine):
    for directions in (("delithiation",), ("delithiation", "lithiation")):
        design = eqp.design_cell(mine(*directions))
        assert design.calibrated == ()
        assert "calibrated" not in design.to_dict()["roles"].values()
