"""Durations and times of day, as cyclers print them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

Array = NDArray[np.float64]
_DURATION = (
    r"^:?(?:(?P<d>\d+)\s*(?:d\s*|:))?(?P<h>\d+):(?P<m>\d+):(?P<s>\d+(?:[.,]\d*)?)$"
)
_DATES = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d.%m.%y",  # before %Y, which takes 24 for the year 24
    "%d.%m.%Y",
    "%d-%b-%y",
    "%m/%d/%y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d-%b-%Y",
)
_TIMES = ("%H:%M:%S%.f", "%I:%M:%S%.f %p", "%H:%M")
SECOND_PER_DAY = 86400.0
MOST_BARE_SHARE = 0.01
"""Of dates without a time: some programs leave it out at midnight sharp."""


class Clock(NamedTuple):
    """A column of dates and times.

    Attributes
    ----------
    second
        Since 1970, in the local time of the file; NaN where there is none.
    first
        The first one, as ISO text; empty where only the time of day is known.
    certain
        False if day and month could be exchanged.
    """

    second: Array
    first: str
    certain: bool


def is_duration(text: pl.Series) -> bool:
    """Whether a column holds durations such as "2d 02:52:21.57" or "00:05:10"."""
    found = text.drop_nulls()
    return bool(len(found)) and bool(found.head(50).str.contains(_DURATION).all())


def durations(text: pl.Series) -> pl.Series:
    """Durations in second; null where the text is none."""
    import polars as pl

    parts = text.str.extract_groups(_DURATION).struct.unnest()
    second = parts["s"].str.replace(",", ".", literal=True).cast(pl.Float64)
    days = parts["d"].cast(pl.Float64).fill_null(0.0)
    return (
        days * SECOND_PER_DAY
        + parts["h"].cast(pl.Float64) * 3600.0
        + parts["m"].cast(pl.Float64) * 60.0
        + second
    ).alias(text.name)


def clock(text: pl.Series) -> Clock | None:
    """A column of dates and times; None if it is none.

    A date with slashes is month/day/year unless a day above 12 stands first.
    """
    import polars as pl

    found = text.drop_nulls()
    if not len(found):
        return None
    found_forms: list[tuple[str, pl.Series]] = []
    sample = found.gather_every(max(len(found) // 200, 1))
    for date in _DATES:
        for time in _TIMES:
            if _stamps(sample, date, time).is_not_null().all():
                stamps = _stamps(text, date, time)
                if stamps.null_count() == text.null_count():
                    found_forms.append((date, stamps))
    if not found_forms:
        return _time_of_day(text)
    stamps = found_forms[0][1]
    swapped = {"%m/%d/%Y", "%d/%m/%Y"} <= {date for date, _ in found_forms}
    first = stamps.drop_nulls()[0]
    second = stamps.dt.epoch("us").cast(pl.Float64) * 1e-6
    return Clock(
        second.fill_null(float("nan")).to_numpy().astype(np.float64),
        first.isoformat(),
        not swapped,
    )


def _stamps(text: pl.Series, date: str, time: str) -> pl.Series:
    """Dates with a time; a few may lack it."""
    import polars as pl

    stamps = text.str.to_datetime(f"{date} {time}", strict=False, time_unit="us")
    lost = stamps.null_count() - text.null_count()
    if 0 < lost <= max(MOST_BARE_SHARE * len(text), 1.0) and lost < len(text) / 2:
        midnight = text.str.to_date(date, strict=False).cast(pl.Datetime("us"))
        stamps = stamps.fill_null(midnight)
    return stamps


def _time_of_day(text: pl.Series) -> Clock | None:
    """Times without a date: midnight is passed where they run back."""
    import polars as pl

    times = text.str.to_time("%H:%M:%S%.f", strict=False)
    if times.null_count() != text.null_count():
        return None
    second = (
        times.cast(pl.Int64).cast(pl.Float64).fill_null(float("nan")).to_numpy() * 1e-9
    )
    known = np.isfinite(second)
    days = np.cumsum(np.diff(second[known], prepend=second[known][:1]) < -1.0)
    out = second.copy()
    out[known] += days * SECOND_PER_DAY
    return Clock(out, "", certain=False)


def resolution_second(text: pl.Series) -> float:
    """1 s, or 0.001 s if fractions are printed, or 60 s without seconds."""
    found = text.drop_nulls().head(100)
    if found.str.contains(r":\d+\.\d*[1-9]").any():
        return 0.001
    return 1.0 if found.str.contains(r"\d:\d+:\d").any() else 60.0
