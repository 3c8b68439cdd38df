"""Headers in all their spellings."""

import pytest

from equipoise.io.readers.labels import factor, split_label, units_of


@pytest.mark.parametrize(
    ("label", "quantity", "unit"),
    [
        ("Current [A]", "current", "A"),
        ("Current(mA)", "current", "mA"),
        ("current/A", "current", "A"),
        ("Test Time / h", "test time", "h"),
        ("Voltage_V", "voltage", "V"),
        ("Current_µA", "current", "µA"),
        ("Test (Sec)", "test", "Sec"),
        ("Total Time (Decimal Hours)", "total time", "Decimal Hours"),
        ("Program Duration#s", "program duration", "s"),
        ("AhCha#AH", "ahcha", "AH"),
        ("Aux #1", "aux #1", ""),
        ("Rec#", "rec#", ""),
        ("Q charge/discharge/mA.h", "q charge/discharge", "mA.h"),
        ("(Q-Qo)/mA.h", "(q-qo)", "mA.h"),
        ("Charge Capacity (mWh)", "charge capacity", "mWh"),
        ("Capacity(mAs)", "capacity", "mAs"),
        ("Temperature (°C)", "temperature", "°C"),
        ("Temperature(℃)", "temperature", "℃"),
        ("Aux_Temperature(¡æ)", "aux temperature", "¡æ"),
        ("Cycle_Index", "cycle index", ""),
        ("I[A/kg]", "i[a/kg]", ""),
        ("Spec. Capacity (mAh/g)", "spec. capacity (mah/g)", ""),
        ('  "Voltage (V)" ', "voltage", "V"),
        ("", "", ""),
    ],
)
def test_quantity_and_unit_are_told_apart(label, quantity, unit):
    assert split_label(label) == (quantity, unit)


@pytest.mark.parametrize(
    ("unit", "dimension", "expected"),
    [
        ("mA", "current", 1e-3),
        ("µA", "current", 1e-6),
        ("μA", "current", 1e-6),
        ("mA", "voltage", None),
        ("mV", "voltage", 1e-3),
        ("min", "time", 60.0),
        ("Minutes", "time", 60.0),
        ("ms", "time", 1e-3),
        ("Decimal Hours", "time", 3600.0),
        ("mA.h", "capacity", 1e-3),
        ("As", "capacity", 1.0 / 3600.0),
        ("mAs", "capacity", 1e-3 / 3600.0),
        ("C", "capacity", 1.0 / 3600.0),
        ("C", "temperature", 1.0),
        ("°C", "temperature", 1.0),
        ("℃", "temperature", 1.0),
        ("Â°C", "temperature", 1.0),
        ("øC", "temperature", 1.0),
        ("kWh", "energy", 1e3),
        ("mΩ", "resistance", 1e-3),
        ("parsec", "time", None),
    ],
)
def test_factors(unit, dimension, expected):
    assert factor(unit, dimension) == pytest.approx(expected)


def test_known_units_can_be_listed():
    assert {"s", "min", "h"} <= set(units_of("time"))
    assert "mah" in units_of("capacity")
