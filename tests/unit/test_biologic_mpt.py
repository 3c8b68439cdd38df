"""EC-Lab's text exports: preambles, decimal signs, encodings, and the same columns."""

import datetime

import numpy as np
import pytest

from equipoise.core.errors import DataError
from equipoise.io.readers.read import read
from equipoise.spec.cell_record import CellRecord

NOTHING = CellRecord()
CHARGE_AH = 2.0123e-3
PREAMBLE = """\
EC-Lab ASCII FILE
Nb header lines : {lines}

Galvanostatic Cycling with Potential Limitation

Run on channel : 13 (SN 77439)
User : somebody
Acquisition started on : {start}
Saved on :
\tFile : private.mpr
\tDirectory : C:\\Users\\somebody\\
\tHost : 10.0.0.1
Device : SP-150 (SN 1)
Electrode material : NCM85
Comments : cell of µ-size
Mass of active material : 5,41 mg
 at x = 0,000
Electrode surface area : 0,001 cm²
Characteristic mass : 0,001 g
Battery capacity : 2,000 mA.h

"""
LABELS = ("mode", "Ns", "time/s", "Ewe/V", "I/mA", "(Q-Qo)/mA.h", "cycle number")


def columns(rows=121):
    seconds = np.linspace(0.0, 7200.0, rows)
    milli = np.where(seconds <= 3600.0, 1e3 * CHARGE_AH, -1e3 * CHARGE_AH)
    net = np.cumsum(np.diff(seconds, prepend=0.0) * milli) / 3600.0
    volts = 3.3091569 + 0.2 * net + 0.05 * np.sign(milli)
    cycle = np.ones(rows)
    return dict(
        zip(LABELS, (cycle, 0 * cycle, seconds, volts, milli, net, cycle), strict=True)
    )


def text(
    cells=None,
    *,
    decimal=".",
    separator="\t",
    trailing=True,
    preamble=True,
    start="05/13/2024 11:19:51.602",
):
    cells = columns() if cells is None else cells
    end = separator if trailing else ""
    lines = [separator.join(cells) + end]
    for row in zip(*cells.values(), strict=True):
        printed = [x if isinstance(x, str) else f"{x:.15E}" for x in row]
        lines.append(separator.join(printed).replace(".", decimal) + end)
    body = "\n".join(lines) + "\n"
    if not preamble:
        return body
    head = PREAMBLE.format(lines=PREAMBLE.count("\n") + 1, start=start)
    return head + body


@pytest.fixture
def put(tmp_path):
    def write(content, name="cell.mpt", encoding="latin-1"):
        path = tmp_path / name
        raw = content if isinstance(content, bytes) else content.encode(encoding)
        path.write_bytes(raw)
        return path

    return write


def levels(recording, level):
    return [f.what for f in recording.findings if f.level == level]


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("trailing", [True, False])
@pytest.mark.parametrize("preamble", [True, False])
def test_numbers_are_the_same_in_every_dialect(put, decimal, trailing, preamble):
    content = text(decimal=decimal, trailing=trailing, preamble=preamble)
    recording = read(put(content), record=NOTHING)
    expected = columns()
    np.testing.assert_allclose(
        recording.table["voltage_volt"], expected["Ewe/V"], rtol=1e-14
    )
    np.testing.assert_allclose(
        recording.table["test_time_second"], expected["time/s"], rtol=1e-14
    )
    assert recording.proven


def test_a_decimal_comma_is_never_a_separator_of_thousands(put):
    # a known tool makes 33091569 V of "3,3091569"
    cells = columns()
    cells["Ewe/V"] = [f"{v:.7f}" for v in cells["Ewe/V"]]
    table = read(put(text(cells, decimal=",", preamble=False)), record=NOTHING).table
    assert table["voltage_volt"].max() < 5.0
    assert table["voltage_volt"][1] == pytest.approx(columns()["Ewe/V"][1], abs=1e-7)


def test_a_voltage_that_lost_its_comma_is_refused(put):
    cells = columns()
    cells["Ewe/V"] = [f"{v:.7f}".replace(".", "") for v in cells["Ewe/V"]]
    with pytest.raises(DataError, match="no instrument measures that"):
        read(put(text(cells)), record=NOTHING)


def test_mixed_decimal_signs_are_refused(put):
    lines = text(decimal=",").splitlines()
    lines[-1] = lines[-1].replace(",", ".")
    with pytest.raises(DataError, match="decimal signs are mixed"):
        read(put("\n".join(lines)), record=NOTHING)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-8-sig", "utf-16"])
def test_every_encoding_is_read(put, encoding):
    recording = read(put(text(), encoding=encoding), record=NOTHING)
    assert recording.metadata["comment"] == "cell of µ-size"
    assert recording.table.height == 121


def test_line_ends_of_windows_are_read(put):
    path = put(text().replace("\n", "\r\n"))
    assert read(path, record=NOTHING).table.height == 121


def test_other_separators_are_read_without_a_preamble(put):
    for separator, decimal in ((",", "."), (";", ",")):
        content = text(separator=separator, decimal=decimal, preamble=False)
        table = read(put(content, "cell.csv"), record=NOTHING).table
        assert table["voltage_volt"][0] == pytest.approx(3.3591569)


def test_a_wrong_number_of_header_lines_does_not_matter(put):
    content = text()
    told = content.splitlines()[1]
    path = put(content.replace(told, "Nb header lines : 3"))
    assert read(path, record=NOTHING).table.height == 121


def test_preamble_is_read_without_names_of_computers(put):
    metadata = read(put(text(decimal=",")), record=NOTHING).metadata
    assert metadata["technique"] == "Galvanostatic Cycling with Potential Limitation"
    assert metadata["channel"] == 13
    assert metadata["active_mass_mg"] == pytest.approx(5.41)
    assert metadata["battery_capacity_ah"] == pytest.approx(2e-3)
    assert str(metadata["started_local"]).startswith("2024-05-13T11:19:51.602")
    assert "electrode_area_cm2" not in metadata  # 0.001 is nobody's entry
    assert not {"host", "user"} & set(metadata)
    assert "somebody" not in str(metadata)


def test_a_german_date_is_read_as_day_and_month(put):
    content = text(start="07.08.2015 15:32:27")
    metadata = read(put(content), record=NOTHING).metadata
    assert metadata["started_local"] == "2015-08-07T15:32:27"


def test_absolute_times_count_from_the_first(put):
    cells = columns()
    start = datetime.datetime(2024, 5, 13, 10, 0, 0, 250000)
    cells["time/s"] = [
        (start + datetime.timedelta(seconds=t)).strftime("%m/%d/%Y %H:%M:%S.250")
        for t in cells["time/s"]
    ]
    recording = read(put(text(cells)), record=NOTHING)
    np.testing.assert_allclose(
        recording.table["test_time_second"], columns()["time/s"], atol=1e-5
    )
    assert recording.proven
    assert str(recording.metadata["first_row_local"]).startswith(
        "2024-05-13T10:00:00.25"
    )


def test_case_matters_in_labels(put):
    cells = columns()
    net = cells.pop("(Q-Qo)/mA.h")
    cells["dq/mA.h"] = np.diff(net, prepend=0.0)
    cells["dQ/mA.h"] = np.where(cells["I/mA"] > 0, net, net - net.max())
    recording = read(put(text(cells)), record=NOTHING)
    proofs = [w for w in levels(recording, "proven") if "unit" in w]
    assert sorted(proofs) == [
        "current: unit (dQ/mA.h)",
        "current: unit (dQ/mA.h)",
        "current: unit (dq/mA.h)",
    ]


def test_charges_of_half_cycles_are_counters(put):
    cells = columns()
    net = cells.pop("(Q-Qo)/mA.h")
    up = cells["I/mA"] > 0
    cells["Q charge/mA.h"] = np.where(up, net, 0.0)
    cells["Q discharge/mA.h"] = np.where(up, 0.0, net.max() - net)
    recording = read(put(text(cells)), record=NOTHING)
    assert recording.proven
    assert recording.table["discharging_capacity_ah"][-1] == pytest.approx(
        CHARGE_AH, rel=0.01
    )


def test_a_capacity_in_another_unit_is_found_out(put):
    cells = columns()
    cells["(Q-Qo)/mA.h"] = 1e-3 * cells["(Q-Qo)/mA.h"]
    with pytest.raises(DataError, match=r"'\(Q-Qo\)/mA\.h' counted"):
        read(put(text(cells)), record=NOTHING)


def test_current_in_ampere_is_read(put):
    cells = columns()
    cells["I/A"] = 1e-3 * cells.pop("I/mA")
    assert read(put(text(cells)), record=NOTHING).proven


def test_spectra_have_the_true_sign(put):
    cells = {
        "freq/Hz": [1e3, 1.0], "Re(Z)/Ohm": [5.0, 6.0], "-Im(Z)/Ohm": [1.5, -2.5],
        "time/s": [0.0, 1.0], "<Ewe>/V": [3.0, 3.0], "<I>/mA": [0.1, -0.1],
    }  # fmt: skip
    table = read(put(text(cells)), record=NOTHING).table
    assert table["imaginary_impedance_ohm"].to_list() == [-1.5, 2.5]


def test_a_broken_degree_sign_is_mended(put):
    for label in ("Temperature/°C", "Temperature/øC", "Temperature/Â°C"):
        cells = columns() | {"Temperature/°C": np.linspace(24.5, 25.5, 121)}
        content = text(cells).replace("Temperature/°C", label)
        table = read(put(content), record=NOTHING).table
        assert table["temperature_t1_celsius"][-1] == pytest.approx(25.5)


def test_text_in_other_columns_stays_text(put):
    cells = columns() | {"I Range": ["10 mA"] * 60 + ["1 mA"] * 61}
    assert read(put(text(cells)), record=NOTHING).table["I Range"][0] == "10 mA"


def test_a_missing_column_is_named(put):
    for label, message in (("Ewe/V", "no line names"), ("I/mA", "the current")):
        cells = columns()
        del cells[label], cells["(Q-Qo)/mA.h"]
        with pytest.raises(DataError, match=message):
            read(put(text(cells)), reader="biologic-mpt", record=NOTHING)


def test_two_separators_in_the_line_of_names_are_refused(put):
    header, rows = text(preamble=False).split("\n", 1)
    content = header.replace("time/s\t", "time/s;", 1) + "\n" + rows
    with pytest.raises(DataError, match="use one separator"):
        read(put(content), record=NOTHING)


def test_a_column_twice_is_refused(put):
    content = text(preamble=False).replace("cycle number", "I/mA")
    with pytest.raises(DataError, match="is there 2 times"):
        read(put(content), record=NOTHING)


def test_a_cut_line_can_be_left_out_on_request(put):
    path = put(text()[:-40])
    with pytest.raises(DataError, match="--repair last-row"):
        read(path, record=NOTHING)
    assert read(path, record=NOTHING, repair=["last-row"]).table.height == 120


def test_own_columns_against_lithium_need_no_record(put):
    cells = columns()
    volts = cells["Ewe/V"]
    cells["Ece/V"] = np.linspace(0.2, 0.1, volts.size)
    cells["Ewe-Ece/V"] = volts
    cells["Ewe/V"] = volts + cells["Ece/V"]
    cells["Ewe/VReal"] = cells["Ewe/V"] + 0.31
    cells["Ece/VReal"] = cells["Ece/V"] + 0.31
    recording = read(put(text(cells)), record=CellRecord(reference_electrode="lto"))
    np.testing.assert_allclose(
        recording.table["negative_electrode_potential_volt"],
        cells["Ece/VReal"],
        rtol=1e-12,
    )
    assert recording.metadata["reference_potential_vs_li_volt"] == pytest.approx(0.31)
    assert "electrode potentials" in levels(recording, "look")  # the record says 1.55 V


# real files --------------------------------------------------------------------


def test_a_real_three_electrode_cell_is_read(shared_data):
    path = shared_data / "biologic" / "pybop_Tesla4680_Tcell_pOCV_data.txt"
    recording = read(path, record=NOTHING)
    table = recording.table
    assert table.height == 9740
    difference = (
        table["positive_electrode_potential_volt"]
        - table["negative_electrode_potential_volt"]
        - table["voltage_volt"]
    )
    assert difference.abs().max() < 1e-3
    assert table["positive_electrode_potential_volt"][0] == pytest.approx(3.6191569)
    assert table["negative_electrode_potential_volt"][0] == pytest.approx(0.51197234)
    assert table["Ewe/V"][0] == pytest.approx(3.3091569)
    assert recording.metadata["reference_potential_vs_li_volt"] == pytest.approx(0.31)
    proof = next(
        f for f in recording.findings if f.what == "current: unit (Capacity/mA.h)"
    )
    assert proof.level == "proven"
    assert abs(proof.residual_ratio) < 1e-3
    # the file's own areal capacity is kept; Capacity over it is one area
    assert table["arealCapacity"].is_finite().all()


def test_a_real_spectrum_is_read(shared_data):
    path = shared_data / "eis" / "impedance_py" / "exampleDataBioLogic.mpt"
    recording = read(path, record=NOTHING)
    assert recording.table.height == 43
    assert recording.table["frequency_hertz"][0] == pytest.approx(1.0003201e3)
    assert recording.table["imaginary_impedance_ohm"][0] == pytest.approx(-3.8998979e-1)
    assert recording.table["|Z|/Ohm"].to_numpy() == pytest.approx(
        np.hypot(
            recording.table["real_impedance_ohm"],
            recording.table["imaginary_impedance_ohm"],
        ),
        rel=1e-6,
    )
    assert not recording.proven
