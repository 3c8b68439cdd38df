"""EC-Lab's binary files: layouts, columns, signs, and what cannot be read."""

import datetime
import struct
import time

import numpy as np
import polars as pl
import pytest

from equipoise.core.errors import DataError
from equipoise.io.readers.biologic_ids import FLAGS, IDS
from equipoise.io.readers.read import read
from equipoise.spec.cell_record import CellRecord

OLE_START = (
    datetime.datetime(2024, 9, 2, 13, 49) - datetime.datetime(1899, 12, 30)
) / (datetime.timedelta(days=1))
RECORDS_AT = {0: 100, 2: 405, 3: 406, 10: 1007, 11: 1007}
NOTHING = CellRecord()


def module(name, payload, *, version, new, date=b"09/02/24"):
    head = b"MODULE" + name.ljust(10) + name.ljust(25)
    if new:
        head += struct.pack("<IIII", 0xFFFFFFFF, len(payload), 0, version) + date
    else:
        head += struct.pack("<II", len(payload), version) + date
    return head + payload


def settings_payload(comment=b"a cell", mass=8.582):
    payload = bytearray(7000)
    payload[0] = 0x04
    payload[7 : 8 + len(comment)] = bytes([len(comment)]) + comment
    struct.pack_into("<f", payload, 0x107, mass)
    struct.pack_into("<f", payload, 0x24C, 0.001)  # not entered
    return bytes(payload)


def log_payload(start=OLE_START):
    payload = bytearray(3000)
    payload[9] = 8
    struct.pack_into("<d", payload, 0x249, start)
    return bytes(payload)


def data_payload(columns, *, version, points=None, extra=b"", unknown=None):
    """Records of {number: values}; number of flags holds the whole byte."""
    formats = []
    for number in columns:
        if number in FLAGS:
            formats.append("<u1")
        else:
            formats.append(
                "<" + (unknown or {}).get(number, IDS.get(number, ("", ""))[1])
            )
    names = [str(n) for n in columns]
    rows = np.zeros(
        len(next(iter(columns.values()))),
        np.dtype(list(zip(names, formats, strict=True))),
    )
    for number, values in columns.items():
        rows[str(number)] = values
    ids = [m for n in columns for m in (FLAGS if n in FLAGS else (n,))]
    points = rows.size if points is None else points
    if version >= 10:
        head = struct.pack("<IH", points, len(ids))
    else:
        head = struct.pack("<IB", points, len(ids))
    head += struct.pack(f"<{len(ids)}{'B' if version == 0 else 'H'}", *ids)
    return head.ljust(RECORDS_AT[version], b"\0") + rows.tobytes() + extra


def build(columns, *, version=11, log=True, tail=b"", **kwargs):
    new = version >= 10
    raw = b"BIO-LOGIC MODULAR FILE\x1a".ljust(48) + bytes(4)
    raw += module(b"VMP Set", settings_payload(), version=10 * new, new=new)
    raw += module(
        b"VMP data",
        data_payload(columns, version=version, **kwargs),
        version=version,
        new=new,
    )
    if log:
        raw += module(b"VMP LOG", log_payload(), version=10 * new, new=new)
    return raw + tail


CHARGE_AH = 2.0123e-3


def cycling(rows=121, *, current_ma=1e3 * CHARGE_AH):
    """An hour of charge, an hour of discharge: what a GCPL holds."""
    seconds = np.linspace(0.0, 7200.0, rows)
    milli = np.where(seconds <= 3600.0, current_ma, -current_ma)
    dq = np.diff(seconds, prepend=0.0) * milli / 3600.0
    net = np.cumsum(dq)
    volts = 3.0 + 0.4 * net / current_ma + 0.05 * np.sign(milli)
    return {"t": seconds, "mA": milli, "dq": dq, "net": net, "V": volts}


def measured():
    c = cycling()
    return {4: c["t"], 6: c["V"], 8: c["mA"], 13: c["net"]}


def counted():
    """As EC-Lab stores it: no current, but the charge and the set current."""
    c = cycling()
    flags = np.where(c["mA"] > 0, 1 + 4, 1)
    return {
        1: flags,
        131: c["mA"] < 0,
        4: c["t"],
        7: c["dq"],
        13: c["net"],
        5: c["mA"],
        6: c["V"],
    }


@pytest.fixture
def put(tmp_path):
    def write(raw, name="cell.mpr"):
        path = tmp_path / name
        path.write_bytes(raw)
        return path

    return write


def levels(recording, level):
    return [f.what for f in recording.findings if f.level == level]


@pytest.mark.parametrize("version", [2, 3, 10, 11])
def test_every_version_of_the_data_is_read(put, version):
    columns = measured()
    table = read(put(build(columns, version=version)), record=NOTHING).table
    np.testing.assert_array_equal(table["test_time_second"], columns[4])
    np.testing.assert_array_equal(
        table["voltage_volt"], columns[6].astype(np.float32).astype(np.float64)
    )
    np.testing.assert_allclose(table["current_ampere"], columns[8] * 1e-3, rtol=1e-7)


def test_the_oldest_version_has_small_numbers(put):
    table = read(put(build(measured(), version=0)), record=NOTHING).table
    assert table.height == 121


def test_a_layout_of_the_neighbouring_version_is_found_by_the_size(put):
    raw = build(measured(), version=3).replace(
        b"VMP data".ljust(25) + raw_length(measured(), 3),
        b"VMP data".ljust(25) + raw_length(measured(), 3, as_version=2),
    )
    assert read(put(raw), record=NOTHING).table.height == 121


def raw_length(columns, version, *, as_version=None):
    size = len(data_payload(columns, version=version))
    return struct.pack("<II", size, version if as_version is None else as_version)


def test_unit_and_sign_are_proved_by_the_counter(put):
    recording = read(put(build(measured())), record=NOTHING)
    assert recording.proven
    proof = next(
        f for f in recording.findings if "(Q-Qo)" in f.what and f.level == "proven"
    )
    assert abs(proof.residual_ratio) < 0.01
    assert recording.table["charging_capacity_ah"][-1] == pytest.approx(
        CHARGE_AH, rel=0.01
    )
    assert recording.table["discharging_capacity_ah"][-1] == pytest.approx(
        2e-3, rel=0.01
    )


def test_a_current_of_another_unit_contradicts_the_counter(put):
    columns = measured()
    columns[8] = columns[8] * 1000.0
    with pytest.raises(DataError, match="the integral of the current is"):
        read(put(build(columns)), record=NOTHING)


def test_a_current_of_the_wrong_sign_is_refused(put):
    columns = measured()
    columns[8] = -columns[8]
    with pytest.raises(DataError, match="sign"):
        read(put(build(columns)), record=NOTHING)


def test_without_a_current_it_is_the_charge_over_the_time(put):
    recording = read(put(build(counted())), record=NOTHING)
    c = cycling()
    np.testing.assert_allclose(
        recording.table["current_ampere"][1:], 1e-3 * c["mA"][1:], rtol=1e-6
    )
    assert recording.table["current_ampere"][0] == pytest.approx(CHARGE_AH)
    assert "current: unit (control)" in levels(recording, "proven")
    assert "current: sign" in levels(recording, "proven")
    # the charge that gave the current is no witness of it
    assert not [w for w in levels(recording, "proven") if "Q-Qo" in w or "dq" in w]
    assert recording.table["net_capacity_ah"].max() == pytest.approx(
        CHARGE_AH, rel=1e-6
    )


def test_without_a_set_current_nothing_proves_a_derived_one(put):
    columns = counted()
    del columns[5]
    recording = read(put(build(columns)), record=NOTHING)
    assert "current: unit" in levels(recording, "not proven")
    assert not [w for w in levels(recording, "proven") if "unit" in w]


def test_a_set_current_far_from_the_charge_is_refused(put):
    columns = counted()
    columns[5] = columns[5] * 1000.0
    with pytest.raises(DataError, match="contradicts the set current"):
        read(put(build(columns)), record=NOTHING)


def test_a_derived_current_survives_rows_of_the_same_time(put):
    columns = counted()
    columns[4] = columns[4].copy()
    columns[4][11], columns[7][11] = columns[4][10], 0.0
    table = read(put(build(columns)), record=NOTHING).table
    assert table["current_ampere"][11] == pytest.approx(CHARGE_AH)  # the set one
    assert table["current_ampere"].is_finite().all()


def test_rest_without_any_current_column_is_rest(put):
    raw = build({1: [3, 3], 4: [0.0, 10.0], 6: [3.1, 3.1]})
    table = read(put(raw), record=NOTHING).table
    assert table["current_ampere"].to_list() == [0.0, 0.0]


def test_potentiostatic_rows_without_a_current_are_refused(put):
    raw = build({1: [1, 2], 4: [0.0, 10.0], 5: [1.0, 3.2], 6: [3.1, 3.1]})
    with pytest.raises(DataError, match="not galvanostatic, first row 2"):
        read(put(raw), record=NOTHING)


def test_a_potential_alone_is_no_time_series(put):
    with pytest.raises(DataError, match="current"):
        read(put(build({4: [0.0, 1.0], 6: [3.0, 3.1]})), record=NOTHING)


# electrodes --------------------------------------------------------------------


def three_electrodes():
    columns = measured()
    ewe = columns[6]
    columns[9] = 0.9 * np.ones(ewe.size) - 0.1 * columns[13]
    columns[6] = ewe + columns[9]
    return columns, ewe


def test_voltage_is_working_minus_counter_electrode(put):
    columns, volts = three_electrodes()
    recording = read(put(build(columns)), record=NOTHING)
    np.testing.assert_allclose(recording.table["voltage_volt"], volts, atol=1e-6)
    assert recording.metadata["reference_electrode"] is None
    assert "electrode potentials" in levels(recording, "look")


def test_potentials_are_shifted_by_the_reference_of_the_record(put):
    columns, volts = three_electrodes()
    record = CellRecord(reference_electrode="in_inli")
    recording = read(put(build(columns)), record=record)
    shift = record.reference_shift_volt
    np.testing.assert_allclose(
        recording.table["positive_electrode_potential_volt"],
        columns[6] + shift,
        atol=1e-6,
    )
    np.testing.assert_allclose(
        recording.table["negative_electrode_potential_volt"],
        columns[9] + shift,
        atol=1e-6,
    )
    np.testing.assert_allclose(recording.table["voltage_volt"], volts, atol=1e-6)
    assert recording.metadata["reference_potential_vs_li_volt"] == shift


def test_a_counter_electrode_at_zero_is_the_reference(put):
    columns = measured()
    columns[9] = np.full(columns[6].size, 2e-4)
    recording = read(put(build(columns)), record=NOTHING)
    assert "positive_electrode_potential_volt" not in recording.table.columns
    np.testing.assert_allclose(recording.table["voltage_volt"], columns[6], atol=1e-6)


def test_a_measured_difference_must_agree_with_the_electrodes(put):
    columns, volts = three_electrodes()
    columns[27] = volts + 0.01
    with pytest.raises(DataError, match="differs from the voltage by 10 mV"):
        read(put(build(columns)), record=NOTHING)


# spectra -----------------------------------------------------------------------


def test_the_imaginary_part_has_its_true_sign(put):
    raw = build(
        {
            32: [1e3, 1.0],
            37: [5.0, 6.0],
            38: [1.5, 2.5],
            4: [0.0, 1.0],
            77: [3.0, 3.0],
            76: [0.1, -0.1],
        }
    )
    table = read(put(raw), record=NOTHING).table
    assert table["imaginary_impedance_ohm"].to_list() == [-1.5, -2.5]
    assert table["real_impedance_ohm"].to_list() == [5.0, 6.0]
    assert table["frequency_hertz"].to_list() == [1e3, 1.0]


def test_rows_of_no_spectrum_have_no_frequency(put):
    columns = measured()
    rows = columns[4].size
    columns[32] = np.where(np.arange(rows) < 3, 10.0, 0.0)
    columns[37] = np.where(np.arange(rows) < 3, 5.0, 0.0)
    columns[38] = np.zeros(rows)
    table = read(put(build(columns)), record=NOTHING).table
    assert table["frequency_hertz"].null_count() == rows - 3
    assert table["real_impedance_ohm"].null_count() == rows - 3


def test_the_noise_of_a_spectrum_is_no_sign_of_the_current(put):
    # the voltage falls where the current is above zero, but both alternate
    raw = build(
        {32: [1e3] * 4, 37: [5.0] * 4, 38: [1.0] * 4, 4: [0.0, 1.0, 2.0, 3.0],
         77: [3.3, 3.2, 3.1, 3.0], 76: [0.1] * 4, 13: [0.0, -1.0, -2.0, -3.0]}
    )  # fmt: skip
    assert not read(put(raw), record=NOTHING).proven


# columns -----------------------------------------------------------------------


def test_an_unknown_column_is_kept_if_the_size_leaves_one_width(put):
    columns = measured()
    columns[903] = np.linspace(1.0, 2.0, columns[4].size)
    recording = read(put(build(columns, unknown={903: "f8"})), record=NOTHING)
    np.testing.assert_array_equal(recording.table["unknown column 903"], columns[903])
    assert "unknown column 903" in levels(recording, "look")


def test_two_unknown_columns_of_open_widths_are_refused_by_number(put):
    columns = measured()
    columns[903] = columns[878] = np.zeros(columns[4].size)
    raw = build(columns, unknown={903: "u1", 878: "f4"})
    with pytest.raises(DataError, match="903, 878; 2 choices"):
        read(put(raw), record=NOTHING)


def test_an_unknown_column_that_no_width_explains_is_refused(put):
    columns = measured()
    columns[903] = np.zeros(columns[4].size)
    raw = build(columns, unknown={903: "f4"}, extra=b"\0" * columns[4].size)
    with pytest.raises(DataError, match="number 903; no choice"):
        read(put(raw), record=NOTHING)


def test_all_flags_share_one_byte(put):
    table = read(put(build(counted())), record=NOTHING).table
    np.testing.assert_array_equal(table["ox/red"], cycling()["mA"] > 0)
    assert table["step_index"].to_list() == [int(x < 0) for x in cycling()["mA"]]


def test_a_charge_that_starts_anew_is_added_up(put):
    columns = measured()
    net = columns[13].copy()
    net[61:] -= net[60]  # the discharge counts from zero again
    columns[13] = net
    recording = read(put(build(columns)), record=NOTHING)
    assert "(Q-Qo)/mA.h" in levels(recording, "look")
    assert recording.table["net_capacity_ah"][60] == pytest.approx(CHARGE_AH, rel=0.01)
    assert recording.table["net_capacity_ah"][-1] == pytest.approx(0.0, abs=1e-4)


def test_charges_of_half_cycles_are_two_counters(put):
    columns = measured()
    net = columns.pop(13)
    columns[467] = np.where(columns[8] > 0, net, net - net.max())
    recording = read(put(build(columns)), record=NOTHING)
    proofs = [w for w in levels(recording, "proven") if "Q charge/discharge" in w]
    assert len(proofs) == 2
    assert recording.table["Q charge/discharge/mA.h"].min() < 0.0


def test_cycle_numbers_are_those_of_the_file_or_none(put):
    columns = measured()
    assert "cycle_count" not in read(put(build(columns)), record=NOTHING).table.columns
    columns[24] = np.where(columns[8] > 0, 4.0, 5.0)
    table = read(put(build(columns)), record=NOTHING).table
    assert table["cycle_count"].dtype == pl.Int64
    assert set(table["cycle_count"]) == {4, 5}


def test_broken_cycle_numbers_are_not_taken_for_counts(put):
    columns = measured()
    columns[24] = np.where(columns[8] > 0, 1.0, 1e30)
    recording = read(put(build(columns)), record=NOTHING)
    assert "cycle_count" not in recording.table.columns
    assert recording.table["cycle number"].max() == 1e30
    assert "cycle number" in levels(recording, "look")


# metadata ----------------------------------------------------------------------


def test_settings_and_start_are_read(put):
    metadata = read(put(build(measured())), record=NOTHING).metadata
    assert metadata["technique"] == "GCPL"
    assert metadata["comment"] == "a cell"
    assert metadata["active_mass_mg"] == pytest.approx(8.582)
    assert "characteristic_mass_g" not in metadata  # 0.001 is nobody's entry
    assert metadata["channel"] == 9
    assert str(metadata["started_local"]).startswith("2024-09-02T13:49:00")


def test_a_start_far_from_the_date_of_the_header_is_left_out(put):
    raw = build(measured(), log=False)
    raw += module(b"VMP LOG", log_payload(OLE_START + 400), version=10, new=True)
    assert "started_local" not in read(put(raw), record=NOTHING).metadata


def test_a_file_without_a_log_is_read(put):
    recording = read(put(build(measured(), log=False)), record=NOTHING)
    assert recording.table.height == 121
    assert "start" in levels(recording, "look")


# damage ------------------------------------------------------------------------


def test_a_cut_file_says_how_many_records_are_there(put):
    raw = build(measured(), log=False)
    size = 8 + 4 + 4 + 8
    with pytest.raises(DataError, match="118 of 121 records"):
        read(put(raw[: -3 * size]), record=NOTHING)
    with pytest.raises(DataError, match="118 of 121"):
        read(put(raw[: -3 * size]), record=NOTHING, repair=["last-row"])


def test_one_incomplete_record_can_be_left_out_on_request(put):
    path = put(build(measured(), log=False)[:-5])
    with pytest.raises(DataError, match="--repair last-row"):
        read(path, record=NOTHING)
    recording = read(path, record=NOTHING, repair=["last-row"])
    assert recording.table.height == 120
    assert "rows" in levels(recording, "repaired")


def test_a_count_beyond_the_file_allocates_nothing(put):
    raw = build(measured(), points=2**32 - 1)
    with pytest.raises(DataError, match="121 of 4294967295 records"):
        read(put(raw), record=NOTHING)


def test_more_bytes_than_records_are_a_running_test(put):
    raw = build(measured(), points=100)
    assert read(put(raw), record=NOTHING).table.height == 100


def test_garbage_behind_the_last_module_is_reported(put):
    recording = read(put(build(measured(), tail=b"junk" * 9)), record=NOTHING)
    assert "file" in levels(recording, "look")


def test_no_record_is_an_error(put):
    with pytest.raises(DataError, match="no record"):
        read(put(build({4: [0.0], 6: [3.0], 8: [0.0]}, points=0)), record=NOTHING)


def test_a_header_alone_has_no_data(put):
    with pytest.raises(DataError, match="no module of data"):
        read(put(b"BIO-LOGIC MODULAR FILE\x1a".ljust(48) + bytes(4)), record=NOTHING)


def test_a_voltage_that_cannot_be_is_refused(put):
    columns = measured()
    columns[6] = columns[6].copy()
    columns[6][7] = 3.4e7
    with pytest.raises(DataError, match=r"3\.4e\+07 V in row 8"):
        read(put(build(columns)), record=NOTHING)


# real files --------------------------------------------------------------------


def test_a_real_galvanostatic_file_is_proved_by_its_set_current(shared_data):
    path = shared_data / "biologic" / "datalab_jdb11-1_gcpl_C09.mpr"
    begin = time.perf_counter()
    recording = read(path, record=NOTHING)
    assert time.perf_counter() - begin < 5.0
    table = recording.table
    assert table.height == 46102
    assert recording.proven
    proof = next(f for f in recording.findings if f.what == "current: unit (control)")
    assert abs(proof.residual_ratio) < 1e-3
    # net charge by the file's own Q-Qo, and by its increments
    net = table["charging_capacity_ah"] - table["discharging_capacity_ah"]
    assert (net - table["net_capacity_ah"]).abs().max() < 1e-9
    # power is Ewe times the mean current of the same interval
    row = 20000
    assert table["power_watt"][row] == pytest.approx(
        table["voltage_volt"][row] * table["current_ampere"][row], rel=1e-6
    )
    assert recording.metadata["technique"] == "GCPL"
    assert recording.metadata["channel"] == 9  # as in the name of the file
    assert str(recording.metadata["started_local"]).startswith("2020-10-26")


def test_real_spectra_equal_their_text_to_the_last_digit(shared_data):
    folder = shared_data / "eis" / "hybrid_drt"
    table = read(folder / "PEIS_SSB.mpr", record=NOTHING).table
    text = pl.read_csv(folder / "converted_PEIS_SSB.csv")
    for name, label in (
        ("frequency_hertz", "freq_Hz"),
        ("real_impedance_ohm", "ReZ_ohm"),
        ("imaginary_impedance_ohm", "ImZ_ohm"),
    ):
        np.testing.assert_array_equal(
            table[name].to_numpy().astype(np.float32),
            text[label].to_numpy().astype(np.float32),
        )


@pytest.mark.parametrize(
    ("name", "rows", "technique"),
    [
        ("bdf_GCPL-0.mpr", 4, "GCPL"),
        ("bdf_MB-0.mpr", 2, "MB"),
        ("bdf_PEIS-0.mpr", 60, "PEIS"),
    ],
)
def test_other_real_files_are_read(shared_data, name, rows, technique):
    recording = read(shared_data / "biologic" / name, record=NOTHING)
    assert recording.table.height == rows
    assert recording.metadata["technique"] == technique
    assert "started_local" in recording.metadata
