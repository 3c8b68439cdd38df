import textwrap
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.io import savemat

from equipoise.core.errors import DataError, SpecError
from equipoise.io.curve_csv import read_csv_columns
from equipoise.io.curve_mat import read_mat_columns
from equipoise.io.halfcells import load_half_cell, read_half_cell
from equipoise.spec.curve_file import CurveFile
from equipoise.spec.validation import validated

DATA = Path(__file__).parents[3] / "shared/data"
real_data = pytest.mark.skipif(
    not (DATA / "halfcell").is_dir(), reason=f"no measured curves in {DATA}"
)
Q = np.linspace(0.0, 200.0, 101)
U = 3.5 + 0.004 * Q  # vs Li


def text(folder, content, name="table.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(textwrap.dedent(content).lstrip("\n").encode(encoding))
    return path


def csv(folder, name, header, *columns, separator=","):
    rows = [
        separator.join(f"{v:.9g}" for v in row) for row in zip(*columns, strict=True)
    ]
    return text(folder, "\n".join(([header] if header else []) + rows), name)


def declaration(**changed):
    branches = {
        k: changed.pop(k) for k in ("delithiation", "lithiation") if k in changed
    }
    content = {
        "name": "my_ncm",
        "role": "positive",
        "reference": "li",
        "source": "test",
    }
    return validated(CurveFile, content | changed | branches, where="cell.toml")


def branch(file="charge.csv", **changed):
    return {
        "file": file,
        "capacity_column": "q",
        "capacity_unit": "mah_per_g",
        "potential_column": "u",
    } | changed


# --- text tables -----------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        "q,u\n0,3.5\n1,3.6\n2.5,3.75\n",
        "q;u\n0;3,5\n1;3,6\n2,5;3,75\n",
        "q\tu\n0\t3.5\n1\t3.6\n2.5\t3.75\n",
        "q   u\n0   3.5\n1   3.6\n2.5 3.75\n",
        "q u\n0 3,5\n1 3,6\n2,5 3,75\n",
        "# a comment\nq, u\n0, 3.5\n\n# another\n1, 3.6\n2.5, 3.75\n",
        'i,"q","u"\n1,0,"3.5"\n2,1,3.6\n3,2.5,3.75\n',
        "q,u\r\n0,3.5e0\r\n1,3.6E0\r\n+2.5,3.75\r\n",
        "\ufeffq,u\n0,3.5\n1,3.6\n2.5,3.75\n",
    ],
    ids=lambda content: repr(content[:8]),
)
def test_all_usual_text_tables_read_alike(tmp_path, content):
    path = tmp_path / "table.csv"
    path.write_bytes(content.encode())
    q, u = read_csv_columns(path, columns=("q", "u"))
    np.testing.assert_array_equal(q, [0.0, 1.0, 2.5])
    np.testing.assert_array_equal(u, [3.5, 3.6, 3.75])


@pytest.mark.parametrize(
    "content", ["0, 3.5\n1, 3.6\n", "0;3,5\n1;3,6\n", "0 3.5\n1 3.6"]
)
def test_columns_of_a_table_without_header_are_numbered(tmp_path, content):
    q, u = read_csv_columns(text(tmp_path, content), columns=("1", "2"))
    np.testing.assert_array_equal(q, [0.0, 1.0])
    np.testing.assert_array_equal(u, [3.5, 3.6])


def test_latin_1_is_read_when_it_is_not_utf_8(tmp_path):
    path = text(tmp_path, "Kapazität;U\n0;3,5\n1;3,6\n", encoding="latin-1")
    q, _ = read_csv_columns(path, columns=("Kapazität", "U"))
    assert q.size == 2


def test_a_declared_separator_and_decimal_sign_are_obeyed(tmp_path):
    path = text(tmp_path, "q|u\n0|3,5\n1|3,6\n")
    q, u = read_csv_columns(path, columns=("q", "u"), separator="|", decimal=",")
    assert (q[1], u[1]) == (1.0, 3.6)


@pytest.mark.parametrize(
    ("content", "columns", "words"),
    [
        ("", ("q", "u"), "the file is empty"),
        ("# only this\n", ("q", "u"), "only comments"),
        ("q,u\n", ("q", "u"), "a header but no rows"),
        ("q,u\n1,2\n", ("q", "v"), r"no column 'v'(?s:.*)known: q, u"),
        ("cap,volt\n1,2\n", ("cap", "volts"), "did you mean 'volt'"),
        ("1,2\n3,4\n", ("q", "2"), r"no column 'q'.*no header(?s:.*)\"1\" to \"2\""),
        ("1,2\n3,4\n", ("1", "3"), "no column '3'"),
        ("q,u\n1,2\n3,x\n", ("q", "u"), r"line 3: column 'u': 'x' is not a number"),
        ("q,u\n1,2\n#\n3,\n", ("q", "u"), r"line 4: column 'u': the cell is empty"),
        ("q,u\n1,2\n3,4,5\n", ("q", "u"), r"line 3: 3 cells, 2 were expected"),
        ("q;u\n1;2.0\n3;4,5\n", ("q", "u"), r"line 3(?s:.*)decimal = \",\""),
    ],
)
def test_a_bad_text_table_is_refused_with_its_place(tmp_path, content, columns, words):
    path = text(tmp_path, content)
    with pytest.raises(DataError, match=words) as caught:
        read_csv_columns(path, columns=columns)
    assert caught.value.where.startswith(str(path))


def test_a_wrong_decimal_sign_is_named(tmp_path):
    path = text(tmp_path, "q;u\n1;2.0\n")
    with pytest.raises(
        DataError, match=r"'2\.0' is not a number(?s:.*)decimal = \"\.\""
    ):
        read_csv_columns(path, columns=("q", "u"), decimal=",")


def test_what_is_not_text_is_refused(tmp_path):
    with pytest.raises(DataError, match="this is a folder"):
        read_csv_columns(tmp_path, columns=("q", "u"))
    with pytest.raises(DataError, match="no such file"):
        read_csv_columns(tmp_path / "absent.csv", columns=("q", "u"))
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    with pytest.raises(DataError, match="binary data"):
        read_csv_columns(tmp_path / "binary", columns=("q", "u"))
    path = text(tmp_path, "q,u\n1,2\n", encoding="utf-16")
    with pytest.raises(DataError, match=r"UTF-16(?s:.*)UTF-8"):
        read_csv_columns(path, columns=("q", "u"))


# --- MATLAB ----------------------------------------------------------------------


def test_the_only_struct_of_a_matlab_file_is_found(tmp_path):
    savemat(tmp_path / "a.mat", {"cell": {"q": Q, "u": U}, "note": "text"})
    q, u = read_mat_columns(tmp_path / "a.mat", columns=("q", "u"))
    np.testing.assert_array_equal(q, Q)
    np.testing.assert_array_equal(u, U)


def test_variables_of_a_matlab_file_are_columns_too(tmp_path):
    savemat(tmp_path / "a.mat", {"q": Q, "u": U})
    q, _ = read_mat_columns(tmp_path / "a.mat", columns=("q", "u"))
    np.testing.assert_array_equal(q, Q)


def test_several_structs_need_a_choice(tmp_path):
    savemat(tmp_path / "a.mat", {"one": {"q": Q, "u": U}, "two": {"q": -Q, "u": U}})
    with pytest.raises(DataError, match=r"2 structs: one, two(?s:.*)struct ="):
        read_mat_columns(tmp_path / "a.mat", columns=("q", "u"))
    q, _ = read_mat_columns(tmp_path / "a.mat", columns=("q", "u"), struct="two")
    np.testing.assert_array_equal(q, -Q)
    with pytest.raises(DataError, match=r"no struct 'twoo'(?s:.*)mean 'two'"):
        read_mat_columns(tmp_path / "a.mat", columns=("q", "u"), struct="twoo")


def test_bad_matlab_files_are_refused(tmp_path):
    savemat(tmp_path / "a.mat", {"cell": {"voltage": U, "name": "x"}})
    with pytest.raises(DataError, match=r"no field 'volts'(?s:.*)mean 'voltage'"):
        read_mat_columns(tmp_path / "a.mat", columns=("voltage", "volts"))
    with pytest.raises(DataError, match="'name' of struct 'cell' is not a vector"):
        read_mat_columns(tmp_path / "a.mat", columns=("voltage", "name"))
    (tmp_path / "new.mat").write_bytes(b"MATLAB 7.3 MAT-file, ..." + b" " * 500)
    with pytest.raises(DataError, match=r"7\.3 \(HDF5\)(?s:.*)-v7"):
        read_mat_columns(tmp_path / "new.mat", columns=("q", "u"))
    (tmp_path / "bad.mat").write_bytes(b"not matlab at all" * 30)
    with pytest.raises(DataError, match="not a readable MATLAB file"):
        read_mat_columns(tmp_path / "bad.mat", columns=("q", "u"))


# --- declarations ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"anode": 1}, "unknown key 'anode'"),
        ({"delithiation": branch(colour="red")}, r"unknown key 'delithiation\.colour'"),
        ({"delithiation": branch(capacity_unit="Ah")}, r"delithiation\.capacity_unit"),
        ({"role": "cathode"}, "role"),
        ({"name": "My NCM"}, "name"),
        ({"delithiation": branch(capacity_unit="mah")}, "active_mass_mg is needed"),
        ({"delithiation": {"file": "a.bdf.csv"}}, "active_mass_mg is needed"),
        ({"delithiation": {"file": "a.mat"}}, r"\.mat file needs.*two fields"),
        ({"delithiation": {"file": "A.MAT"}}, r"\.mat file needs capacity_column"),
        ({"delithiation": branch(capacity_unit=None)}, "capacity_unit is missing"),
        (
            {"delithiation": branch(capacity_unit="normalised")},
            "capacity_span_mah_per_g",
        ),
        ({"delithiation": branch(capacity_span_mah_per_g=210)}, "only for"),
        ({"delithiation": branch(potential_column=None)}, "or neither"),
        ({"delithiation": branch(cycle=1)}, "cycle selects from BDF"),
        (
            {"delithiation": branch(align_to_mah_per_g=1, capacity_offset_mah_per_g=1)},
            "not both",
        ),
    ],
)
def test_a_wrong_declaration_is_refused_with_its_key(changed, words):
    with pytest.raises(SpecError, match=words):
        declaration(**({"delithiation": branch()} | changed))


def test_a_declaration_without_branches_is_refused():
    with pytest.raises(SpecError, match=r"\[delithiation\] or \[lithiation\]"):
        declaration()


# --- half cells ------------------------------------------------------------------


def test_one_branch_stands_for_both_directions(tmp_path):
    csv(tmp_path, "charge.csv", "q,u", Q, U)
    cell = read_half_cell(declaration(delithiation=branch()), folder=tmp_path)
    assert not cell.has_hysteresis
    assert (cell.axis, cell.name, cell.evidence) == (
        "delithiated",
        "my_ncm",
        "measured",
    )
    assert len(cell.treatments) == 1
    np.testing.assert_allclose(cell.delithiation.potential(Q), U, atol=1e-5)


def test_a_discharge_counted_from_zero_begins_where_the_charge_ended(tmp_path):
    csv(tmp_path, "charge.csv", "q,u", Q, U)
    csv(tmp_path, "discharge.csv", "q,u", 0.9 * Q, U[::-1] - 0.03)
    both = declaration(delithiation=branch(), lithiation=branch("discharge.csv"))
    cell = read_half_cell(both, folder=tmp_path)
    assert cell.has_hysteresis
    assert cell.lithiation.stop_mah_per_g == pytest.approx(200.0, abs=1e-6)
    assert cell.lithiation.start_mah_per_g == pytest.approx(20.0, abs=1e-6)
    assert cell.lithiation.potential(200.0) == pytest.approx(U[-1] - 0.03, abs=1e-5)
    assert [t.direction for t in cell.treatments] == ["delithiation", "lithiation"]
    assert cell.treatments[1].reversed_order


@pytest.mark.parametrize(
    ("changed", "start", "stop"),
    [
        ({"capacity_counts": "delithiation"}, 0.0, 200.0),
        (
            {"capacity_counts": "delithiation", "capacity_offset_mah_per_g": 17},
            17.0,
            217.0,
        ),
        ({"capacity_counts": "delithiation", "align_to_mah_per_g": 227}, 27.0, 227.0),
    ],
)
def test_a_discharge_may_count_along_the_axis(tmp_path, changed, start, stop):
    csv(tmp_path, "discharge.csv", "q,u", Q, U)
    cell = read_half_cell(
        declaration(lithiation=branch("discharge.csv", **changed)), folder=tmp_path
    )
    assert cell.lithiation.start_mah_per_g == pytest.approx(start, abs=1e-6)
    assert cell.lithiation.stop_mah_per_g == pytest.approx(stop, abs=1e-6)


@pytest.mark.parametrize("key", ["align_to_mah_per_g", "capacity_offset_mah_per_g"])
def test_a_discharge_counted_from_zero_can_be_placed(tmp_path, key):
    csv(tmp_path, "discharge.csv", "q,u", Q, U[::-1])
    placed = declaration(lithiation=branch("discharge.csv", **{key: 227}))
    curve = read_half_cell(placed, folder=tmp_path).lithiation
    assert curve.start_mah_per_g == pytest.approx(27.0, abs=1e-6)
    assert curve.stop_mah_per_g == pytest.approx(227.0, abs=1e-6)


def test_a_discharge_alone_that_nothing_places_is_refused(tmp_path):
    csv(tmp_path, "discharge.csv", "q,u", Q, U[::-1])
    alone = declaration(lithiation=branch("discharge.csv"))
    with pytest.raises(
        SpecError, match=r"\[lithiation\] alone(?s:.*)align_to_mah_per_g"
    ):
        read_half_cell(alone, folder=tmp_path)


def test_a_negative_counts_lithium_put_in(tmp_path):
    falling = 2.0 - 0.005 * Q
    csv(tmp_path, "in.csv", "q,u", Q, falling)
    csv(tmp_path, "out.csv", "q,u", Q, falling[::-1] + 0.02)
    cell = read_half_cell(
        declaration(
            role="negative",
            lithiation=branch("in.csv"),
            delithiation=branch("out.csv"),
        ),
        folder=tmp_path,
    )
    assert cell.axis == "lithiated"
    np.testing.assert_allclose(cell.lithiation.potential(Q), falling, atol=1e-5)
    np.testing.assert_allclose(
        cell.delithiation.potential(Q), falling + 0.02, atol=1e-5
    )


@pytest.mark.parametrize(
    ("unit", "scale", "extra"),
    [
        ("ah", 5e-6, {"active_mass_mg": 5.0}),
        ("mah", 5e-3, {"active_mass_mg": 5.0}),
        ("mah_per_g", 1.0, {}),
        ("normalised", 1 / 200, {}),
    ],
)
@pytest.mark.parametrize("volts", [True, False])
def test_units_and_references_are_converted(tmp_path, unit, scale, extra, volts):
    measured = (U - 0.62) * (1.0 if volts else 1e3)
    csv(tmp_path, "charge.csv", "q,u", Q * scale, measured)
    span = {"capacity_span_mah_per_g": 200} if unit == "normalised" else {}
    table = branch(
        capacity_unit=unit, potential_unit="volt" if volts else "millivolt", **span
    )
    cell = read_half_cell(
        declaration(reference="in_inli", delithiation=table, **extra), folder=tmp_path
    )
    np.testing.assert_allclose(cell.delithiation.potential(Q), U, atol=1e-5)


@pytest.mark.parametrize(
    ("q", "u", "changed", "words"),
    [
        (Q, 1e3 * U, {}, r"looks like millivolt(?s:.*)potential_unit = \"millivolt\""),
        (Q, U, {"potential_unit": "millivolt"}, "looks like volt"),
        (Q, U + 3.0, {}, r"outside -0\.1 to 5\.5 V"),
        (Q / 200, U, {}, "spans 1 mAh/g"),
        (Q * 5e-3, U, {"capacity_unit": "ah"}, r"\"mah\" would make it 200 mAh/g"),
        (Q * 5e-6, U, {"capacity_unit": "mah"}, r"\"ah\" would make it 200 mAh/g"),
        (Q, U, {"capacity_unit": "mah"}, r"\"mah_per_g\" would make it 200 mAh/g"),
        (Q * 0.03, U, {"capacity_unit": "mah"}, r"1200 mAh/g(?s:.*)active_mass_mg = 5"),
        (
            Q / 2,
            U,
            {"capacity_unit": "normalised", "capacity_span_mah_per_g": 200},
            "normalised capacity spans 100, 0 to 1",
        ),
        (Q, U[::-1], {}, r"charge\.csv \[delithiation\]: the potential falls"),
        (np.full(101, np.nan), U, {}, "capacity column holds no numbers"),
    ],
)
def test_implausible_numbers_are_refused_with_a_hint(tmp_path, q, u, changed, words):
    csv(tmp_path, "charge.csv", "q,u", q, u)
    wrong = declaration(active_mass_mg=5.0, delithiation=branch(**changed))
    with pytest.raises(DataError, match=words):
        read_half_cell(wrong, folder=tmp_path)


def test_a_wrong_reference_is_refused(tmp_path):
    csv(tmp_path, "charge.csv", "q,u", Q, U - 1.55)
    wrong = declaration(reference="lto", delithiation=branch())
    assert read_half_cell(wrong, folder=tmp_path).delithiation.potential(0.0) > 3.4
    with pytest.raises(SpecError, match=r"unknown reference electrode 'indium'"):
        read_half_cell(
            declaration(reference="indium", delithiation=branch()), folder=tmp_path
        )
    csv(tmp_path, "charge.csv", "q,u", Q, U + 0.8)
    with pytest.raises(DataError, match=r"vs 'lto' is .*(?s:.*)possible: li\)"):
        read_half_cell(wrong, folder=tmp_path)


@pytest.mark.parametrize(
    ("file", "columns", "error", "words"),
    [
        ("a.parquet", {"capacity_column": "q"}, SpecError, "Parquet is read as BDF"),
        ("a.xlsx", {"capacity_column": "q"}, DataError, "spreadsheet"),
        ("absent.csv", {"capacity_column": "q"}, DataError, "no such file"),
    ],
)
def test_files_that_cannot_be_read_as_declared_are_refused(
    tmp_path, file, columns, error, words
):
    table = branch(file) if columns else {"file": file}
    wrong = declaration(active_mass_mg=5.0, delithiation=table)
    with pytest.raises(error, match=words):
        read_half_cell(wrong, folder=tmp_path)


def test_a_declaration_file_is_loaded_with_its_curves(tmp_path):
    savemat(tmp_path / "c.mat", {"cell": {"q": Q / 200.0, "u": U}})
    discharge = pl.DataFrame(
        {
            "Test Time / s": np.linspace(0.0, 3600.0, Q.size),
            "Current / A": np.full(Q.size, -1e-3),
            "Voltage / V": U[::-1] + 0.5,
        }
    )
    discharge.write_csv(tmp_path / "d.bdf.csv")
    path = text(
        tmp_path,
        """
        name = "my_ncm"
        role = "positive"
        reference = "li"
        active_mass_mg = 5.0
        like = "ncm85"
        source = "our cycler, cell 12"
        [delithiation]
        file = "c.mat"
        capacity_column = "q"
        capacity_unit = "normalised"
        capacity_span_mah_per_g = 200
        potential_column = "u"
        [lithiation]
        file = "d.bdf.csv"
        """,
        "my_ncm.toml",
    )
    declared, cell = load_half_cell(path)
    assert declared.like == "ncm85"
    assert cell.lithiation.stop_mah_per_g == pytest.approx(200.0, abs=1e-6)
    assert cell.lithiation.start_mah_per_g == pytest.approx(0.0, abs=1e-6)
    assert cell.source == "our cycler, cell 12"


def test_a_declaration_that_is_not_toml_is_refused_with_its_line(tmp_path):
    path = text(tmp_path, 'name = "a"\nrole = positive\n', "bad.toml")
    with pytest.raises(SpecError, match=r"bad\.toml(?s:.*)line 2"):
        load_half_cell(path)
    with pytest.raises(SpecError, match="no such file"):
        load_half_cell(tmp_path / "absent.toml")


# --- measured files --------------------------------------------------------------


@real_data
def test_the_measured_positive_is_read_with_both_branches():
    table = {
        "capacity_column": "normalizedCapacity",
        "potential_column": "voltage",
        "capacity_unit": "normalised",
        "capacity_span_mah_per_g": 210,
        "capacity_offset_mah_per_g": 17,
    }
    name = "tum_LGM36_PE_coin_Cathode_{}_0C02.mat"
    charge = table | {"file": name.format("Delithiation")}
    discharge = table | {
        "file": name.format("Lithiation"),
        "capacity_counts": "delithiation",
    }
    cell = read_half_cell(
        declaration(delithiation=charge, lithiation=discharge),
        folder=DATA / "halfcell",
    )
    q = np.linspace(50.0, 220.0, 50)
    hysteresis = cell.delithiation.potential(q) - cell.lithiation.potential(q)
    assert np.all((hysteresis > 0.005) & (hysteresis < 0.1))
    wrong = {k: v for k, v in discharge.items() if k != "capacity_counts"}
    with pytest.raises(DataError, match=r'set capacity_counts = "delithiation"'):
        read_half_cell(declaration(lithiation=wrong), folder=DATA / "halfcell")


@real_data
def test_the_measured_graphite_counts_lithium_left_in():
    table = {
        "file": "tum_Gr_Delithiation_Rehm.mat",
        "capacity_column": "normalizedCapacity",
        "potential_column": "voltage",
        "capacity_unit": "normalised",
        "capacity_span_mah_per_g": 350,
        "capacity_counts": "lithiation",
    }
    cell = read_half_cell(
        declaration(role="negative", delithiation=table), folder=DATA / "halfcell"
    )
    assert cell.delithiation.potential(340.0) < 0.12 < cell.delithiation.potential(20.0)


@real_data
def test_the_digitised_lto_table_without_header_is_read():
    table = branch(
        "diffthermo_LTO.csv",
        capacity_column="1",
        potential_column="2",
        capacity_counts="delithiation",
    )
    cell = read_half_cell(
        declaration(role="negative", lithiation=table), folder=DATA / "halfcell"
    )
    middle = cell.delithiation.stop_mah_per_g - 85.0
    assert cell.delithiation.potential(middle) == pytest.approx(1.57, abs=0.05)
