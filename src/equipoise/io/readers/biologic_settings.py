"""What a .mpr file says of itself: technique, comment, masses, channel, start.

Offsets are those found in files of EC-Lab 11.3 to 11.6 and BT-Lab 1.8; a value that is
no text or no number there is left out. Computer names and paths are not read.
"""

from __future__ import annotations

import re
import struct
from datetime import datetime, timedelta

TECHNIQUES = {
    0x04: "GCPL",
    0x06: "CV",
    0x0B: "OCV",
    0x18: "CA",
    0x19: "CP",
    0x1C: "WAIT",
    0x1D: "PEIS",
    0x1E: "GEIS",
    0x32: "ZIR",
    0x6C: "LSV",
    0x7F: "MB",
}
_TEXTS = {
    0x0007: "comment",
    0x011E: "electrode_material",
    0x01C0: "electrolyte",
    0x0215: "reference_in_file",
}
_NUMBERS = {
    0x0107: "active_mass_mg",
    0x0211: "electrode_area_cm2",
    0x024C: "characteristic_mass_g",
}
_CAPACITY, _CAPACITY_UNIT = 0x025C, 0x0260
_MILLIAMPERE_HOUR = 1
"""Unit of the battery capacity, by the files at hand; other codes are not known."""
NOT_ENTERED = (0.0, 0.001)
"""EC-Lab's own values of masses and areas that nobody typed in."""
_LARGEST = 1e6
_CHANNEL, _SERIAL, _START, _SOFTWARE = 0x0009, 0x00AB, 0x0249, 0x03B7
_FIRST = datetime(1899, 12, 30)
"""Of local time: the file has no zone."""
_EARLIEST_DAY, _LATEST_DAY = 32874.0, 73050.0  # 1990 to 2099


def settings(payload: bytes) -> dict[str, object]:
    """Contents of the module "VMP Set"."""
    found: dict[str, object] = {}
    if payload[:1] and payload[0] in TECHNIQUES:
        found["technique"] = TECHNIQUES[payload[0]]
    for offset, name in _TEXTS.items():
        text = _text(payload, offset)
        if text and text != "(unspecified)":
            found[name] = text
    for offset, name in _NUMBERS.items():
        number = _number(payload, offset)
        if number is not None:
            found[name] = number
    capacity = _number(payload, _CAPACITY)
    unit = payload[_CAPACITY_UNIT] if len(payload) > _CAPACITY_UNIT else 0
    if capacity is not None and unit == _MILLIAMPERE_HOUR:
        found["battery_capacity_ah"] = float(f"{1e-3 * capacity:.7g}")
    return found


def log(payload: bytes, header_date: str) -> dict[str, object]:
    """Contents of the module "VMP LOG": channel, start (local time), program.

    Parameters
    ----------
    header_date
        Date in the header of "VMP Set", "09/02/24": the start has to be near it.
    """
    found: dict[str, object] = {}
    if len(payload) > _CHANNEL:
        found["channel"] = payload[_CHANNEL] + 1
    if len(payload) >= _SERIAL + 2:
        found["channel_serial"] = struct.unpack_from("<H", payload, _SERIAL)[0]
    start = _start(payload, header_date)
    if start:
        found["started_local"] = start
    software = _text(payload, _SOFTWARE)
    if re.fullmatch(r"\d+\.\d+", software):
        found["software_version"] = software
    return found


def _start(payload: bytes, header_date: str) -> str:
    """ISO time of the start, empty if the file has none that can be."""
    if len(payload) < _START + 8:
        return ""
    (days,) = struct.unpack_from("<d", payload, _START)
    if not _EARLIEST_DAY < days < _LATEST_DAY:
        return ""
    start = _FIRST + timedelta(days=days)
    near = [d for d in _dates(header_date) if abs((start - d).days) <= 1]
    if _dates(header_date) and not near:
        return ""
    return start.isoformat(timespec="milliseconds")


def _dates(text: str) -> list[datetime]:
    """Month before day, or day before month."""
    parts = re.fullmatch(r"(\d\d)[/.-](\d\d)[/.-](\d\d)", text)
    if parts is None:
        return []
    dates: list[datetime] = []
    for order in ("%m %d %y", "%d %m %y"):
        try:
            dates.append(datetime.strptime(" ".join(parts.groups()), order))
        except ValueError:
            continue
    return dates


def _text(payload: bytes, offset: int) -> str:
    """A length and that many characters; empty unless all can be printed."""
    if len(payload) <= offset:
        return ""
    raw = payload[offset + 1 : offset + 1 + payload[offset]]
    text = re.sub(r"\s+", " ", raw.decode("cp1252", errors="replace")).strip()
    return text if len(raw) == payload[offset] and text.isprintable() else ""


def _number(payload: bytes, offset: int) -> float | None:
    if len(payload) < offset + 4:
        return None
    (value,) = struct.unpack_from("<f", payload, offset)
    number = float(f"{value:.7g}")  # the digits of float32
    usable = 0.0 < number < _LARGEST and number not in NOT_ENTERED
    return number if usable else None
