"""Which program wrote a text table, what it says of itself, and what it fixes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from equipoise.io.readers import biologic_mpt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_LINES = 300
_GAMRY = {
    "TITLE": "title",
    "DATE": "date_local",
    "TIME": "time_local",
    "TAG": "technique",
    "VDC": "bias_volt",
    "VAC": "amplitude_millivolt",
}
_ZPLOT = {
    "Date": "date_local",
    "Time": "time_local",
    "Experiment Type": "technique",
    "Open Circuit Potential (V)": "open_circuit_volt",
}
_MACCOR = {
    "Frequency Sweep": "technique",
    "Start Date": "started_local",
}
UNSET_AREA_CM2 = 1.0
"""Programs write it where nobody entered an area: it says nothing."""


@dataclass(frozen=True, slots=True)
class Flavour:
    """What the lines around a table say.

    Attributes
    ----------
    format
        Name of the program's format; empty: any.
    firm
        Whether the program fixes the sign of Z''.
    area_cm2
        As entered in the program; None if it was not.
    """

    format: str = ""
    firm: bool = False
    area_cm2: float | None = None
    metadata: Mapping[str, object] = field(default_factory=dict[str, object])


def flavour(lines: list[str], header_line: int) -> Flavour:
    """Recognise the program by what stands above the header in line `header_line`."""
    above = lines[: max(min(header_line, 20_000), 1)]
    first = next((x.strip() for x in above if x.strip()), "")
    for test, made in _FLAVOURS:
        if test(first, above):
            return made(above)
    return Flavour()


def _gamry(above: list[str]) -> Flavour:
    found: dict[str, object] = {}
    area = None
    for line in above[:MOST_LINES]:
        cells = line.split("\t")
        if len(cells) < 3:
            continue
        name = _GAMRY.get(cells[0])
        if cells[0] == "AREA":
            area = _area(cells[2])
        elif cells[0] == "TAG" and len(cells) > 1:
            found["technique"] = cells[1].strip()
        elif name is not None and cells[2].strip():
            found[name] = _value(cells[2])
    tag = next((x.split("\t")[1] for x in above if x.startswith("TAG\t")), "")
    if tag:
        found["technique"] = tag.strip()
    return Flavour("Gamry .DTA", firm=True, area_cm2=area, metadata=found)


def _zplot(above: list[str]) -> Flavour:
    found = _pairs(above, _ZPLOT)
    area = None
    for line in above[:MOST_LINES]:
        name, colon, rest = line.partition(":")
        if colon and name.strip() == "Surface Area":
            area = _area(rest)
    return Flavour("ZPlot .z", firm=True, area_cm2=area, metadata=found)


def _ec_lab(above: list[str]) -> Flavour:
    found = biologic_mpt.preamble([x.rstrip("\r") for x in above[:-1]])
    area = found.get("electrode_area_cm2")
    return Flavour(
        "Bio-Logic text",
        firm=True,
        area_cm2=area if isinstance(area, float) else None,
        metadata=found,
    )


def _maccor(above: list[str]) -> Flavour:
    return Flavour("MACCOR impedance", metadata=_pairs(above, _MACCOR))


def _named(name: str, *, firm: bool = False) -> Callable[[list[str]], Flavour]:
    def made(_: list[str]) -> Flavour:
        return Flavour(name, firm=firm)

    return made


def _pairs(lines: list[str], names: Mapping[str, str]) -> dict[str, object]:
    """Values of "name: value" lines."""
    found: dict[str, object] = {}
    for line in lines[:MOST_LINES]:
        for name, ours in names.items():
            text = line.strip()
            if text.startswith(f"{name}:") and text[len(name) + 1 :].strip():
                found[ours] = _value(text[len(name) + 1 :])
    return found


def _value(text: str) -> object:
    text = re.sub(r"\s+", " ", text).strip()
    try:
        return float(text)
    except ValueError:
        return text


def _area(text: str) -> float | None:
    """Of an entry in cm2; None if it is the program's own or no number."""
    value = _value(text)
    if not isinstance(value, float) or not value > 0.0 or value == UNSET_AREA_CM2:
        return None
    return value


_FLAVOURS: tuple[
    tuple[Callable[[str, list[str]], bool], Callable[[list[str]], Flavour]], ...
] = (
    (lambda first, _: first.startswith("EXPLAIN"), _gamry),
    (lambda first, _: first.strip('"').upper().startswith("ZPLOT"), _zplot),
    (lambda first, _: "-Lab ASCII FILE" in first, _ec_lab),
    (lambda first, _: first.upper().startswith("MACCOR, INC"), _maccor),
    (lambda first, _: "Z60W Data File" in first, _named("Autolab FRA")),
    (
        lambda _, above: any("A.C. Impedance" in x for x in above[:5]),
        _named("CH Instruments"),
    ),
    (
        lambda _, above: above[-1].lstrip().startswith("Definition="),
        _named("VersaStudio .par", firm=True),
    ),
)
