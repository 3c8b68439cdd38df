"""The record of a cell: where it lies, what it may say, what contradicts itself."""

import pytest

from cycler_files import bdf_text, truth
from equipoise.core.errors import DataError, SpecError
from equipoise.io.cell_records import find_record, load_record, record_paths
from equipoise.io.readers.read import read
from equipoise.spec.cell_record import CellRecord


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.mpr", "a"),
        ("a.001", "a"),
        ("a.bdf.csv", "a"),
        ("a.bdf.parquet", "a"),
        ("a.b.csv", "a.b"),
        ("a", "a"),
    ],
)
def test_the_record_lies_beside_the_data(tmp_path, name, stem):
    path = tmp_path / name
    for record in (f"{stem}.cell.toml", f"{name}.cell.toml"):
        beside = tmp_path / record
        beside.write_text('name = "seven"\n')
        assert find_record(path).name == "seven"
        beside.unlink()
    assert find_record(path) == CellRecord()
    assert all(p.parent == tmp_path for p in record_paths(path))


def test_two_records_are_refused(tmp_path):
    (tmp_path / "a.cell.toml").write_text('name = "x"\n')
    (tmp_path / "a.csv.cell.toml").write_text('name = "x"\n')
    with pytest.raises(DataError, match=r"a\.cell\.toml and a\.csv\.cell\.toml"):
        find_record(tmp_path / "a.csv")


def test_changes_win_over_the_file(tmp_path):
    path = tmp_path / "a.cell.toml"
    path.write_text("positive_active_mass_mg = 10\none_c_ma = 2\n")
    found = load_record(path, changes={"one_c_ma": 3.0})
    assert (found.positive_active_mass_mg, found.one_c_ma) == (10.0, 3.0)
    assert load_record(None, changes={"name": "x"}).name == "x"
    assert load_record(None) == CellRecord()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("positive_active_mass_mg = 0\n", "positive_active_mass_mg"),
        ("positive_active_mass_mg = -1\n", "positive_active_mass_mg"),
        ("positive_active_mass_mg = nan\n", "positive_active_mass_mg"),
        ("positive_active_mass_mg = inf\n", "positive_active_mass_mg"),
        ('positive_active_mass_mg = "ten"\n', "positive_active_mass_mg"),
        ("positiv_active_mass_mg = 1\n", "positive_active_mass_mg"),
        ("stack_pressure_mpa = -1\n", "stack_pressure_mpa"),
        ('efficiency = "reversed"\n', "efficiency"),
        ('name = ""\n', "name"),
        ('reference_electrode = "gold"\n', "reference_potential_vs_li_volt"),
        ("name = \n", "a.cell.toml"),
        (
            "one_c_ma = 2\none_c_ma_per_g_positive = 200\n"
            "positive_active_mass_mg = 11\n",
            "which is 2.2 mA for 11 mg",
        ),
    ],
)
def test_a_wrong_record_says_what_is_wrong(tmp_path, text, message):
    path = tmp_path / "a.cell.toml"
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        load_record(path)
    assert message in str(caught.value)
    assert "a.cell.toml" in str(caught.value)


def test_an_absent_record_is_refused(tmp_path):
    with pytest.raises((SpecError, DataError), match="no"):
        load_record(tmp_path / "no.cell.toml")


def test_two_ways_to_say_1c_may_agree():
    both = CellRecord(
        one_c_ma=2.0, one_c_ma_per_g_positive=200.0, positive_active_mass_mg=10.0
    )
    assert both.one_c_ampere == pytest.approx(2e-3)
    alone = CellRecord(one_c_ma_per_g_positive=200.0, positive_active_mass_mg=10.0)
    assert alone.one_c_ampere == pytest.approx(2e-3)
    assert CellRecord(one_c_ma_per_g_positive=200.0).one_c_ampere is None
    assert CellRecord().one_c_ampere is None


def test_the_reference_electrode_gives_the_shift():
    assert CellRecord().reference_shift_volt is None
    assert CellRecord(reference_electrode="li").reference_shift_volt == 0.0
    own = CellRecord(
        reference_electrode="gold", reference_potential_vs_li_volt=3.0, name="x"
    )
    assert own.reference_shift_volt == 3.0
    measured = CellRecord(reference_electrode="li", reference_potential_vs_li_volt=0.01)
    assert measured.reference_shift_volt == 0.01


def test_the_label_is_the_name_or_group_and_replicate():
    assert CellRecord().label == "cell"
    assert CellRecord(group="LB", replicate="2").label == "LB 2"
    assert CellRecord(group="LB", name="x").label == "x"


def test_a_broken_record_stops_the_reading(tmp_path):
    path = tmp_path / "a.bdf.csv"
    path.write_bytes(bdf_text(truth(cycles=1)))
    (tmp_path / "a.cell.toml").write_text("mass = 3\n")
    with pytest.raises(SpecError, match="mass"):
        read(path)
    assert read(path, record=CellRecord()).proven  # the caller's record wins
