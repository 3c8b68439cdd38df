"""Headers of columns: a quantity and its unit, in all the ways they are written."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Dimension = Literal[
    "time",
    "current",
    "voltage",
    "capacity",
    "energy",
    "power",
    "temperature",
    "resistance",
    "frequency",
    "force",
    "pressure",
    "none",
]

_UNITS: dict[str, tuple[tuple[Dimension, float], ...]] = {
    "s": (("time", 1.0),),
    "sec": (("time", 1.0),),
    "secs": (("time", 1.0),),
    "second": (("time", 1.0),),
    "seconds": (("time", 1.0),),
    "ms": (("time", 1e-3),),
    "min": (("time", 60.0),),
    "mins": (("time", 60.0),),
    "minute": (("time", 60.0),),
    "minutes": (("time", 60.0),),
    "h": (("time", 3600.0),),
    "hr": (("time", 3600.0),),
    "hrs": (("time", 3600.0),),
    "hour": (("time", 3600.0),),
    "hours": (("time", 3600.0),),
    "decimalhours": (("time", 3600.0),),
    "d": (("time", 86400.0),),
    "day": (("time", 86400.0),),
    "days": (("time", 86400.0),),
    "a": (("current", 1.0),),
    "amp": (("current", 1.0),),
    "amps": (("current", 1.0),),
    "ampere": (("current", 1.0),),
    "ma": (("current", 1e-3),),
    "ua": (("current", 1e-6),),
    "na": (("current", 1e-9),),
    "v": (("voltage", 1.0),),
    "volt": (("voltage", 1.0),),
    "volts": (("voltage", 1.0),),
    "mv": (("voltage", 1e-3),),
    "uv": (("voltage", 1e-6),),
    "ah": (("capacity", 1.0),),
    "ahr": (("capacity", 1.0),),
    "amphr": (("capacity", 1.0),),
    "mah": (("capacity", 1e-3),),
    "mahr": (("capacity", 1e-3),),
    "uah": (("capacity", 1e-6),),
    "as": (("capacity", 1.0 / 3600.0),),
    "mas": (("capacity", 1e-3 / 3600.0),),
    "c": (("capacity", 1.0 / 3600.0), ("temperature", 1.0)),
    "wh": (("energy", 1.0),),
    "whr": (("energy", 1.0),),
    "watthr": (("energy", 1.0),),
    "mwh": (("energy", 1e-3),),
    "mwhr": (("energy", 1e-3),),
    "uwh": (("energy", 1e-6),),
    "kwh": (("energy", 1e3),),
    "j": (("energy", 1.0 / 3600.0),),
    "w": (("power", 1.0),),
    "mw": (("power", 1e-3),),
    "degc": (("temperature", 1.0),),
    "celsius": (("temperature", 1.0),),
    "℃": (("temperature", 1.0),),
    "¡æ": (("temperature", 1.0),),  # the sign above in GBK, read as Latin-1
    "âdegc": (("temperature", 1.0),),  # UTF-8 read as Latin-1
    "øc": (("temperature", 1.0),),  # Latin-1 read as code page 850
    "ohm": (("resistance", 1.0),),
    "ohms": (("resistance", 1.0),),
    "mohm": (("resistance", 1e-3),),
    "hz": (("frequency", 1.0),),
    "khz": (("frequency", 1e3),),
    "n": (("force", 1.0),),
    "kn": (("force", 1e3),),
    "pa": (("pressure", 1.0),),
    "kpa": (("pressure", 1e3),),
    "mpa": (("pressure", 1e6),),
    "bar": (("pressure", 1e5),),
    "1": (("none", 1.0),),
}
"""Unit without case, points and blanks -> what it measures, factor to the unit of
`core.columns`. A mW and a MW look alike here: no cycler prints the second."""

_BRACKETS = re.compile(r"^(?P<what>.*?)\s*[(\[]\s*(?P<unit>[^()\[\]]+?)\s*[)\]]\s*$")
_SLASH = re.compile(r"^(?P<what>.*\S)\s*/\s*(?P<unit>[^/]+)$")
_HASH = re.compile(r"^(?P<what>[^#]*[^#\s])\s*#(?P<unit>[^#\d][^#]*)$")
_SUFFIX = re.compile(r"^(?P<what>.+)_(?P<unit>[A-Za-zµμΩ]+)$")


class Label(NamedTuple):
    """A header in parts."""

    quantity: str
    """Lower case words, blanks between; brackets of means as in "<i>" stay."""
    unit: str
    """As written; empty if there is none."""


def split_label(label: str) -> Label:
    """Split "Current [A]", "time/s", "Voltage_V", "Test (Sec)", "Current#A".

    Examples
    --------
    >>> split_label("Q charge/discharge/mA.h")
    Label(quantity='q charge/discharge', unit='mA.h')
    >>> split_label("Test_Time(s)")
    Label(quantity='test time', unit='s')
    >>> split_label("Cycle_Index")
    Label(quantity='cycle index', unit='')
    """
    text = label.strip().strip('"').strip()
    for pattern in (_BRACKETS, _SLASH, _HASH, _SUFFIX):
        found = pattern.match(text)
        if found and _key(found["unit"]) in _UNITS:
            return Label(_words(found["what"]), found["unit"].strip())
    return Label(_words(text), "")


def factor(unit: str, dimension: Dimension) -> float | None:
    """What to multiply a value in `unit` with; None if the unit does not fit.

    Examples
    --------
    >>> factor("mA.h", "capacity")
    0.001
    >>> factor("mA", "voltage") is None
    True
    """
    for found, value in _UNITS.get(_key(unit), ()):
        if found == dimension:
            return value
    return None


def units_of(dimension: Dimension) -> list[str]:
    """Units that are understood for a dimension, for messages."""
    return [
        u for u, meanings in _UNITS.items() if any(d == dimension for d, _ in meanings)
    ]


def _key(unit: str) -> str:
    text = unit.replace("µ", "u").replace("μ", "u").replace("Ω", "ohm")
    text = text.replace("°", "deg").replace("\u2126", "ohm")
    return re.sub(r"[\s.\-·*]", "", text).lower()


def _words(text: str) -> str:
    return re.sub(r"[\s_]+", " ", text).strip().lower()
