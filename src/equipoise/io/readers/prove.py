"""From a draft to a table: settle units and signs, prove them, or fail loudly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.core.columns import COLUMNS, REQUIRED, require
from equipoise.core.errors import DataError
from equipoise.io.readers import charge_proof as cp
from equipoise.io.readers import sign_proof as sp
from equipoise.io.readers import time_proof as tp
from equipoise.io.readers.counters import Counted, column_name, counted, granularity
from equipoise.io.readers.printed import rounding_of
from equipoise.io.readers.recording import Finding
from equipoise.io.readers.repairs import repair

if TYPE_CHECKING:
    import polars as pl

    from equipoise.io.readers.draft import Counter, Draft

Array = NDArray[np.float64]
CurrentSign = Literal["charging positive", "charging negative"]
POTENTIAL_TOLERANCE_VOLT = 2e-3
"""Of positive - negative = voltage; potentiostats measure the three by themselves."""
_UNIT_FACTORS = {
    1000.0: "mA taken for A (mV for V, Ah for mAh)",
    1e-3: "mAh taken for Ah (mWh for Wh, A for mA)",
    60.0: "seconds taken for minutes",
    1.0 / 60.0: "minutes taken for seconds",
    3600.0: "seconds taken for hours (or Ah for C)",
    1.0 / 3600.0: "hours taken for seconds (or C for Ah)",
}


class _Told(NamedTuple):
    """A counter with what it counted and how it compares with the current."""

    counter: Counter
    counts: Counted
    verdict: cp.Verdict


@dataclass(slots=True)
class _Work:
    """The arrays that proofs look at."""

    draft: Draft
    where: str
    seconds: Array
    volts: Array
    amperes: Array
    cycles: NDArray[np.int64] | None
    steps: NDArray[np.int64] | None

    def note(
        self,
        level: Literal["proven", "not proven", "look", "recognised"],
        what: str,
        how: str,
        residual: float | None = None,
        tolerance: float | None = None,
    ) -> None:
        """Add a finding."""
        self.draft.findings.append(Finding(level, what, how, residual, tolerance))


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
    current_sign
        What the user says; it still has to agree with the file.

    Raises
    ------
    DataError
        If a required column is missing or has no number, the time runs back, or
        columns contradict each other; it says which disagrees and by how much.
    """
    _required(draft, where)
    repair(draft, repairs)
    work = _Work(
        draft,
        where,
        draft.floats("test_time_second"),
        draft.floats("voltage_volt"),
        draft.floats("current_ampere"),
        _counts(draft, "cycle_count"),
        _steps(draft),
    )
    _finite(work)
    _time(work)
    _order(work)
    counts = [counted(c, work.cycles, work.steps) for c in draft.counters]
    _sign(work, counts, current_sign)
    told = _charge(work, counts)
    _potentials(work)
    return _assembled(work, told)


def _required(draft: Draft, where: str) -> None:
    require(draft.columns, where=where)
    if draft.columns["voltage_volt"].len() == 0:
        raise DataError("there is no row", where=where, remedy="export the test again")


def _finite(work: _Work) -> None:
    arrays = (work.seconds, work.volts, work.amperes)
    for name, values in zip(REQUIRED, arrays, strict=True):
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            raise DataError(
                f"column {COLUMNS[name].label!r} has no number in {bad.size} of "
                f"{values.size} rows, first in row {bad[0] + 1}",
                where=work.where,
                remedy="remove these rows, or export them with values",
            )


def _counts(draft: Draft, name: str) -> NDArray[np.int64] | None:
    """A column of whole numbers without gaps, else None."""
    if name not in draft.columns:
        return None
    values = draft.floats(name)
    return values.astype(np.int64) if np.isfinite(values).all() else None


def _steps(draft: Draft) -> NDArray[np.int64] | None:
    """A number that changes with every step; of the direction if steps have none."""
    names = [n for n in ("step_count", "step_index") if n in draft.columns][:1]
    marks = [m for n in (*names, "cycle_count") if (m := _counts(draft, n)) is not None]
    if not names and draft.flow is not None:
        marks.append(draft.flow.astype(np.int64))
    if not marks:
        return None
    changed = np.zeros(marks[0].size, dtype=bool)
    for mark in marks:
        changed[1:] |= np.diff(mark) != 0
    return np.cumsum(changed)


def _time(work: _Work) -> None:
    """Settle the unit of the test time, and compare it with the clock."""
    draft, factors = work.draft, work.draft.time_second_per_unit
    names = [tp.UNIT_NAMES.get(f, f"{f:g} s") for f in factors]
    clock = None
    if draft.clock_second is not None:
        clock = tp.against_clock(
            work.seconds, draft.clock_second, draft.clock_resolution_second
        )
    factor = factors[0]
    if clock is not None:
        found = tp.unit_by_clock(clock, factors)
        if found is None:
            raise DataError(
                f"the test time is taken to be in {' or '.join(names)}, but the clock "
                f"of the file runs {clock.ratio:.6g} s per unit of it",
                where=work.where,
                remedy="the header of the time column or the clock is wrong",
            )
        factor = found
        work.note(
            "proven",
            "test time: unit",
            f"{tp.UNIT_NAMES.get(factor, factor)}; the clock of the file runs "
            f"{clock.ratio:.6g} s per unit",
            clock.ratio / factor - 1.0,
            tp.CLOCK_TOLERANCE_RATIO,
        )
    elif len(factors) > 1:
        factor = _unit_by_charge(work, factors, names)
    work.seconds = work.seconds * factor


def _unit_by_charge(work: _Work, factors: tuple[float, ...], names: list[str]) -> float:
    """The unit of time with which the current gives the counted charge."""
    found: list[float] = []
    for factor in factors:
        both = [
            cp.integral(work.seconds * factor, work.amperes, s) for s in (1.0, -1.0)
        ]
        total = float(cp.together(both).middle.sum())
        for counter in work.draft.counters:
            if counter.quantity == "capacity" and counter.direction == "both":
                increments = counted(counter, work.cycles, work.steps).increments
                if total > 0.0 and abs(increments.sum() / total - 1.0) < 0.1:
                    found.append(factor)
    if len(set(found)) != 1:
        raise DataError(
            f"the file does not say whether its time is in {', '.join(names)}, and "
            "neither a clock nor a capacity tells",
            where=work.where,
            remedy="export with a date column or with the unit in the header, or give "
            "the unit in a map: --map FILE",
        )
    unit = tp.UNIT_NAMES.get(found[0], str(found[0]))
    work.note("recognised", "test time: unit", f"{unit}, by the counted charge")
    return found[0]


def _order(work: _Work) -> None:
    back = tp.backward_rows(work.seconds)
    if back.size:
        i = int(back[0])
        raise DataError(
            f"the time runs back in {back.size} rows, first in row {i + 1}: from "
            f"{work.seconds[i - 1]:.6g} s to {work.seconds[i]:.6g} s",
            where=work.where,
            remedy="two tests joined: --repair backward-time, or cut the file; rows "
            "out of order: --repair sort-time",
        )
    marks = [] if work.steps is None else [work.steps.astype(np.float64)]
    twins = tp.duplicated_rows([work.seconds, work.volts, work.amperes, *marks])
    if twins.size:
        work.note(
            "look",
            "rows",
            f"{twins.size} rows repeat time, voltage and current of the row above "
            f"(first: row {twins[0] + 1}); --repair duplicates leaves them out",
        )
    gaps = tp.gaps(work.seconds)
    if gaps.size:
        i = int(gaps[0])
        hours = (work.seconds[i] - work.seconds[i - 1]) / 3600.0
        work.note(
            "look", "test time", f"{gaps.size} gaps, first {hours:.3g} h at row {i + 1}"
        )


def _sign(work: _Work, counts: list[Counted], told: CurrentSign | None) -> None:
    """Bring the current to > 0 on charging."""
    draft = work.draft
    charge, discharge = _directional(draft, counts)
    signed = sp.is_signed(work.amperes, draft.flow)
    magnitude = draft.current_sign == "magnitude"
    if draft.current_sign == "unknown" and not signed:
        # no negative value although something discharges: a magnitude
        flow = draft.flow
        if flow is None and charge is not None and discharge is not None:
            flow = sp.flow_of_counters(charge, discharge)
        if flow is not None and (flow < 0).any():
            magnitude, draft.flow = True, flow
    if magnitude:
        _from_magnitude(work)
    amperes = work.amperes * _direct(work)
    witnesses = [sp.by_voltage(amperes, work.volts)]
    if draft.flow is not None and not magnitude:
        witnesses.append(sp.by_words(amperes, draft.flow))
    if charge is not None and discharge is not None:
        witnesses.append(sp.by_counters(amperes, charge, discharge))
    seen = [w for w in witnesses if w.sign != 0]
    _agree(work, seen)
    sign = seen[-1].sign if seen else 0
    declared = -1 if told == "charging negative" else 1
    if draft.current_sign == "unknown" and not magnitude and told is None:
        declared = sign or 1
    if sign and sign != declared:
        raise DataError(
            f"the current has the wrong sign: {seen[-1].witness} "
            f"{'say' if 'counters' in seen[-1].witness else 'says'} that the cell is "
            f"{'charged' if declared * sign < 0 else 'discharged'} where the current "
            "is below zero",
            where=work.where,
            remedy="current must be above zero on charging; if the file counts "
            "otherwise: --current-sign charging-negative",
        )
    if declared < 0:
        work.amperes = -work.amperes
    _say_sign(work, seen, declared, magnitude)


def _direct(work: _Work) -> NDArray[np.bool_]:
    """Rows of no spectrum: nothing can be told from one point of an alternation."""
    if "frequency_hertz" not in work.draft.columns:
        return np.ones(work.seconds.size, dtype=np.bool_)
    return ~(work.draft.floats("frequency_hertz") > 0.0)


def _say_sign(
    work: _Work, seen: list[sp.Evidence], declared: int, magnitude: bool
) -> None:
    as_is = (
        "magnitude, signed by the direction"
        if magnitude
        else (
            "charging > 0 in the file"
            if declared > 0
            else "charging < 0 in the file, turned"
        )
    )
    if seen:
        agreed = ", ".join(f"{w.witness} ({abs(w.agreement):.0%})" for w in seen)
        work.note("proven", "current: sign", f"{as_is}; agreed by {agreed}")
    else:
        work.note(
            "not proven", "current: sign", f"{as_is}; nothing in the file tells clearly"
        )


def _agree(work: _Work, seen: list[sp.Evidence]) -> None:
    if len({w.sign for w in seen}) > 1:
        told = "; ".join(
            f"{w.witness}: charging {'>' if w.sign > 0 else '<'} 0 "
            f"({abs(w.agreement):.0%})"
            for w in seen
        )
        raise DataError(
            f"the sign of the current is contradictory: {told}",
            where=work.where,
            remedy="check the leads (voltage), the state column and the counters",
        )


def _directional(
    draft: Draft, counts: list[Counted]
) -> tuple[Array | None, Array | None]:
    """Increments of charge and of discharge, if the cycler counts them apart."""
    found: dict[str, Array] = {}
    for counter, count in zip(draft.counters, counts, strict=True):
        if counter.quantity == "capacity" and counter.direction not in found:
            found[counter.direction] = count.increments
    if "charge" in found and "discharge" in found:
        return found["charge"], found["discharge"]
    if "net" in found:
        net = found["net"]
        return np.maximum(net, 0.0), np.maximum(-net, 0.0)
    return None, None


def _from_magnitude(work: _Work) -> None:
    flow = work.draft.flow
    assert flow is not None  # a draft with magnitudes has the direction
    if sp.is_signed(work.amperes, flow):
        row = int((work.amperes < 0.0).argmax())
        raise DataError(
            f"the current is taken to have no sign, but is {work.amperes[row]:g} A in "
            f"row {row + 1}",
            where=work.where,
            remedy="say which sign charging has in the map",
        )
    rest = sp.rest_ampere(work.amperes)
    lost = (flow == 0) & (work.amperes > rest)
    hours = np.diff(work.seconds, prepend=work.seconds[0]) / 3600.0
    gone = float((work.amperes * hours * lost).sum())
    total = float((work.amperes * hours).sum())
    if gone > cp.TOLERANCE_RATIO * total:
        row = int(lost.argmax())
        raise DataError(
            f"the current has no sign, and {gone:.3g} of {total:.3g} Ah pass in rows "
            f"whose state says neither charge nor discharge, first in row {row + 1}",
            where=work.where,
            remedy="tell which state charges in a map: --map FILE",
        )
    if gone > 0.0:
        work.note(
            "look",
            "current",
            f"{gone:.3g} of {total:.3g} Ah pass in rows whose state says neither "
            "charge nor discharge: set to zero there",
        )
    work.amperes = work.amperes * flow


def _charge(work: _Work, counts: list[Counted]) -> list[_Told]:
    """Compare every counter with the integral of current, or of power."""
    told: list[_Told] = []
    direct = _direct(work)
    rounding = rounding_of(work.amperes)
    hours = np.diff(work.seconds, prepend=work.seconds[0]) / 3600.0
    flowing = float(hours[np.abs(work.amperes) > sp.rest_ampere(work.amperes)].sum())
    for counter, count in zip(work.draft.counters, counts, strict=True):
        power = counter.quantity == "energy"
        values = work.amperes * work.volts if power else work.amperes
        parts = [
            cp.integral(work.seconds, values, s)
            for s, d in ((1.0, "charge"), (-1.0, "discharge"))
            if counter.direction in (d, "both", "net")
        ]
        against = cp.within(direct, cp.together(parts))
        scale = float(np.abs(work.volts).max()) if power else 1.0
        against = cp.while_known(counter.values, against)
        digit = granularity(counter.values, against.middle)
        slack = digit * (1 + count.resets.size) * 2.0
        seen = count._replace(increments=np.abs(count.increments) * direct)
        digits = rounding * flowing * scale
        found = cp.verdict(seen.increments, against, rounding=digits, slack=slack)
        told.append(_Told(counter, count, found))
        if found.kind == "proven":
            _no_wrong_block(work, counter, seen, against, slack)
    _judge(work, told)
    return told


def _no_wrong_block(
    work: _Work, counter: Counter, count: Counted, against: cp.Integral, slack: float
) -> None:
    rest = sp.rest_ampere(work.amperes)
    sign = np.where(np.abs(work.amperes) > rest, np.sign(work.amperes), 0.0)
    starts = np.flatnonzero(np.concatenate(([True], np.diff(sign) != 0.0)))
    starts = cp.after_values(counter.values, starts)
    bad = cp.wrong_block(np.abs(count.increments), against, starts, slack)
    if bad is not None:
        raise DataError(
            f"column {counter.label!r} agrees with the current in all, but not from "
            f"row {starts[bad] + 1} on: they differ there by a factor of two or more",
            where=work.where,
            remedy="the unit or the range of a column changes within the file",
        )


def _judge(work: _Work, told: list[_Told]) -> None:
    """Fail where a counter contradicts the current; say what is proven."""
    findings = work.draft.findings
    wrong = [t for t in told if t.verdict.kind == "wrong"]
    if wrong:
        raise _contradiction(work, wrong[0], told)
    for counter, count, found in told:
        unit = "Ah" if counter.quantity == "capacity" else "Wh"
        name = f"current: unit ({counter.label})"
        if counter.quantity == "energy":
            name = f"voltage x current: unit ({counter.label})"
        numbers = (
            f"counted {found.counted:.5g} {unit}, integral {found.integral:.5g} {unit}"
        )
        if found.kind == "proven":
            work.note(
                "proven", name, numbers, found.residual_ratio, found.allowed_ratio
            )
        elif found.kind == "coarse":
            work.note("not proven", name, f"{numbers}: rows are too far apart to tell")
        elif found.kind == "rounded":
            work.note(
                "not proven",
                name,
                f"{numbers}: so few digits tell no more than the order of magnitude",
            )
        else:
            work.note("not proven", name, "no charge passed")
        if count.resets.size and found.kind != "nothing":
            work.note(
                "recognised",
                counter.label,
                f"starts anew {count.resets.size} times"
                + (f", with every {count.rule}" if count.rule != "other" else ""),
            )
    if not told and not any(f.what.startswith("current: unit") for f in findings):
        work.note(
            "not proven",
            "current: unit",
            "the file has no column of capacity or energy to compare with",
        )


def _contradiction(work: _Work, worst: _Told, told: list[_Told]) -> DataError:
    """The error that says which of the columns is the odd one out."""
    found, unit = worst.verdict, "Ah" if worst.counter.quantity == "capacity" else "Wh"
    ratio = found.counted / found.integral if found.integral > 0.0 else np.inf
    good = [t for t in told if t.verdict.kind == "proven"]
    like = [
        t
        for t in told
        if t is not worst
        and t.verdict.kind == "wrong"
        and t.counter.quantity != worst.counter.quantity
        and t.verdict.integral > 0.0
        and abs(t.verdict.counted / t.verdict.integral / ratio - 1.0) < 0.1
    ]
    if good:
        culprit = f"{worst.counter.label!r} is wrong: {good[0].counter.label!r} agrees"
    elif like:
        clock = any(f.what.startswith("test time") for f in work.draft.findings)
        culprit = (
            f"the current is wrong: {like[0].counter.label!r} disagrees by the same "
            "factor" + ("" if clock else " (or the time is)")
        )
    else:
        culprit = "one of the two is wrong, or the time is"
    guess = next(
        (
            text
            for factor, text in _UNIT_FACTORS.items()
            if 0.0 < ratio < np.inf and abs(1.0 / ratio / factor - 1.0) < 0.1
        ),
        "",
    )
    return DataError(
        f"column {worst.counter.label!r} counted {found.counted:.5g} {unit}, the "
        f"integral of the current is {found.integral:.5g} {unit} "
        f"(factor {1.0 / ratio if ratio else np.inf:.4g}); {culprit}",
        where=work.where,
        remedy=(f"it looks like {guess}; " if guess else "")
        + "correct the header of the wrong column, or give the unit in a map: "
        "--map FILE",
    )


def _potentials(work: _Work) -> None:
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


def _assembled(work: _Work, told: list[_Told]) -> pl.DataFrame:
    import polars as pl

    columns = dict(work.draft.columns)
    columns["test_time_second"] = pl.Series(work.seconds)
    columns["current_ampere"] = pl.Series(work.amperes)
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
    work: _Work,
    told: list[_Told],
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
