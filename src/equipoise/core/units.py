"""The grammar of names: ``<what>[_vs_<reference>]_<unit>``.

One registry for TOML keys, fields, columns, options and JSON. ``mpa`` is
megapascal; siemens is spelled out because ``ms`` would be milliseconds.
"""

import re

UNITS: dict[str, str] = {
    "volt": "V",
    "millivolt": "mV",
    "ampere": "A",
    "ma": "mA",
    "second": "s",
    "hertz": "Hz",
    "hour": "h",
    "ah": "Ah",
    "mah": "mAh",
    "wh": "Wh",
    "mwh": "mWh",
    "ah_per_volt": "Ah V⁻¹",
    "volt_per_ah": "V Ah⁻¹",
    "per_100_cycles_millivolt": "mV per 100 cycles",
    "per_cycle_percent": "% per cycle",
    "ohm": "Ω",
    "ohm_cm2": "Ω cm²",
    "uf_per_cm2": "µF cm⁻²",
    "henry": "H",
    "farad": "F",
    "watt": "W",
    "coulomb": "C",
    "celsius": "°C",
    "kelvin": "K",
    "pa": "Pa",
    "mpa": "MPa",
    "gpa": "GPa",
    "g": "g",
    "mg": "mg",
    "um": "µm",
    "mm": "mm",
    "cm2": "cm²",
    "cm3": "cm³",
    "angstrom3": "Å³",
    "percent": "%",
    "g_per_cm3": "g cm⁻³",
    "mg_per_cm2": "mg cm⁻²",
    "ma_per_g": "mA g⁻¹",
    "ma_per_cm2": "mA cm⁻²",
    "mah_per_g": "mAh g⁻¹",
    "mah_per_cm2": "mAh cm⁻²",
    "wh_per_kg": "Wh kg⁻¹",
    "wh_per_l": "Wh L⁻¹",
    "millisiemens_per_cm": "mS cm⁻¹",
    "mah_per_g_per_volt": "mAh g⁻¹ V⁻¹",
    "millivolt_per_mah_per_g": "mV g mAh⁻¹",
    "mah_per_g_per_percent": "mAh g⁻¹ per %",
    "cm2_per_s": "cm² s⁻¹",
    "kj_per_mol": "kJ mol⁻¹",
    "kn_per_mm": "kN mm⁻¹",
}
"""Unit token at the end of a name -> how it is printed."""

PURE = ("fraction", "ratio", "count", "index", "efficiency", "retention", "c_rate")
"""Last words of dimensionless numbers; a C-rate is a ratio to the current of 1C."""

OF_WHAT = ("positive", "negative", "active", "stack", "thin")
"""What a specific value is per gram of; may follow the unit."""


def unit_token(name: str) -> str | None:
    """Return the unit token that ends `name`, ``""`` for a pure number, else None.

    Examples
    --------
    >>> unit_token("first_charge_mah_per_g_positive")
    'mah_per_g'
    >>> unit_token("np_ratio")
    ''
    >>> unit_token("thickness") is None
    True
    """
    words = name.split("_")
    while words[-1] in OF_WHAT and len(words) > 1:
        words = words[:-1]
    stem = "_".join(words)
    if any(stem == pure or stem.endswith(f"_{pure}") for pure in PURE):
        return ""
    for start in range(len(words)):
        token = "_".join(words[start:])
        if token in UNITS and start > 0:
            return token
    return None


def unit_symbol(name: str) -> str:
    """Printed unit of a name, ``""`` for pure numbers and names without one."""
    token = unit_token(name)
    return UNITS[token] if token else ""


def words(name: str) -> str:
    """Words of a name without its unit.

    Examples
    --------
    >>> words("first_charge_mah_per_g_positive")
    'first charge'
    """
    token = unit_token(name)
    stem = name
    if token:
        stem = re.sub(rf"_{token}(_({'|'.join(OF_WHAT)}))*$", "", name)
    return stem.replace("_", " ")
