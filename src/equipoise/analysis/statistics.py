"""Which cycles are alike, and statistics over many cycles and few cells.

scipy is imported only where it is used.

References
----------
Welch, Biometrika 34 (1947) 28 (difference of means); Hedges, J. Educ. Stat. 6 (1981)
107 (effect size and its correction); Sen, J. Am. Stat. Assoc. 63 (1968) 1379 (slope).
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.core.errors import DataError, SpecError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

Array = NDArray[np.float64]
Group = tuple[ArrayLike, ArrayLike, ArrayLike]
"""Mean, standard deviation (n - 1) and number of the cells of a group."""

CAPACITIES = (
    "discharging_capacity_mah_per_g_positive",
    "discharging_capacity_ah",
    "charging_capacity_mah_per_g_positive",
    "charging_capacity_ah",
)
REMEDIES = (
    ("_positive", "give positive_active_mass_mg in the record of the cell"),
    ("_c_rate", "give one_c_ma in the record of the cell"),
    ("cycle_kind", "classify(cycles) gives it; kinds=None takes all complete cycles"),
    ("complete", "classify(cycles) gives it"),
    ("_vs_li_volt", "it needs a time series with the potentials of the electrodes"),
)


def require_columns(cycles: pl.DataFrame, names: Sequence[str], needed_by: str) -> None:
    """Refuse a cycle table that is empty or lacks a column.

    Raises
    ------
    DataError
        It names the column and what would give it.
    """
    missing = [n for n in names if n not in cycles.columns]
    if missing:
        remedy = "make the table with cycle_summary"
        for end, advice in REMEDIES:
            if missing[0].endswith(end):
                remedy = advice
                break
        raise DataError(
            f"{needed_by} needs the column {missing[0]!r}; "
            f"found: {', '.join(cycles.columns)}",
            remedy=remedy,
        )
    if cycles.height == 0:
        raise DataError(f"{needed_by}: the cycle table has no rows")


def capacity_column(cycles: pl.DataFrame, quantity: str) -> str:
    """Name the capacity column that is meant; "auto" is discharging, per gram if there.

    Raises
    ------
    SpecError
        If `quantity` is not a capacity.
    """
    if quantity == "auto":
        there = [c for c in CAPACITIES[:2] if c in cycles.columns]
        return there[0] if there else CAPACITIES[1]
    if quantity not in CAPACITIES:
        known = nearest(quantity, CAPACITIES)
        raise SpecError(f"quantity = {quantity!r} is not a capacity; {known}")
    return quantity


def comparable_cycles(
    cycles: pl.DataFrame,
    quantity: str,
    *,
    kinds: Sequence[str] | None,
    needed_by: str,
) -> pl.DataFrame:
    """Complete cycles of some kinds that have the quantity, in order of their number.

    Parameters
    ----------
    cycles
        Cycle table.
    quantity
        Column that must be finite.
    kinds
        Of `cycle_kind`; None for every complete cycle.

    Raises
    ------
    DataError
        If a column is missing, a cycle is there twice, or no cycle is left.
    """
    import polars as pl  # 0.5 s: only where a table is made

    kinds = (kinds,) if isinstance(kinds, str) else kinds
    needs = ["cycle_count", "complete", *([] if kinds is None else ["cycle_kind"])]
    require_columns(cycles, [*needs, quantity], needed_by)
    _refuse_twins(cycles, needed_by)
    like = pl.col("complete").fill_null(value=False)
    if kinds is not None:
        like &= pl.col("cycle_kind").is_in(list(kinds)).fill_null(value=False)
    finite = pl.col(quantity).cast(pl.Float64).is_finite().fill_null(value=False)
    chosen = cycles.filter(like & finite).sort("cycle_count")
    if chosen.height == 0:
        raise _nothing_left(cycles, quantity, kinds, needed_by)
    return chosen


def floats(table: pl.DataFrame, name: str) -> Array:
    """Return a column as float64, NaN where it is null."""
    import polars as pl

    return table[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()


def check_confidence(confidence_fraction: float) -> None:
    """Refuse a confidence that is not between 0.5 and 1.

    Raises
    ------
    SpecError
        If it is not, such as 95 instead of 0.95.
    """
    if not 0.5 <= confidence_fraction < 1.0:
        raise SpecError(
            f"confidence_fraction = {confidence_fraction:g} is not in [0.5, 1)",
            remedy="0.95 is 95 %",
        )


def mean_and_deviation(values: Array) -> tuple[Array, Array, NDArray[np.int64]]:
    """Mean, standard deviation and number of the values that are not NaN.

    Parameters
    ----------
    values
        (cells, m); NaN where a cell has no value.

    Returns
    -------
    tuple
        Each (m,). The deviation has n - 1 in its denominator: NaN for one value,
        which says nothing of the spread. The mean of no value is NaN.
    """
    here = np.isfinite(values)
    n = here.sum(axis=0).astype(np.int64)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Around a value of the column, so that equal values have a mean and a
        # deviation without rounding error.
        column = np.where(here, values, -np.inf)
        centre = column.max(axis=0, initial=-np.inf)
        off = np.where(here, values - centre, 0.0)
        shift = off.sum(axis=0) / n
        squares = np.where(here, (off - shift) ** 2, 0.0).sum(axis=0)
        deviation = np.sqrt(squares / np.where(n > 1, n - 1, np.nan))
        return np.where(n > 0, centre + shift, np.nan), deviation, n


def welch(
    first: Group,
    second: Group,
    *,
    confidence_fraction: float = 0.95,
) -> tuple[Array, Array, Array, Array]:
    """Difference of two means with its interval; variances may differ.

    Parameters
    ----------
    first, second
        Mean, standard deviation (n - 1) and number of values of each group; arrays
        of one shape.
    confidence_fraction
        Of the two-sided interval.

    Returns
    -------
    tuple
        Difference first - second, its low and high end, degrees of freedom. Ends and
        degrees of freedom are NaN if a group has fewer than two values, or if neither
        has any spread (equal readings: the scatter is not known, not zero).

    Raises
    ------
    SpecError
        If the confidence is not in [0.5, 1).

    References
    ----------
    Welch, Biometrika 34 (1947) 28.
    """
    from scipy.stats import t  # 1.4 s: only where an interval is asked for

    check_confidence(confidence_fraction)
    (mean_a, s_a, n_a), (mean_b, s_b, n_b) = (
        tuple(np.asarray(x, dtype=np.float64) for x in group)
        for group in (first, second)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        part_a, part_b = s_a**2 / n_a, s_b**2 / n_b
        freedom = (part_a + part_b) ** 2 / (
            part_a**2 / (n_a - 1.0) + part_b**2 / (n_b - 1.0)
        )
        half = np.asarray(
            t.ppf(0.5 + 0.5 * confidence_fraction, freedom), dtype=np.float64
        ) * np.sqrt(part_a + part_b)
    difference = np.asarray(mean_a - mean_b, dtype=np.float64)
    return difference, difference - half, difference + half, freedom


def hedges_correction(degrees_of_freedom: int) -> float:
    """Factor that makes a standardised difference of small groups unbiased, exactly.

    NaN below two degrees of freedom, where no unbiased estimate exists.

    References
    ----------
    Hedges, J. Educ. Stat. 6 (1981) 107; the usual 1 - 3 / (4 df - 1) approximates it.

    Examples
    --------
    >>> round(hedges_correction(2), 4)  # n = 2 and 2
    0.5642
    """
    half = 0.5 * degrees_of_freedom
    if degrees_of_freedom < 2:
        return math.nan
    return math.exp(math.lgamma(half) - math.lgamma(half - 0.5)) / math.sqrt(half)


def hedges_g(
    first: Group,
    second: Group,
) -> Array:
    """Difference of two means in pooled standard deviations, corrected for small n.

    Parameters
    ----------
    first, second
        As in `welch`.

    Returns
    -------
    Array
        NaN if a group has fewer than two values or if there is no spread. With n = 2
        and 2 cells of one population |g| exceeds 0.46 in half of all cases and 2.4 in
        one of twenty: such a g says nothing of the size of an effect.

    References
    ----------
    Hedges, J. Educ. Stat. 6 (1981) 107.
    """
    (mean_a, s_a, n_a), (mean_b, s_b, n_b) = (
        tuple(np.asarray(x, dtype=np.float64) for x in group)
        for group in (first, second)
    )
    freedom = n_a + n_b - 2.0
    correction = np.array([hedges_correction(int(f)) for f in np.atleast_1d(freedom)])
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = np.sqrt(((n_a - 1.0) * s_a**2 + (n_b - 1.0) * s_b**2) / freedom)
        g = (mean_a - mean_b) / pooled * correction.reshape(freedom.shape)
    return np.where(np.isfinite(g), g, np.nan)


def theil_sen(
    x: Array, y: Array, *, confidence_fraction: float = 0.95, points_count: int = 2000
) -> tuple[float, float, float]:
    """Median slope of all pairs of points, with its interval.

    Parameters
    ----------
    x, y
        Shape (m,); points with NaN are left out.
    points_count
        Longer series are thinned evenly to as many points: pairs grow with the
        square, and thinning moves the slope by far less than its interval.

    Returns
    -------
    tuple
        Slope, low and high end; NaN for fewer than 2 points, the interval NaN for
        fewer than 4. The interval takes the residuals for independent; the capacities
        of successive cycles are not, so the true one is wider.

    Raises
    ------
    SpecError
        If the confidence is not in [0.5, 1).

    References
    ----------
    Sen, J. Am. Stat. Assoc. 63 (1968) 1379.
    """
    check_confidence(confidence_fraction)
    keep = np.isfinite(x) & np.isfinite(y)
    x, y = x[keep], y[keep]
    if x.size > points_count:
        at = np.unique(np.linspace(0, x.size - 1, points_count).round().astype(int))
        x, y = x[at], y[at]
    i, j = np.triu_indices(x.size, 1)
    run = x[j] - x[i]
    slopes = np.sort((y[j] - y[i])[run != 0.0] / run[run != 0.0])
    if slopes.size == 0:
        return math.nan, math.nan, math.nan
    slope, n = float(np.median(slopes)), x.size
    if n < 4:
        return slope, math.nan, math.nan
    # Kendall's variance: ranks of the slopes that bound the interval
    quantile = NormalDist().inv_cdf(0.5 + 0.5 * confidence_fraction)
    reach = quantile * math.sqrt(n * (n - 1) * (2 * n + 5) / 18.0)
    low = max(round((slopes.size - reach) / 2.0) - 1, 0)
    high = min(round((slopes.size + reach) / 2.0), slopes.size - 1)
    return slope, float(slopes[low]), float(slopes[high])


def _refuse_twins(cycles: pl.DataFrame, needed_by: str) -> None:
    count = cycles["cycle_count"]
    if not count.dtype.is_integer() or count.null_count():
        raise DataError(
            f"{needed_by}: cycle_count must be whole numbers without nulls; it is "
            f"{count.dtype} with {count.null_count()} nulls"
        )
    twice = count.filter(count.is_duplicated())
    if len(twice):
        raise DataError(
            f"{needed_by}: cycle {twice[0]} is in the table {(count == twice[0]).sum()}"
            " times",
            remedy="keep one row per cycle; tables of two tests need new numbers",
        )


def _nothing_left(
    cycles: pl.DataFrame, quantity: str, kinds: Sequence[str] | None, needed_by: str
) -> DataError:
    """Why no like cycle is there."""
    complete = cycles.filter(cycles["complete"].fill_null(value=False))
    if complete.height == 0:
        return DataError(
            f"{needed_by}: none of the {cycles.height} cycles is complete",
            remedy="a complete cycle has a charge and a discharge of like size",
        )
    if kinds is not None:
        found = complete["cycle_kind"].drop_nulls().unique().sort().to_list()
        if not set(found) & set(kinds):
            return DataError(
                f"{needed_by}: no complete cycle is of kind {', '.join(kinds)}; "
                f"found: {', '.join(found)}",
                remedy="give kinds=(...) as they are named, or kinds=None for all",
            )
    return DataError(f"{needed_by}: {quantity} is missing in every like cycle")
