"""Headers of impedance tables: which quantity, in which unit, with which sign.

The existing grammar of cycler headers folds the case, so that mOhm and MOhm look
alike; here they must not.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Quantity = Literal[
    "frequency",
    "real",
    "imaginary",
    "magnitude",
    "phase",
    "admittance",
    "logarithm",
    "group",
    "name",
]
Stated = Literal["measured", "negative"]

_PREFIX = {
    "": 1.0,
    "k": 1e3,
    "K": 1e3,
    "m": 1e-3,
    "M": 1e6,
    "G": 1e9,
    "µ": 1e-6,
    "u": 1e-6,
}
_OHM = re.compile(
    r"^(?P<prefix>[kKmMGuµ]?)(?P<ohm>ohms?|Ω)(?P<area>.*)$", re.IGNORECASE
)
_WORDS = {
    "milliohm": 1e-3,
    "kiloohm": 1e3,
    "kilohm": 1e3,
    "megaohm": 1e6,
    "megohm": 1e6,
}
_AREA = {"cm2": 1.0, "m2": 1e4, "mm2": 1e-2}
_FREQUENCY = {
    "hz": 1.0,
    "hertz": 1.0,
    "1/s": 1.0,
    "s-1": 1.0,
    "rad/s": 0.5 / math.pi,
    "rads-1": 0.5 / math.pi,
    "radpersecond": 0.5 / math.pi,
}
_ANGLE = {
    "deg": math.pi / 180.0,
    "degree": math.pi / 180.0,
    "degrees": math.pi / 180.0,
    "°": math.pi / 180.0,
    "º": math.pi / 180.0,
    "rad": 1.0,
    "radian": 1.0,
    "radians": 1.0,
    "mrad": 1e-3,
}

_QUANTITIES: dict[str, Quantity] = {
    **dict.fromkeys(
        ("freq", "frequency", "f", "frequenz", "freqs", "frequencies", "fhz"),
        "frequency",
    ),
    **dict.fromkeys(("omega", "ω", "angular frequency"), "frequency"),
    **dict.fromkeys(
        (
            "z'", "zre", "z re", "zreal", "z real", "rez", "re z", "re(z)", "real(z)",
            "realz", "real z", "real", "re", "zr", "z r", "zprime", "z prime",
            "real impedance", "impedance real", "real part", "z'(a)", "real(impedance)",
            "zreal part", "realteil", "z.real", "real part of impedance", "z(re)",
            "z(real)", "re(impedance)",
        ),
        "real",
    ),
    **dict.fromkeys(
        (
            "z''", "zim", "z im", "zimag", "z imag", "zimg", "z img", "imz", "im z",
            "im(z)", "imag(z)", "imagz", "imag z", "imag", "im", "img", "imaginary",
            "zi", "z i", "zdoubleprime", "z double prime", "imaginary impedance",
            "impedance imaginary", "impedance imag", "imaginary part", "z''(b)",
            "z imaginary", "zimaginary", "imag(impedance)", "imaginary z", "z.imag",
            "imaginary part of impedance", "z(im)", "z(imag)", "reactance",
            "imaginärteil", "im(impedance)", "imaginary(z)",
        ),
        "imaginary",
    ),
    **dict.fromkeys(
        (
            "|z|", "z", "zmod", "z mod", "mod z", "mod(z)", "modulus", "mag", "zmag",
            "z mag", "magnitude", "abs(z)", "absz", "abs z", "|impedance|", "impedance",
            "impedance magnitude", "z magnitude", "impedance modulus", "zabs", "z abs",
            "mag(z)", "modz", "betrag",
        ),
        "magnitude",
    ),
    **dict.fromkeys(
        (
            "phase", "phz", "zphz", "z phz", "phase(z)", "phase angle", "theta", "θ",
            "φ", "ϕ", "phi", "phase of z", "z phase", "zphase", "phasez", "phase z",
            "arg(z)", "impedance phase", "angle", "theta(z)",
        ),
        "phase",
    ),
    **dict.fromkeys(
        (
            "y'", "y''", "y", "|y|", "re(y)", "im(y)", "yre", "yim", "yreal", "yimag",
            "y real", "y imag", "phase(y)", "admittance", "y re", "y im",
        ),
        "admittance",
    ),
    **dict.fromkeys(
        ("log f", "logf", "log(f)", "log freq", "log(freq)", "log frequency",
         "log(frequency)", "log10(f)", "log10(freq)", "log10 f", "lg f", "log w",
         "log(w)", "log ω", "log10(frequency)"),
        "logarithm",
    ),
    **dict.fromkeys(
        (
            "spectrum index", "spectrum", "sweep", "loop", "cycle", "cycle number",
            "cycle index", "cycle count", "segment", "segment #", "step", "step index",
            "step count", "ns", "cyc#", "cycle no", "sweep number", "loop number",
            "spectrum number", "measurement", "dataset",
        ),
        "group",
    ),
    **dict.fromkeys(
        ("channel", "channel number", "channel no", "channel index"),
        "group",
    ),
    **dict.fromkeys(
        (
            "name", "sample", "file", "label", "cell", "cell name", "cell id",
            "sample name", "sample id", "specimen", "filename", "file name",
        ),
        "name",
    ),
}  # fmt: skip
_MINUS = re.compile(
    r"^(?:-\s*|\(-\)\s*|neg(?:ative|\.)?[\s_]+|minus[\s_]+|-?1\s*\*\s*)(?P<rest>.+)$",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"^(?P<what>.*?\S)\s*[(\[{]\s*(?P<unit>[^()\[\]{}]+?)\s*[)\]}]$")
_SLASH = re.compile(r"^(?P<what>.*?\S)\s*/\s*(?P<unit>.+)$")
_IN = re.compile(r"^(?P<what>.*?\S)(?:\s*,\s*|\s+in\s+|\s+)(?P<unit>[^\s,]+)$")
_SAME = {
    "\u2126": "Ω",
    "\u03bc": "µ",
    "\u2032": "'",
    "\u2033": "''",
    "\u2019": "'",
    "\u2018": "'",
    "\u201d": "''",
    "\u00b4": "'",
    "`": "'",
    "\u2212": "-",
    "\u2013": "-",
    "\u2010": "-",
    "\u00b2": "2",
    "^2": "2",
    "\u2223": "|",
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a header says.

    Attributes
    ----------
    unit_ratio
        To Hz, ohm (or ohm cm2) or radian; None: a unit that is not known.
    area_specific
        Whether the unit is one of resistance times area.
    unit
        As written; empty: none.
    negative
        Whether the header itself says that the sign is turned: -Z''.
    """

    label: str
    quantity: Quantity
    unit: str = ""
    unit_ratio: float | None = 1.0
    area_specific: bool = False
    negative: bool = False


def meaning(label: str) -> Meaning | None:
    """What a header says; None if it is none of an impedance table.

    Examples
    --------
    >>> meaning("-Im(Z)/Ohm").negative
    True
    >>> meaning("freq / kHz").unit_ratio
    1000.0
    >>> meaning("Voltage (V)") is None
    True
    """
    text = _plain(label)
    if not text or len(text) > 80:
        return None
    found = _of(text, label)
    if found is not None:
        return found
    minus = _MINUS.match(text)
    if minus:
        found = _of(minus["rest"].strip(), label)
        if found is not None and found.quantity in ("imaginary", "phase"):
            return Meaning(
                label,
                found.quantity,
                found.unit,
                found.unit_ratio,
                found.area_specific,
                negative=True,
            )
    return None


def is_angular(label: str) -> bool:
    """Whether a label names an angular frequency.

    Examples
    --------
    >>> is_angular("omega/Hz"), is_angular("freq/Hz")
    (True, False)
    """
    return _plain(label).lower().startswith(("w", "omega", "ω", "angular"))


def with_unit(found: Meaning, unit: str) -> Meaning:
    """The same with a unit that stands elsewhere, such as in a row of units."""
    made = _with(found.label, found.quantity, _bare(unit))
    return Meaning(
        found.label,
        found.quantity,
        made.unit,
        made.unit_ratio,
        made.area_specific,
        found.negative,
    )


def unit_of(text: str, quantity: Quantity) -> tuple[float, bool] | None:
    """Factor of a unit and whether it is area-specific; None if it is not known.

    Examples
    --------
    >>> unit_of("MOhm", "real"), unit_of("mOhm", "real")
    ((1000000.0, False), (0.001, False))
    >>> unit_of("ohm cm2", "real")
    (1.0, True)
    """
    text = _bare(text)
    if quantity in ("real", "imaginary", "magnitude"):
        return _ohms(text)
    if quantity == "frequency":
        factor = _hertz(text)
    elif quantity == "phase":
        factor = _ANGLE.get(text.lower().rstrip("."))
    else:
        factor = 1.0
    return None if factor is None else (factor, False)


def _plain(label: str) -> str:
    """One spelling of quotes, minus signs, ohms and blanks."""
    text = label.strip()
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        text = text[1:-1]
    for found, same in _SAME.items():
        text = text.replace(found, same)
    text = text.replace('""', "''").replace('"', "''")
    return re.sub(r"\s+", " ", text).strip().lstrip("#%").strip()


def _bare(unit: str) -> str:
    """A unit without the brackets around it: "(Hz)", "[kOhm]", "/ Hz"."""
    text = _plain(unit).lstrip("/").strip()
    while len(text) > 2 and text[0] + text[-1] in ("()", "[]", "{}"):
        text = text[1:-1].strip()
    return text


def _quantity(text: str) -> Quantity | None:
    key = re.sub(r"[\s_]+", " ", text).strip().lower().rstrip(":.")
    key = key.removeprefix("eis ")
    return _QUANTITIES.get(key) or _QUANTITIES.get(key.replace(" ", ""))


def _of(text: str, label: str) -> Meaning | None:
    whole = _quantity(text)
    if whole is not None:
        return _with(label, whole, "")
    unknown: Meaning | None = None
    for what, unit, firm in _parts(text):
        quantity = _quantity(what)
        if quantity is None:
            continue
        made = _with(label, quantity, unit)
        if made.unit_ratio is not None:
            return made
        if firm:
            unknown = unknown or made
    return unknown


def _parts(text: str) -> Iterator[tuple[str, str, bool]]:
    """Quantity, unit, and whether the second is surely meant as a unit."""
    for pattern, firm in ((_BRACKETS, True), (_SLASH, True), (_IN, False)):
        found = pattern.match(text)
        if found:
            yield found["what"], found["unit"], firm
    words = text.split("_")
    for at in range(len(words) - 1, 0, -1):
        yield "_".join(words[:at]), " ".join(words[at:]), False


def _with(label: str, quantity: Quantity, unit: str) -> Meaning:
    if quantity in ("admittance", "logarithm", "group", "name"):
        return Meaning(label, quantity, unit)
    angular = quantity == "frequency" and is_angular(label)
    if not unit:
        if angular:
            return Meaning(label, quantity, "rad/s", _FREQUENCY["rad/s"])
        return Meaning(label, quantity)
    known = unit_of(unit, quantity)
    if angular and known is not None and "rad" not in unit.lower():
        # 1/s of an angle is rad/s; in Hz it may be either
        key = re.sub(r"[\s.*·^]", "", _bare(unit)).lower()
        of_angle = key in ("1/s", "s-1")
        if of_angle:
            return Meaning(label, quantity, "rad/s", _FREQUENCY["rad/s"])
        return Meaning(label, quantity, unit, None)
    if known is None:
        # an ohm sign that an encoding lost, or the axes of ZPlot: Z'(a), Z''(b)
        lost = unit in ("?", "W", "a", "b", "�", "??", "\u00c3\u00a2\u00c2\u00a6")
        if lost and quantity in ("real", "imaginary", "magnitude"):
            return Meaning(label, quantity)
        return Meaning(label, quantity, unit, None)
    return Meaning(label, quantity, unit, *known)


def _ohms(text: str) -> tuple[float, bool] | None:
    text = text.replace("[", "").replace("]", "").strip()
    if text.lower() in _WORDS:
        return _WORDS[text.lower()], False
    found = _OHM.match(text)
    if not found or found["prefix"] + found["ohm"] == "MOHM":
        return None  # in capitals it may be either of milli and mega
    factor = _PREFIX[found["prefix"]]
    area = re.sub(r"[\s.*·_×]", "", found["area"]).lower()
    if not area:
        return factor, False
    return (factor * _AREA[area], True) if area in _AREA else None


def _hertz(text: str) -> float | None:
    key = re.sub(r"[\s.*·^]", "", text)
    if key.lower() in _FREQUENCY:
        return _FREQUENCY[key.lower()]
    if key[1:].lower() in ("hz", "hertz") and key != "mhz" and key != "MHZ":
        return {"k": 1e3, "K": 1e3, "m": 1e-3, "M": 1e6, "G": 1e9}.get(key[0])
    return None
