"""The reader of any table: the dialects of cyclers, and what users do wrong."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from cycler_files import START, since, step_marks, truth
from equipoise.core.errors import DataError, SpecError
from equipoise.io.readers.column_map import bundled_maps
from equipoise.io.readers.read import read
from equipoise.spec.cell_record import CellRecord

TRUTH = truth()
STEP = step_marks(TRUTH)
WHOLE = np.zeros(TRUTH.rows)


def counters(marks, scale=1.0):
    """Charge, discharge, charge energy, discharge energy, restarted at marks."""
    t = TRUTH
    totals = (t.charged_ah, t.discharged_ah, t.charged_wh, t.discharged_wh)
    return [since(x, marks) / scale for x in totals]


def stamps(form, seconds=TRUTH.seconds):
    moments = [START + timedelta(seconds=round(float(s))) for s in seconds]
    return [m.strftime(form) for m in moments]


def cells(values):
    if isinstance(values, str):
        return [values] * TRUTH.rows
    return [
        x if isinstance(x, str) else f"{round(float(x), 10) + 0.0:.10g}" for x in values
    ]


def table(columns, separator=",", preamble=(), end="\n", after_header=()):
    """Text of a table; columns: header -> values (text: the same in all rows)."""
    rows = zip(*(cells(v) for v in columns.values()), strict=True)
    lines = [*preamble, separator.join(columns), *after_header]
    lines += [separator.join(r) for r in rows]
    return end.join(lines) + end


@pytest.fixture
def reading(tmp_path):
    def put(text, *, toml=None, encoding="utf-8", **options):
        path = tmp_path / "cell.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        if toml is not None:
            file = tmp_path / "my.toml"
            file.write_text(toml)
            options["column_map"] = file
        return read(path, **options)

    return put


def check(recording, *, time_second=1e-3, volt=1e-6, ampere=1e-8):
    """The table is the truth."""
    found = recording.table
    assert found.height == TRUTH.rows
    for name, true, allowed in (
        ("test_time_second", TRUTH.seconds, time_second),
        ("voltage_volt", TRUTH.volts, volt),
        ("current_ampere", TRUTH.amperes, ampere),
        ("charging_capacity_ah", TRUTH.charged_ah, 2e-8),
        ("discharging_capacity_ah", TRUTH.discharged_ah, 2e-8),
    ):
        np.testing.assert_allclose(found[name], true, rtol=0, atol=allowed)
    return recording


def findings(recording, level, what=""):
    return [
        f.how
        for f in recording.findings
        if f.level == level and f.what.startswith(what)
    ]


def plain(**changed):
    """A table in SI units with whole-test counters."""
    charge, discharge, up, down = counters(WHOLE)
    columns = {
        "Time [s]": TRUTH.seconds,
        "Voltage [V]": TRUTH.volts,
        "Current [A]": TRUTH.amperes,
        "Charge Capacity [Ah]": charge,
        "Discharge Capacity [Ah]": discharge,
        "Charge Energy [Wh]": up,
        "Discharge Energy [Wh]": down,
    }
    return columns | changed


# --- cyclers


def arbin(style):
    charge, discharge, up, down = counters(TRUTH.cycles)
    names = {
        "old": (
            "Data_Point,Date_Time,Test_Time(s),Step_Time(s),Step_Index,Cycle_Index,"
            "Voltage(V),Current(A),Charge_Capacity(Ah),Discharge_Capacity(Ah),"
            "Charge_Energy(Wh),Discharge_Energy(Wh),Aux_Temperature(¡æ)_1"
        ),
        "new": (
            "Data Point,Date Time,Test Time (s),Step Time (s),Step Index,Cycle Index,"
            "Voltage (V),Current (A),Charge Capacity (Ah),Discharge Capacity (Ah),"
            "Charge Energy (Wh),Discharge Energy (Wh),Aux_Temperature_1 (C)"
        ),
        "lower": (
            "data_point,datetime,test_time,step_time,step_index,cycle_index,voltage,"
            "current,charge_capacity,discharge_capacity,charge_energy,"
            "discharge_energy,temperature"
        ),
    }[style].split(",")
    clock = stamps("\t%m/%d/%Y %H:%M:%S")
    if style == "lower":
        clock = 1.7e9 + TRUTH.seconds
    values = (
        np.arange(1, TRUTH.rows + 1),
        clock,
        TRUTH.seconds,
        TRUTH.step_seconds,
        TRUTH.steps,
        TRUTH.cycles,
        TRUTH.volts,
        TRUTH.amperes,
        charge,
        discharge,
        up,
        down,
        25.0 + 0.1 * TRUTH.steps,
    )
    return table(dict(zip(names, values, strict=True)))


@pytest.mark.parametrize("style", ["old", "new", "lower"])
def test_arbin(reading, style):
    found = check(reading(arbin(style)))
    assert found.format.startswith("Arbin CSV")
    assert findings(found, "proven", "test time")
    assert found.table["cycle_charging_capacity_ah"].max() < TRUTH.charged_ah.max()
    assert found.table["step_index"].to_list() == TRUTH.steps.tolist()
    assert found.table["temperature_t1_celsius"].max() == pytest.approx(25.6)
    if style == "lower":
        assert found.table["unix_time_second"][0] == 1.7e9


def test_a_table_of_cycle_statistics_is_no_time_series(reading):
    text = arbin("old").replace("Data_Point", "Vmax_On_Cycle(V)", 1)
    with pytest.raises(DataError, match="no reader knows this text"):
        reading(text)


def pec(current=1.0):
    charge, discharge, up, down = counters(TRUTH.cycles, 1e-3)
    columns = {
        "Test": "1",
        "Cell": "1",
        "Step": TRUTH.steps,
        "Cycle": TRUTH.cycles,
        "Total Time (Minutes)": TRUTH.seconds / 60,
        "Load On Time (Minutes)": TRUTH.seconds / 60,
        "Step Time (Minutes)": TRUTH.step_seconds / 60,
        "Real Time": stamps("%m/%d/%Y %H:%M:%S"),
        "Voltage (mV)": TRUTH.volts * 1e3,
        "Current (mA)": current * TRUTH.amperes * 1e3,
        "Charge Capacity (mAh)": charge,
        "Discharge Capacity (mAh)": discharge,
        "Charge Capacity (mWh)": up,
        "Discharge Capacity (mWh)": down,
        "ReasonCode": "0",
        "": "",
    }
    preamble = (
        "Request Year:,2024",
        "Test:,4242",
        "Start Time:,03/29/2024 22:15:00",
        "#RESULTS CHECK",
        "#END RESULTS CHECK",
    )
    return table(columns, preamble=preamble)


@pytest.mark.parametrize("current", [1.0, -1.0])
def test_pec_names_an_energy_capacity_and_no_sign(reading, current):
    found = check(reading(pec(current)), volt=1e-5)
    assert found.format == "PEC CSV"
    np.testing.assert_allclose(
        found.table["charging_energy_wh"], TRUTH.charged_wh, atol=1e-7
    )
    (sign,) = findings(found, "proven", "current: sign")
    assert ("turned" in sign) == (current < 0)


WORDS = {"C": "CC Chg", "D": "CC DChg", "R": "Rest"}


def neware(time="Total Time(s)", date=True):
    charge, discharge, up, down = counters(STEP, 1e-3)
    columns = {
        "Record ID ": np.arange(1, TRUTH.rows + 1),
        "Cycle Index": TRUTH.cycles + 1,
        "Step Index": TRUTH.steps,
        "Step Type": [WORDS[s] for s in TRUTH.states],
        "Time(h:min:s.ms)": [
            f"{int(s) // 3600:02d}:{int(s) // 60 % 60:02d}:{s % 60:06.3f}"
            for s in TRUTH.step_seconds
        ],
        "Current(mA)": TRUTH.amperes * 1e3,
        "Voltage(V)": TRUTH.volts,
        "Chg. Cap.(mAh)": charge,
        "DChg. Cap.(mAh)": discharge,
        "Chg. Energy(mWh)": up,
        "DChg. Energy(mWh)": down,
    }
    if time:
        columns[time] = TRUTH.seconds
    if date:
        columns["Date"] = stamps("%Y-%m-%d %H:%M:%S")
    return columns


def test_neware(reading):
    found = check(reading(table(neware())))
    assert found.format == "Neware CSV"
    assert "step_charging_capacity_ah" in found.table.columns
    assert set(found.table["step_type"]) == set(WORDS.values())


def test_neware_without_a_test_time_goes_by_the_clock(reading):
    found = check(reading(table(neware(time=""))), time_second=0.51)
    assert any("by the clock" in x for x in findings(found, "recognised", "Date"))


def test_a_total_time_that_restarts_is_rebuilt_on_request_only(reading):
    columns = neware()
    columns["Total Time(s)"] = TRUTH.step_seconds
    with pytest.raises(DataError, match="runs back") as caught:
        reading(table(columns))
    assert "backward-time" in caught.value.remedy
    assert "clock" in caught.value.remedy
    found = check(reading(table(columns), repair=["backward-time"]), time_second=0.6)
    (how,) = findings(found, "repaired", "test time")
    assert "by the clock in 10 of them" in how
    del columns["Date"]
    again = check(reading(table(columns), repair=["backward-time"]))
    assert findings(again, "repaired", "test time")


def test_a_layered_export_is_refused_with_advice(reading):
    text = (
        "Cycle ID,Cap_Chg(mAh),Cap_DChg(mAh)\n"
        ",Step ID,Step Name,Step Time\n"
        ",,Record ID,Time(h:min:s.ms),Voltage(V),Current(mA)\n"
        '1,1.0,1.0\n,"1","Rest",0:10:00\n,,1,0:00:00.000,3.1,0.0\n'
    )
    with pytest.raises(DataError, match="layered in one table") as caught:
        reading(text)
    assert "CSV" in caught.value.remedy


def test_landt(reading):
    charge, discharge, up, down = counters(STEP)
    columns = {
        "channel_index": np.arange(1, TRUTH.rows + 1),
        "cycle_index": TRUTH.cycles,
        "step_index": TRUTH.steps,
        "step_name": [{"C": "CC-C", "D": "CC-D", "R": "Rest"}[s] for s in TRUTH.states],
        "date_time_iso_string": stamps("%m/%d/%Y %H:%M:%S"),
        "test_time_s": TRUTH.seconds,
        "step_time_s": TRUTH.step_seconds,
        "current_A": TRUTH.amperes,
        "voltage_V": TRUTH.volts,
        "charge_capacity_Ah": charge,
        "discharge_capacity_Ah": discharge,
        "charge_energy_Wh": up,
        "discharge_energy_Wh": down,
        "temperature_1_C": "25.0",
    }
    found = check(reading(table(columns, preamble=["x,1"] * 6)))
    assert found.format == "Landt CSV"
    assert set(found.table["temperature_t1_celsius"]) == {25.0}


def test_lanhe(reading):
    charge, discharge, up, down = counters(STEP, 1e-3)
    columns = {
        "Record": np.arange(1, TRUTH.rows + 1),
        "SysTime": stamps("%Y-%m-%d %H:%M:%S"),
        "Cycle-Index": TRUTH.cycles,
        "Step-Index": TRUTH.steps,
        "TestTime/Sec": TRUTH.seconds,
        "StepTime/Sec": TRUTH.step_seconds,
        "Voltage/V": TRUTH.volts,
        "Current/uA": TRUTH.amperes * 1e6,
        "Capacity/mAh": charge + discharge,
        "SpeCap/mAh/g": (charge + discharge) * 30,
        "Energy/mWh": up + down,
        "State": [{"C": "C_CC", "D": "D_CC", "R": "R"}[s] for s in TRUTH.states],
    }
    found = check(reading(table(columns)))
    assert found.format == "LANHE sheet as CSV"
    assert "SpeCap/mAh/g" in found.table.columns


@pytest.mark.parametrize(("unit", "scale"), [("s", 1.0), ("min", 60.0), ("h", 3600.0)])
@pytest.mark.parametrize("separator", ["\t", " "])
def test_basytec(reading, unit, scale, separator):
    charge, discharge, up, down = counters(WHOLE)
    words = {"C": "Charge", "D": "Discharge", "R": "Pause"}
    columns = {
        f"~Time[{unit}]": TRUTH.seconds / scale,
        "DataSet": np.arange(1, TRUTH.rows + 1),
        f"t-Step[{unit}]": TRUTH.step_seconds / scale,
        "Line": TRUTH.steps,
        "Command": [words[s] for s in TRUTH.states],
        "U[V]": TRUTH.volts,
        "I[A]": TRUTH.amperes,
        "Ah[Ah]": charge - discharge,
        "Wh[Wh]": up - down,
        "T1[°C]": 25.0 + 0.1 * TRUTH.cycles,
        "Cyc-Count": TRUTH.cycles,
    }
    preamble = (
        "~Resultfile from Basytec Battery Test System",
        "~Start of Test: 19.06.2023 17:56:53",
        "~Operator, Test: Jörg; 2, 3",
        "~",
    )
    text = table(columns, separator, preamble, end="\r\n")
    found = check(reading(text, encoding="latin-1"))
    assert found.format == "Basytec text"
    assert found.table["temperature_t1_celsius"].max() == pytest.approx(25.1)


def test_novonix(reading):
    charge, discharge, up, down = counters(WHOLE)
    columns = {
        "Date and Time": stamps("%Y-%m-%d %I:%M:%S %p"),
        "Cycle Number": TRUTH.cycles,
        "Step Type": [{"C": "7", "D": "2", "R": "0"}[s] for s in TRUTH.states],
        "Run Time (h)": TRUTH.seconds / 3600,
        "Step Time (h)": TRUTH.step_seconds / 3600,
        "Current (A)": TRUTH.amperes,
        "Potential (V)": TRUTH.volts,
        "Capacity (Ah)": charge - discharge,
        "Temperature (°C)": "-9999",
        "Circuit Temperature (°C)": 30.0 + TRUTH.steps,
        "Energy (Wh)": up - down,
        "Step Number": TRUTH.steps,
        "Power(W)": TRUTH.volts * TRUTH.amperes,
    }
    preamble = (
        "[Summary]",
        "Novonix UHPC data file",
        "Started: 2025-07-19 15:26:20",
        "[End Summary]",
        "[Protocol]",
        *["a: step, of, many, words"] * 200,
        "[End Protocol]",
        "[Data]",
    )
    found = check(reading(table(columns, preamble=preamble)))
    assert found.format == "Novonix CSV"
    assert "net_capacity_ah" in found.table.columns
    assert "surface_temperature_celsius" not in found.table.columns
    assert findings(found, "look", "Temperature")


def digatron(scale=1.0):
    charge, discharge, up, down = counters(WHOLE)
    words = {"C": "CHA", "D": "DCH", "R": "PAU"}
    return {
        "Step": TRUTH.steps,
        "Status": [words[s] for s in TRUTH.states],
        "Timestamp": stamps("%Y-%m-%dT%H:%M:%S+02:00"),
        "Program Duration#s": TRUTH.seconds / scale,
        "Step Duration#s": TRUTH.step_seconds / scale,
        "Voltage#V": TRUTH.volts,
        "Current#A": TRUTH.amperes,
        "AhCha#AH": charge,
        "AhDch#Ah": discharge,
        "AhAccu#AH": charge - discharge,
        "WhCha#Wh": up,
        "WhDch#Wh": down,
        "Cycle": TRUTH.cycles,
    }


def test_digatron_and_its_zone(reading):
    found = check(reading(table(digatron(), ";")))
    assert found.format == "Digatron CSV"
    first = found.table["unix_time_second"][0]
    expected = START - timedelta(hours=2)
    assert first == (expected - datetime(1970, 1, 1)).total_seconds()
    assert found.metadata["started_local"] == START.isoformat()


def test_milliseconds_called_seconds_are_named(reading):
    text = table(digatron(1e-3))
    with pytest.raises(DataError, match=r"runs 0\.001 s per unit") as caught:
        reading(text)
    assert 'unit = "ms"' in caught.value.remedy


def test_old_digatron_has_a_row_of_units(reading):
    columns = digatron()
    old = {
        "Step": TRUTH.steps,
        "Status": columns["Status"],
        "Step Time": TRUTH.step_seconds,
        "Prog Time": TRUTH.seconds,
        "Cycle": TRUTH.cycles,
        "Voltage": TRUTH.volts,
        "Current": TRUTH.amperes,
        "AhAccu": columns["AhAccu#AH"],
    }
    found = check(reading(table(old, after_header=[",,s,s,,V,A,Ah"])))
    assert found.table.height == TRUTH.rows


def test_a_battery_archive_with_spectra(reading):
    charge, discharge, up, down = counters(STEP)
    t = TRUTH
    eis = 40
    columns = {
        "Cycle_Index": t.cycles,
        "Step": t.steps,
        "Time_s": t.seconds,
        "Amphr": charge + discharge,
        "Watthr": up + down,
        "Current_A": t.amperes,
        "Voltage_V": t.volts,
        "Datenum_d": [f"{739340.5 + s / 86400:.9f}" for s in t.seconds],
        "Charge_Capacity_Ah": charge,
        "Discharge_Capacity_Ah": discharge,
        "Frequency_Hz": "NaN",
        "Z_Imag_Ohm": "NaN",
        "Z_Real_Ohm": "NaN",
        "Cycle_Label": [f"cycle {c}" for c in t.cycles],
    }
    lines = table(columns).splitlines()
    last = float(t.seconds[-1])
    for k in range(eis):
        lines.append(
            f"2,9,{last + k},NaN,NaN,0,-3.7865,{739340.5 + (last + k) / 86400:.9f},"
            f"0,0,{1000 / (k + 1):.3f},-0.{k + 10},1.{k + 10},EIS"
        )
    found = reading("\n".join(lines) + "\n")
    assert found.format == "battery archive CSV"
    assert found.proven
    assert found.table["frequency_hertz"].count() == eis
    assert found.table["cycle_label"][-1] == "EIS"
    assert found.table["imaginary_impedance_ohm"].max() < 0.0
    assert any("40 rows with a frequency" in x for x in findings(found, "look"))
    assert findings(found, "proven", "test time")


def test_ampworks(reading):
    t = TRUTH
    columns = {
        "Seconds": t.seconds,
        "Amps": t.amperes,
        "Volts": t.volts,
        "Ah": t.charged_ah + t.discharged_ah,
    }
    assert check(reading(table(columns))).format == "ampworks CSV"


def test_real_tables(shared_data):
    expected = {
        "cycling/rovi_p492-13-raw.csv": ("battery archive CSV", 2021),
        "dma/cell1_smooth.csv": ("ampworks CSV", 4217),
        "dma/gr_smooth.csv": ("ampworks CSV", 501),
        "dma/nmc_smooth.csv": ("ampworks CSV", 501),
    }
    for name, (form, rows) in expected.items():
        found = read(shared_data / name)
        assert (found.format, found.table.height) == (form, rows)
        assert found.proven
        assert findings(found, "proven", "current: sign")
    archive = read(shared_data / "cycling/rovi_p492-13-raw.csv")
    assert {"EIS", "HPPC"} <= set(archive.table["cycle_label"])
    # in its spectra the time is 60 times that of the clock
    (how,) = findings(archive, "look", "test time")
    assert "ahead of the clock by 9.1" in how
    with pytest.raises(DataError, match="no reader knows"):
        read(shared_data / "cycling/rovi_p492-13-summary.csv")


# --- what is wrong is said


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Current [A]", "Current [mA]", "the current is wrong"),
        ("Time [s]", "Time [min]", "minutes taken for seconds|seconds taken for min"),
        ("Time [s]", "Time [h]", "hours"),
        ("Charge Energy [Wh]", "Charge Energy [kWh]", "Charge Energy"),
        ("Charge Capacity [Ah]", "Charge Capacity [mAh]", "is wrong"),
        ("Voltage [V]", "Voltage [mV]", "Energy"),
    ],
)
def test_a_wrong_unit_is_caught_by_the_counters(reading, old, new, message):
    columns = {new if k == old else k: v for k, v in plain().items()}
    with pytest.raises(DataError, match=message):
        reading(table(columns))


def test_milliamperes_called_amperes_are_caught(reading):
    columns = plain()
    columns["Current [A]"] = TRUTH.amperes * 1e3
    with pytest.raises(DataError, match="mA taken for A"):
        reading(table(columns))


@pytest.mark.parametrize("clock", [True, False])
def test_minutes_called_seconds_are_caught(reading, clock):
    columns = plain()
    columns["Time [s]"] = TRUTH.seconds / 60
    if clock:
        columns["Date"] = stamps("%Y-%m-%d %H:%M:%S")
    with pytest.raises(DataError) as caught:
        reading(table(columns))
    shown = str(caught.value)
    assert ('unit = "min"' if clock else "minutes taken for seconds") in shown


def test_kilowatt_hours_called_watt_hours_are_caught(reading):
    columns = plain()
    columns["Discharge Energy [Wh]"] = TRUTH.discharged_wh * 1e-3
    with pytest.raises(DataError, match="Discharge Energy"):
        reading(table(columns))


def test_a_wrong_sign_is_caught_where_the_map_fixes_it(reading):
    columns = {
        "t": TRUTH.seconds,
        "u": TRUTH.volts,
        "i": -TRUTH.amperes,
    }
    toml = MAP.replace('unit = "A"', 'unit = "A", sign = "charging positive"')
    with pytest.raises(DataError, match="wrong sign"):
        reading(table(columns), toml=toml)
    found = reading(table(columns), toml=toml.replace("positive", "negative"))
    np.testing.assert_allclose(found.table["current_ampere"], TRUTH.amperes, atol=1e-9)


MAP = """\
name = "mine"

[columns]
test_time_second = { label = "t", unit = "s" }
voltage_volt = { label = "u", unit = "V" }
current_ampere = { label = "i", unit = "A" }
"""


def mine(**more):
    return {"t": TRUTH.seconds, "u": TRUTH.volts, "i": TRUTH.amperes} | more


def test_a_map_reads_headers_without_units(reading):
    found = reading(table(mine()), toml=MAP)
    assert not findings(found, "proven", "current: unit")
    assert findings(found, "not proven", "current: unit")
    assert findings(found, "not proven", "voltage: unit")
    np.testing.assert_allclose(found.table["voltage_volt"], TRUTH.volts, atol=1e-9)


def test_without_a_unit_anywhere_there_is_no_answer(reading):
    toml = MAP.replace('{ label = "i", unit = "A" }', '"i"')
    with pytest.raises(DataError, match="'i' names no unit of current") as caught:
        reading(table(mine()), toml=toml)
    assert "unit =" in caught.value.remedy


def test_a_missing_header_is_named_with_its_neighbour(reading):
    toml = MAP.replace('label = "u"', 'label = "Voltage"')
    text = table({"t": TRUTH.seconds, "Voltag": TRUTH.volts, "i": TRUTH.amperes})
    with pytest.raises(DataError, match="no column 'Voltage'") as caught:
        reading(text, toml=toml)
    assert "did you mean 'Voltag'" in caught.value.remedy
    assert "'Voltag', 'i'" in str(caught.value)


def test_a_column_of_the_map_may_be_optional(reading):
    more = '\nambient_temperature_celsius = { label = "T", unit = "degC"%s }\n'
    with pytest.raises(DataError, match="no column 'T'"):
        reading(table(mine()), toml=MAP + more % "")
    found = reading(table(mine()), toml=MAP + more % ", optional = true")
    assert "ambient_temperature_celsius" not in found.table.columns


def test_the_word_of_the_map_counts_and_the_header_is_looked_at(reading):
    columns = plain()
    columns["Current [mA]"] = columns.pop("Current [A]")
    toml = MAP.replace('"t"', '"Time"').replace('"u"', '"Voltage"')
    toml = toml.replace('"i"', '"Current [mA]"')
    toml += 'charging_capacity_ah = "Charge Capacity"\n'
    toml += 'discharging_capacity_ah = "Discharge Capacity"\n'
    found = check(reading(table(columns), toml=toml))
    (how,) = findings(found, "look", "Current [mA]")
    assert how == "taken to be in A, as the map says; the file says mA"
    with pytest.raises(DataError, match="factor"):
        reading(table(columns), toml=toml.replace('unit = "A"', 'unit = "mA"'))


def test_own_words_for_states_sign_a_magnitude(reading):
    words = {"C": "Laden", "D": "Entladen", "R": "Pause"}
    columns = mine(i=np.abs(TRUTH.amperes), z=[words[s] for s in TRUTH.states])
    toml = MAP.replace('unit = "A"', 'unit = "A", sign = "magnitude"')
    toml += 'step_type = "z"\n\n[states]\ncharge = "Laden"\ndischarge = "Entladen"\n'
    found = reading(table(columns), toml=toml)
    np.testing.assert_allclose(found.table["current_ampere"], TRUTH.amperes, atol=1e-9)
    with pytest.raises(DataError, match="says neither charge nor discharge"):
        reading(table(columns), toml=toml.replace('"Entladen"', '"entleeren"'))
    with pytest.raises(DataError, match="has no sign by the map, but is below zero"):
        reading(table(columns | {"i": TRUTH.amperes}), toml=toml)


def test_a_magnitude_without_words_is_looked_at(reading):
    found = reading(table(mine(i=np.abs(TRUTH.amperes))), toml=MAP)
    (how,) = findings(found, "look", "current: sign")
    assert "step_type" in how
    # most of it charges: the voltage seems to tell, but a part discharges
    half = np.flatnonzero(TRUTH.states == "D")[60]
    columns = mine(i=np.abs(TRUTH.amperes))
    text = "\n".join(table(columns).split("\n")[:half]) + "\n"
    assert findings(reading(text, toml=MAP), "look", "current: sign")
    text = "\n".join(table(columns).split("\n")[: half - 100]) + "\n"
    assert not findings(reading(text, toml=MAP), "look", "current: sign")


def test_the_clock_may_be_the_test_time(reading):
    columns = {"when": stamps("%d.%m.%y %H-%M-%S"), **mine()}
    del columns["t"]
    toml = MAP.replace(
        '{ label = "t", unit = "s" }',
        '{ clock = "when", format = "%d.%m.%y %H-%M-%S" }',
    )
    found = reading(table(columns), toml=toml)
    np.testing.assert_allclose(
        found.table["test_time_second"], TRUTH.seconds, atol=0.51
    )
    with pytest.raises(DataError, match="is no date and time"):
        reading(table(columns), toml=toml.replace("%y", "%Y"))


def test_a_date_as_test_time_is_explained(reading):
    columns = {"t": stamps("%Y-%m-%d %H:%M:%S"), **mine(t=stamps("%Y-%m-%d %H:%M:%S"))}
    with pytest.raises(DataError, match="'t' holds dates") as caught:
        reading(table(columns), toml=MAP)
    assert 'test_time_second = { clock = "t" }' in caught.value.remedy


@pytest.mark.parametrize(
    ("form", "values"),
    [
        ("unix", 1.7e9 + TRUTH.seconds),
        ("unix ms", 1.7e12 + 1e3 * TRUTH.seconds),
        ("excel", [f"{45000.5 + s / 86400:.9f}" for s in TRUTH.seconds]),
        ("matlab", [f"{739340.5 + s / 86400:.9f}" for s in TRUTH.seconds]),
    ],
)
def test_clocks_may_be_numbers(reading, form, values):
    values = [f"{v:.3f}" if not isinstance(v, str) else v for v in values]
    more = f'clock = {{ label = "c", format = "{form}" }}\n'
    found = reading(table(mine(c=values)), toml=MAP + more)
    assert findings(found, "proven", "test time")
    assert str(found.metadata["started_local"]).startswith("202")
    assert ("unix_time_second" in found.table.columns) == form.startswith("unix")


def test_electrode_potentials_are_brought_to_lithium(reading):
    columns = mine(p=TRUTH.volts - 0.1 - 1.55, n=np.full(TRUTH.rows, -0.1 - 1.55))
    more = "".join(
        f'{name}_electrode_potential_volt = {{ label = "{label}", unit = "V"REF }}\n'
        for name, label in (("positive", "p"), ("negative", "n"))
    )
    toml = MAP + more
    found = reading(table(columns), toml=toml.replace("REF", ', reference = "lto"'))
    negative = found.table["negative_electrode_potential_volt"]
    assert negative.to_list() == pytest.approx([-0.1] * TRUTH.rows)
    assert findings(found, "proven", "electrode potentials")
    unknown = reading(table(columns), toml=toml.replace("REF", ""))
    assert len(findings(unknown, "look", "positive_electrode")) == 1
    record = CellRecord(reference_electrode="lto")
    again = reading(table(columns), toml=toml.replace("REF", ""), record=record)
    assert again.table["negative_electrode_potential_volt"][0] == pytest.approx(-0.1)


def test_two_columns_of_one_name_are_refused(reading):
    text = table(plain()).replace("Charge Energy [Wh]", "Voltage [V]", 1)
    with pytest.raises(DataError, match="2 columns may be voltage_volt"):
        reading(text)


def test_headers_that_are_only_kept_may_stand_twice(reading):
    columns = plain(a=TRUTH.seconds, b=TRUTH.volts)
    text = table(columns).replace(",a,b\n", ",aux,aux\n", 1)
    found = reading(text).table
    assert {"aux", "aux (as in the file)"} <= set(found.columns)


def test_a_kept_header_cannot_pass_for_a_proved_column(reading):
    columns = mine(charging_capacity_ah=TRUTH.seconds)
    found = reading(table(columns), toml=MAP).table
    assert "charging_capacity_ah (as in the file)" in found.columns
    assert "charging_capacity_ah" not in found.columns


def test_separators_of_thousands_are_refused(reading):
    milli = [f"{1e3 * v:,.0f}" for v in TRUTH.volts]
    columns = {
        ("Voltage [mV]" if h.startswith("Volt") else h): v for h, v in plain().items()
    }
    columns["Voltage [mV]"] = milli
    with pytest.raises(DataError, match="decimal signs are mixed"):
        reading(table(columns, ";"))
    whole = {
        "t": TRUTH.seconds.astype(int).astype(str),
        "u": [f"{1e3 * v - 2500:,.0f}" for v in TRUTH.volts],
        "i": (1e3 * TRUTH.amperes).astype(int).astype(str),
    }
    with pytest.raises(DataError, match="before decimals or before thousands"):
        reading(table(whole, "\t"), toml=MAP)


def test_unusual_voltages_are_looked_at(reading):
    found = reading(table(mine(u=TRUTH.volts * 1e3)), toml=MAP)
    (how,) = findings(found, "look", "voltage")
    assert "is its unit right" in how


def test_a_missing_line_end_is_looked_at(reading):
    found = reading(table(plain())[:-1])
    assert findings(found, "look", "last line")


def test_two_maps_that_know_as_much_have_to_be_chosen_from(reading, monkeypatch):
    from equipoise.io.readers import mapped

    twin = bundled_maps()["ampworks"].model_copy(update={"name": "twin"})
    both = {"ampworks": bundled_maps()["ampworks"], "twin": twin}
    monkeypatch.setattr(mapped, "bundled_maps", lambda: both)
    text = "Seconds,Amps,Volts\n0,1,3\n1,1,3.1\n"
    with pytest.raises(DataError, match="ampworks and twin know equally many") as found:
        reading(text)
    assert "--map ampworks" in found.value.remedy
    assert reading(text, column_map="ampworks").format == "ampworks CSV"


def test_a_bundled_map_can_be_named(reading):
    assert reading(table(plain()), column_map="generic").proven
    with pytest.raises(SpecError, match="neither a file nor a bundled map") as caught:
        reading(table(plain()), column_map="novonic")
    assert "novonix" in caught.value.remedy
    with pytest.raises(DataError, match="Run Time"):
        reading(table(plain()), column_map="novonix")


def test_the_form_of_the_table_can_be_given(reading):
    text = table(mine(), ";", preamble=["t;u;i", "# t;u;i is below"])
    text = text.replace(".", ",").replace("\n", "\n# a note; 1\n")
    toml = MAP + (
        '[table]\nseparator = ";"\ndecimal = ","\nheader_line = 5\ncomment = "#"\n'
        'encoding = "cp1252"\n'
    )
    found = reading(text, toml=toml)
    assert found.table.height == TRUTH.rows
    skipped = reading(text, toml=toml.replace("header_line = 5", "skip_lines = 4"))
    assert skipped.table.equals(found.table)
    with pytest.raises(DataError, match="there is no line 100000"):
        reading(text, toml=toml.replace("header_line = 5", "header_line = 100000"))
    with pytest.raises(DataError, match="encoding 'utf-16'"):
        reading(text + "x", toml=toml.replace("cp1252", "utf-16"))


def test_breaks_that_only_python_knows_do_not_shift_the_header(reading):
    text = table(plain(), preamble=["a\x85b", "c\x0bd", "e\u2028f"])
    assert check(reading(text)).table.height == TRUTH.rows


def test_kept_columns_can_be_chosen(reading):
    columns = mine(a=TRUTH.steps, b=TRUTH.steps, k="7")
    toml = MAP.replace('"mine"', '"mine"\nkeep = ["b", "k"]')
    found = reading(table(columns), toml=toml).table
    assert {"b", "k"} <= set(found.columns)
    assert "a" not in found.columns
    with pytest.raises(DataError, match="no column 'z'"):
        reading(table(columns), toml=toml.replace('"k"', '"z"'))


def test_a_count_with_decimals_is_refused(reading):
    columns = mine(c=TRUTH.cycles + 0.5)
    with pytest.raises(DataError, match="not a whole number"):
        reading(table(columns), toml=MAP + 'cycle_count = "c"\n')


def test_negative_imaginary_parts_and_texts(reading):
    columns = mine(
        z=np.linspace(1, 2, TRUTH.rows), w=list("ab" * TRUTH.rows)[: TRUTH.rows]
    )
    toml = MAP + (
        'imaginary_impedance_ohm = { label = "z", unit = "Ohm", negated = true }\n'
        '\n[text]\nphase_of_moon = "w"\n'
    )
    found = reading(table(columns), toml=toml).table
    assert found["imaginary_impedance_ohm"][0] == -1.0
    assert found["phase_of_moon"].dtype == pl.String


def test_a_table_without_rows_is_refused(reading):
    with pytest.raises(DataError, match="no row below the header"):
        reading("t,u,i\n", toml=MAP)
    with pytest.raises(DataError, match="no row below the units"):
        reading("t,u,i\ns,V,A\n", toml=MAP)


def test_no_header_at_all_is_refused(reading):
    with pytest.raises(DataError, match="no line with three or more headers"):
        reading("1,2,3\n4,5,6\n", toml=MAP)


def test_an_incomplete_last_line_is_left_out_on_request_only(reading):
    text = table(plain()).rstrip("\n").rsplit(",", 3)[0]
    with pytest.raises(DataError, match="the last line has 4 cells"):
        reading(text)
    found = reading(text, repair=["last-row"])
    assert found.table.height == TRUTH.rows - 1
    assert findings(found, "repaired")


@pytest.mark.parametrize("rule", ["cycle", "step"])
def test_counters_are_named_by_their_resets(reading, rule):
    marks = {"cycle": TRUTH.cycles, "step": STEP}[rule]
    charge, discharge, *_ = counters(marks)
    columns = mine(c=TRUTH.cycles, s=TRUTH.steps, up=charge, down=discharge)
    toml = MAP + 'cycle_count = "c"\nstep_index = "s"\n'
    for prefix in ("", "cycle_", "step_"):
        more = "".join(
            f'{prefix}{n}_capacity_ah = {{ label = "{label}", unit = "Ah" }}\n'
            for n, label in (("charging", "up"), ("discharging", "down"))
        )
        found = check(reading(table(columns), toml=toml + more))
        assert f"{rule}_charging_capacity_ah" in found.table.columns
        others = {"cycle", "step"} - {rule}
        assert not {f"{r}_charging_capacity_ah" for r in others} & set(
            found.table.columns
        )
