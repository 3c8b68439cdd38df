"""Clocks of tables: dates with and without a zone, and days as numbers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.io.readers import clocks
from equipoise.io.readers.column_map import NUMBER_CLOCKS

if TYPE_CHECKING:
    import polars as pl

Array = NDArray[np.float64]
EARLIEST_SECOND, LATEST_SECOND = -6.3e8, 4.1e9
"""In the years 1950 and 2099: a clock beyond is none, or its years have two digits."""
MOST_DIGITS = 15
_ZONE = r":\d{2}(?:[.,]\d*)?\s*(Z|[+-]\d{2}:?\d{2})$"


class Stamps(NamedTuple):
    """A column of dates and times.

    Attributes
    ----------
    second
        Since 1970, shape (N,); NaN where there is none.
    first
        The first one in local time, as ISO text; empty if only the time of day is
        known.
    certain
        False if day and month could be exchanged.
    universal
        True if `second` is UTC, False if it is the local time of the file.
    """

    second: Array
    first: str
    certain: bool
    universal: bool
    resolution_second: float


def number_clock(values: pl.Series, form: str, places: int | None) -> Stamps | None:
    """Days or seconds as numbers, by one of `NUMBER_CLOCKS`; None if out of range.

    Parameters
    ----------
    places
        Printed decimals, None if not known.
    """
    per_unit, origin = NUMBER_CLOCKS[form]
    array = values.fill_null(float("nan")).to_numpy().astype(np.float64)
    second = (array - origin) * per_unit
    if not _plausible(second):
        return None
    known = second[np.isfinite(second)]
    first = datetime.fromtimestamp(float(known[0]), UTC).replace(tzinfo=None)
    digits = MOST_DIGITS if places is None else places
    return Stamps(
        second,
        first.isoformat(),
        certain=True,
        universal=form.startswith("unix"),
        resolution_second=max(per_unit * 10.0**-digits, 1e-3),
    )


def _plausible(second: Array) -> bool:
    known = second[np.isfinite(second)]
    if known.size == 0:
        return False
    return bool(known.min() >= EARLIEST_SECOND and known.max() <= LATEST_SECOND)


def stamps(text: pl.Series, form: str | None) -> Stamps | None:
    """Dates and times in a given format, or in one that fits all; else None.

    Zones ("Z", "+02:00") are taken off, so that the answer is in UTC.
    """
    resolution = clocks.resolution_second(text)
    offset = None
    if form is None:
        offset = _offset_second(text)
        if offset is not None:
            text = text.str.replace(r"\s*(?:Z|[+-]\d{2}:?\d{2})$", "")
        text = text.str.replace(r"^(\d{4}-\d{2}-\d{2})T", "${1} ")
        found = clocks.clock(text)
    else:
        found = _formatted(text, form)
    if found is None or (found.first and not _plausible(found.second)):
        return None
    second = found.second if offset is None else found.second - offset
    zoned = offset is not None or (form is not None and "%z" in form)
    return Stamps(second, found.first, found.certain, zoned, resolution)


def _offset_second(text: pl.Series) -> Array | None:
    """Zones of ISO stamps in second east of UTC; None if not all have one."""
    import polars as pl

    zone = text.str.extract(_ZONE, 1)
    if len(zone) == 0 or zone.null_count() > text.null_count():
        return None
    digits = zone.str.replace(":", "", literal=True)
    sign = pl.select(
        pl.when(digits.str.starts_with("-")).then(-1.0).otherwise(1.0)
    ).to_series()
    parts = [
        digits.str.extract(pattern, 1).cast(pl.Float64).fill_null(0.0)
        for pattern in (r"^[+-](\d{2})", r"(\d{2})$")
    ]
    offset = sign * (parts[0] * 3600.0 + parts[1] * 60.0)
    return offset.to_numpy().astype(np.float64)


def _formatted(text: pl.Series, form: str) -> clocks.Clock | None:
    import polars as pl

    try:
        found = text.str.to_datetime(form, strict=False, time_unit="us")
    except pl.exceptions.PolarsError:
        return None
    if len(found) == 0 or found.null_count() != text.null_count():
        return None
    second = found.dt.epoch("us").cast(pl.Float64) * 1e-6
    first = found.drop_nulls()
    if not len(first):
        return None
    return clocks.Clock(
        second.fill_null(float("nan")).to_numpy().astype(np.float64),
        re.sub(r"[+-]\d{2}:\d{2}$", "", first[0].isoformat()),
        certain=True,
    )
