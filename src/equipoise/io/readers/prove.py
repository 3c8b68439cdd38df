"""From a draft to a table: settle units and signs, prove them, or fail loudly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.columns import COLUMNS, REQUIRED, require
from equipoise.core.errors import DataError
from equipoise.io.readers import sign_proof as sp
from equipoise.io.readers.compare_counters import Told, compare_counters
from equipoise.io.readers.counters import column_name, counted
from equipoise.io.readers.repairs import repair
from equipoise.io.readers.settle_sign import CurrentSign, settle_sign
from equipoise.io.readers.settle_time import see_order, settle_time
from equipoise.io.readers.work import Work

if TYPE_CHECKING:
    import polars as pl

    from equipoise.io.readers.draft import Array, Draft

POTENTIAL_TOLERANCE_VOLT = 2e-3
"""Of positive - negative = voltage; potentiostats measure the three by themselves."""


def prove(
    draft: Draft,
    where: str,
    *,
    repairs: frozenset[str] = frozenset(),
    current_sign: CurrentSign | None = None,
) -> pl.DataFrame:
    """The table of a draft, with time in second and current > 0 on charging.

    Parameters
    ----------
    where
        The file, for messages.
    repairs
        Names from `repairs.REPAIRS`.
    current_sign
        What the user says; it still has to agree with the file.

    Raises
    ------
    DataError
        If a required column is missing or has no number, the time runs back, or
        columns contradict each other; it says which disagrees and by how much.
    """
    require(draft.columns, where=where)
    if draft.columns["voltage_volt"].len() == 0:
        raise DataError("there is no row", where=where, remedy="export the test again")
    repair(draft, repairs)
    work = Work(draft, where)
    _finite(work)
    settle_time(work)
    see_order(work)
    counts = [
        counted(c, work.cycles, work.steps, work.reach(c.quantity))
        for c in draft.counters
    ]
    settle_sign(work, counts, current_sign)
    told = compare_counters(work, counts)
    _potentials(work)
    return _assembled(work, told)


def _finite(work: Work) -> None:
    arrays = (work.seconds, work.volts, work.amperes)
    for name, values in zip(REQUIRED, arrays, strict=True):
        if np.isfinite(values.sum()):
            continue
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            raise DataError(
                f"column {COLUMNS[name].label!r} has no number in {bad.size} of "
                f"{values.size} rows, first in row {bad[0] + 1}",
                where=work.where,
                remedy="remove these rows, or export them with values",
            )


def _potentials(work: Work) -> None:
    """Positive minus negative must be the voltage."""
    names = ("positive_electrode_potential_volt", "negative_electrode_potential_volt")
    if not all(n in work.draft.columns for n in names):
        return
    positive, negative = (work.draft.floats(n) for n in names)
    residual = np.abs(positive - negative - work.volts)
    known = np.isfinite(residual)
    if not known.any():
        return
    usual = float(np.quantile(residual[known], 0.99))
    if usual > POTENTIAL_TOLERANCE_VOLT:
        raise DataError(
            f"positive minus negative potential differs from the voltage by "
            f"{1e3 * usual:.3g} mV (99 of 100 rows below)",
            where=work.where,
            remedy="the columns of the electrodes are mixed up, or one is against "
            "another reference",
        )
    work.note(
        "proven",
        "electrode potentials",
        f"positive - negative = voltage within {1e3 * usual:.2g} mV (99 of 100 rows)",
    )


def _assembled(work: Work, told: list[Told]) -> pl.DataFrame:
    import polars as pl

    columns = dict(work.draft.columns)
    for name, values in (
        ("test_time_second", work.seconds),
        ("current_ampere", work.amperes),
    ):
        if not np.shares_memory(values, columns[name].to_numpy()):
            columns[name] = pl.Series(values)
    for counter, count, _ in told:
        name = column_name(counter, count.rule)
        if counter.declared and name != counter.declared and name:
            work.note(
                "look",
                counter.label,
                f"starts anew with every {count.rule}: taken as "
                f"{COLUMNS[name].label!r}",
            )
        if name and name not in columns:
            columns[name] = pl.Series(counter.values).fill_nan(None)
    for quantity, unit in (("capacity", "ah"), ("energy", "wh")):
        _whole_test(columns, work, told, quantity, unit)
    order = [n for n in COLUMNS if n in columns]
    order += [n for n in columns if n not in COLUMNS]
    return pl.DataFrame({n: columns[n].alias(n) for n in order})


def _whole_test(
    columns: dict[str, pl.Series],
    work: Work,
    told: list[Told],
    quantity: str,
    unit: str,
) -> None:
    """Add counters of charge and discharge since the start, from the cycler's own."""
    import polars as pl

    names = [f"{d}charging_{quantity}_{unit}" for d in ("", "dis")]
    if all(n in columns for n in names):
        return
    of = [t for t in told if t.counter.quantity == quantity]
    apart = {t.counter.direction: t.counts.increments for t in of}
    if "charge" in apart and "discharge" in apart:
        up, down = apart["charge"], apart["discharge"]
    elif "net" in apart:
        up, down = np.maximum(apart["net"], 0.0), np.maximum(-apart["net"], 0.0)
    elif "both" in apart:
        sign = _direction_of_rows(work.amperes)
        up, down = apart["both"] * (sign > 0), apart["both"] * (sign < 0)
    else:
        return
    for name, increments in zip(names, (up, down), strict=True):
        columns.setdefault(name, pl.Series(np.cumsum(increments)))
    work.note(
        "recognised",
        COLUMNS[names[0]].label,
        "and its counterpart: summed up from the cycler's own increments",
    )


def _direction_of_rows(amperes: Array) -> NDArray[np.int8]:
    """Sign of the current in the interval that ends in each row."""
    rest = sp.rest_ampere(amperes)
    sign = np.where(np.abs(amperes) > rest, np.sign(amperes), 0.0).astype(np.int8)
    before = np.concatenate((sign[:1], sign[:-1]))
    return np.where(sign != 0, sign, before).astype(np.int8)
