"""Neware files through fastnda: units, signs, counters, and broken files."""

import io
import zipfile

import fastnda
import numpy as np
import polars as pl
import pytest

from equipoise.core.errors import DataError
from equipoise.io.readers import neware
from equipoise.io.readers.read import read
from equipoise.spec.cell_record import CellRecord

NOTHING = CellRecord()
CHARGE_MAH = 3.0123


def frame(rows=61):
    """An hour of charge and an hour of discharge, as fastnda gives them."""
    step = np.linspace(0.0, 3600.0, rows)
    counted = CHARGE_MAH * step / 3600.0
    volts = np.concatenate((3.0 + 0.3 * counted, 3.8 - 0.3 * counted))
    both = np.concatenate((step, step))
    total = np.concatenate((step, 3600.0 + step))
    milli = np.repeat([CHARGE_MAH, -CHARGE_MAH], rows)
    mean = np.concatenate((3.0 + 0.15 * counted, 3.8 - 0.15 * counted))
    signed = np.concatenate((counted, -counted))
    return pl.DataFrame(
        {
            "index": np.arange(1, 2 * rows + 1, dtype=np.uint32),
            "voltage_V": volts.astype(np.float32),
            "current_mA": milli.astype(np.float32),
            "unix_time_s": 1.7e9 + total + 0.3 * (both > 0),
            "step_time_s": both,
            "total_time_s": total,
            "cycle_count": np.full(2 * rows, 7, dtype=np.uint32),
            "step_count": np.repeat([1, 2], rows).astype(np.uint32),
            "step_index": np.repeat([3, 4], rows).astype(np.uint32),
            "step_type": pl.Series(
                ["CC_Chg"] * rows + ["CC_DChg"] * rows, dtype=pl.Categorical
            ),
            "capacity_mAh": signed.astype(np.float32),
            "energy_mWh": (signed * mean).astype(np.float32),
            "aux1_temperature_degC": np.full(2 * rows, 25.0),
        }
    )


@pytest.fixture
def decoded(tmp_path, monkeypatch):
    """A file whose decoding is given: what follows it is tested."""

    def give(content, *, metadata=None, suffix=".nda"):
        def decode(_, **asked):
            give.asked = asked
            return content

        monkeypatch.setattr(fastnda, "read", decode)
        monkeypatch.setattr(fastnda, "read_metadata", lambda *_: metadata or {})
        path = tmp_path / f"cell{suffix}"
        path.write_bytes(b"NEWARE" + bytes(100))
        return read(path, record=NOTHING)

    return give


def test_units_signs_and_counters_are_proved(decoded):
    recording = decoded(frame())
    table = recording.table
    assert recording.proven
    assert table["current_ampere"][0] == pytest.approx(CHARGE_MAH * 1e-3)
    assert table["current_ampere"][-1] == pytest.approx(-CHARGE_MAH * 1e-3)
    assert table["charging_capacity_ah"][-1] == pytest.approx(CHARGE_MAH * 1e-3)
    assert table["discharging_capacity_ah"][-1] == pytest.approx(CHARGE_MAH * 1e-3)
    assert table["step_charging_capacity_ah"].max() == pytest.approx(CHARGE_MAH * 1e-3)
    energies = [
        f for f in recording.findings if f.level == "proven" and "energy" in f.what
    ]
    assert len(energies) == 2
    assert table["discharging_energy_wh"][-1] == pytest.approx(
        CHARGE_MAH * 1e-3 * (3.8 - 0.15 * CHARGE_MAH), rel=1e-5
    )


def test_cycles_and_steps_are_those_of_the_file(decoded):
    table = decoded(frame()).table
    assert decoded.asked == {"cycle_mode": "raw"}  # else fastnda counts its own
    assert set(table["cycle_count"]) == {7}
    assert table["step_index"].unique().sort().to_list() == [3, 4]
    assert table["step_type"].unique(maintain_order=True).to_list() == [
        "CC_Chg",
        "CC_DChg",
    ]
    assert table["unix_time_second"][0] == 1.7e9
    assert table["temperature_t1_celsius"][0] == 25.0


def test_a_clock_made_from_the_test_time_is_none(decoded):
    content = frame().with_columns(unix_time_s=1.7e9 + pl.col("total_time_s"))
    recording = decoded(content)
    assert "unix_time_second" not in recording.table.columns
    assert not [
        f for f in recording.findings if f.level == "proven" and "time" in f.what
    ]


def test_a_current_against_its_steps_is_refused(decoded):
    with pytest.raises(DataError, match="sign"):
        decoded(frame().with_columns(-pl.col("current_mA")))


def test_a_current_of_another_range_is_refused(decoded):
    with pytest.raises(DataError, match="capacity_mAh > 0"):
        decoded(frame().with_columns(pl.col("current_mA") * 10.0))


def test_a_file_without_records_is_refused(decoded):
    with pytest.raises(DataError, match="no record"):
        decoded(frame().head(0))


def test_names_of_computers_are_not_kept(decoded):
    metadata = {
        "TestInfo": {"TestInfo": {"SvrIP": "10.0.0.1", "Barcode": "c1", "ChlID": "9"}},
        "Step": {"Head_Info": {"Remark": {"Value": "a remark"}}},
    }
    found = decoded(frame(), metadata=metadata).metadata
    assert found == {"barcode": "c1", "channel": "9", "remark": "a remark"}


def test_whatever_the_decoder_raises_is_one_error(tmp_path, monkeypatch):
    path = tmp_path / "cell.nda"
    path.write_bytes(b"NEWARE" + bytes(100))
    for error in (KeyError("x"), OverflowError("y"), pl.exceptions.ShapeError("z")):

        def fail(*_, error=error, **__):
            raise error

        monkeypatch.setattr(fastnda, "read", fail)
        with pytest.raises(DataError, match=type(error).__name__):
            read(path, record=NOTHING)


def test_a_version_that_nobody_knows_is_named(tmp_path):
    path = tmp_path / "cell.nda"
    path.write_bytes(b"NEWARE" + bytes([77] * 500))
    with pytest.raises(DataError, match="version 77"):
        read(path, record=NOTHING)


@pytest.mark.parametrize(
    "content", [b"NEWARE", b"NEWARE" + bytes(8), bytes(5000), b"x"]
)
def test_broken_files_give_one_kind_of_error(tmp_path, content):
    path = tmp_path / "cell.nda"
    path.write_bytes(content)
    with pytest.raises(DataError):
        read(path, record=NOTHING)


def archive(members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        for name, content in members.items():
            made.writestr(name, content)
    return stream.getvalue()


def test_a_cut_archive_is_said_to_be_cut(tmp_path):
    path = tmp_path / "cell.ndax"
    path.write_bytes(archive({"data.ndc": bytes(9000)})[:-60])
    with pytest.raises(DataError, match="cut or damaged"):
        read(path, record=NOTHING)


def test_an_archive_without_data_says_what_it_holds(tmp_path):
    path = tmp_path / "cell.ndax"
    path.write_bytes(archive({"VersionInfo.xml": "<a/>", "other.ndc": b"1"}))
    with pytest.raises(DataError, match=r"no data\.ndc; found: VersionInfo\.xml"):
        read(path, record=NOTHING)


def test_empty_data_of_an_archive_is_refused(tmp_path):
    path = tmp_path / "cell.ndax"
    path.write_bytes(archive({"data.ndc": bytes(9000)}))
    with pytest.raises(DataError):
        read(path, record=NOTHING)


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "cell.ndax"
    path.write_bytes(archive({"data.ndc": bytes(9000)}))
    monkeypatch.setattr(neware, "free_memory_bytes", lambda: 1000)
    with pytest.raises(DataError, match="needs about"):
        read(path, record=NOTHING)


def test_a_spreadsheet_is_no_neware_file(tmp_path):
    path = tmp_path / "cell.ndax"
    path.write_bytes(archive({"[Content_Types].xml": "<a/>"}))
    with pytest.raises(DataError, match="not a known binary format"):
        read(path, record=NOTHING)


# real files --------------------------------------------------------------------


def test_a_real_archive_is_read(shared_data):
    recording = read(shared_data / "cycling" / "bdf_filetype14-0.ndax", record=NOTHING)
    table = recording.table
    assert table.height == 67
    assert table["test_time_second"][-1] == pytest.approx(655.4)
    assert table["voltage_volt"].max() < 0.004
    assert set(table["step_type"]) == {"Rest"}
    assert recording.metadata["barcode"] == "commercial_cell_001"
    assert "127.0.0.1" not in str(recording.metadata)
    assert not recording.proven  # a rest proves nothing


def test_the_name_of_the_file_does_not_matter(shared_data, tmp_path):
    copy = tmp_path / "renamed.bin"
    copy.write_bytes((shared_data / "cycling" / "bdf_filetype14-0.ndax").read_bytes())
    assert read(copy, record=NOTHING).table.height == 67


def test_a_real_archive_cut_anywhere_is_an_error(shared_data, tmp_path):
    raw = (shared_data / "cycling" / "bdf_filetype14-0.ndax").read_bytes()
    path = tmp_path / "cell.ndax"
    for end in range(1, len(raw), 97):
        path.write_bytes(raw[:end])
        with pytest.raises(DataError):
            read(path, record=NOTHING)
