"""Compare every counter with the integral of the current, or of the power."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from equipoise.core.errors import DataError
from equipoise.io.readers import charge_proof as cp
from equipoise.io.readers.counters import Counted, granularity
from equipoise.io.readers.draft import Counter
from equipoise.io.readers.printed import rounding_of

if TYPE_CHECKING:
    from equipoise.io.readers.work import Work

UNITS = {"capacity": "Ah", "energy": "Wh"}
USUAL_VOLT = (0.01, 100.0)
"""A cell (or a stack in one case) lies between; outside it is worth a look."""
MOST_VOLTS = 100_000
NET_SHARE = 1e-3
"""Of all that passed; the integral of rows that are stored at every step is as good."""
SAME_FACTOR = 0.1
"""Relative; columns that disagree by one factor have one cause."""
_UNIT_FACTORS = {
    1000.0: "mA taken for A (mV for V, Ah for mAh)",
    1e-3: "mAh taken for Ah (mWh for Wh, A for mA)",
    60.0: "seconds taken for minutes",
    1.0 / 60.0: "minutes taken for seconds",
    3600.0: "seconds taken for hours (or Ah for C)",
    1.0 / 3600.0: "hours taken for seconds (or C for Ah)",
}


class Told(NamedTuple):
    """A counter with what it counted and how it compares with the current."""

    counter: Counter
    counts: Counted
    verdict: cp.Verdict

    @property
    def factor(self) -> float:
        """Integral over count; infinite if nothing was counted."""
        found = self.verdict
        return found.integral / found.counted if found.counted > 0.0 else np.inf


def compare_counters(work: Work, counts: list[Counted]) -> list[Told]:
    """Prove the units of current and voltage by the cycler's own counters.

    Raises
    ------
    DataError
        If a counter contradicts the current, in all or in one half-cycle.
    """
    rounding = _rounding_ampere(work)
    rest = work.rest_ampere
    hours = np.diff(work.seconds) / 3600.0
    charging = float((hours * (work.amperes[1:] > rest)).sum())
    discharging = float((hours * (work.amperes[1:] < -rest)).sum())
    flowing = {"charge": charging, "discharge": discharging}
    each = _Compare(work.rows, rounding, flowing, rest)
    with ThreadPoolExecutor(2) as pool:  # the kernels release the interpreter
        found = list(pool.map(each, work.draft.counters, counts))
    for one, row in found:
        if row is not None:
            raise _changes_within(work, one.counter, row)
    told = [one for one, _ in found]
    for one in told:
        if one.counter.direction == "net" and one.verdict.kind == "proven":
            _look_at_net(work, one)
    wrong = [t for t in told if t.verdict.kind == "wrong"]
    if wrong:
        raise _contradiction(work, wrong, told)
    for one in told:
        _say(work, one)
    _say_what_is_missing(work, told)
    return told


def _look_at_net(work: Work, told: Told) -> None:
    """A net counter of the whole test goes where the current goes.

    One that starts anew with each cycle would make every efficiency 1.

    Raises
    ------
    DataError
        If it jumps against the current where a step or cycle begins.
    """
    values = told.counter.values
    known = np.flatnonzero(np.isfinite(values))
    if known.size < 3:
        return
    power = work.amperes * (work.volts if told.counter.quantity == "energy" else 1.0)
    a, b = power[:-1], power[1:]
    hours = np.diff(work.seconds) / 3600.0
    rest = work.rest_ampere
    most = float(np.abs(power).max(initial=0.0)) * float(hours.max(initial=0.0))
    slack = 2.0 * rounding_of(values) + 1e-3 * most
    up = np.concatenate(
        ([0.0], np.cumsum((np.maximum(np.maximum(a, b), 0) + rest) * hours))
    )
    down = np.concatenate(
        ([0.0], np.cumsum((np.minimum(np.minimum(a, b), 0) - rest) * hours))
    )
    step = np.diff(values[known])
    off = step > 2.0 * np.diff(up[known]) + slack
    off |= step < 2.0 * np.diff(down[known]) - slack
    rows = known[1:][off]
    if rows.size:
        row = int(rows[0])
        raise DataError(
            f"column {told.counter.label!r} goes from {values[row - 1]:.5g} to "
            f"{values[row]:.5g} in row {row + 1} ({rows.size} such rows), which no "
            "current makes: it starts anew there, but is read as a net charge of the "
            "whole test",
            where=work.where,
            remedy="leave the column out (in a map: --map FILE): the current is "
            "integrated then",
        )
    net = float((0.5 * (a + b) * hours).sum())
    counted = float(values[known[-1]] - values[known[0]])
    if abs(net - counted) > NET_SHARE * told.verdict.integral:
        work.note(
            "look",
            "current: net charge",
            f"{told.counter.label!r} says {counted:.5g}, the current {net:.5g}: if it "
            "starts anew with each cycle every efficiency is 1",
        )


def _rounding_ampere(work: Work) -> float:
    draft = work.draft
    if not draft.printed:
        return 0.0
    told = draft.current_rounding_ampere
    return rounding_of(work.amperes) if told is None else told


class _Compare(NamedTuple):
    """One counter with the integral; and the first row of a half-cycle that is off."""

    rows: cp.Rows
    rounding_ampere: float
    flowing_hour: dict[str, float]
    rest_ampere: float

    def __call__(self, counter: Counter, count: Counted) -> tuple[Told, int | None]:
        power = counter.quantity == "energy"
        scale = float(np.abs(self.rows.volts).max()) if power else 1.0
        found = cp.totals(self.rows, counter, count.increments)
        digit = granularity(counter.values, found.moved_ratio)
        slack = digit * (1 + count.resets.size) * 2.0
        both = sum(self.flowing_hour.values())
        digits = self.rounding_ampere * self.flowing_hour.get(counter.direction, both)
        verdict = cp.verdict(found, rounding=digits * scale, slack=slack)
        row = None
        if verdict.kind == "proven":
            row = cp.wrong_row(
                self.rows,
                counter,
                count.increments,
                rest_ampere=self.rest_ampere,
                slack=slack,
            )
        return Told(counter, count, verdict), row


def _changes_within(work: Work, counter: Counter, row: int) -> DataError:
    return DataError(
        f"column {counter.label!r} agrees with the current in all, but not from row "
        f"{row + 1} on: they differ there by a factor of two or more",
        where=work.where,
        remedy="the unit or the range of a column changes within the file",
    )


def _say(work: Work, told: Told) -> None:
    counter, count, found = told
    unit = UNITS[counter.quantity]
    name = "current" if counter.quantity == "capacity" else "voltage x current"
    name = f"{name}: unit ({counter.label})"
    numbers = (
        f"counted {found.counted:.5g} {unit}, integral {found.integral:.5g} {unit}"
    )
    match found.kind:
        case "proven":
            work.note(
                "proven", name, numbers, found.residual_ratio, found.allowed_ratio
            )
        case "coarse":
            work.note("not proven", name, f"{numbers}: rows are too far apart to tell")
        case "rounded":
            how = "so few digits tell no more than the order of magnitude"
            work.note("not proven", name, f"{numbers}: {how}")
        case _:
            work.note("not proven", name, "no charge passed")
    if count.resets.size and found.kind != "nothing":
        with_every = f", with every {count.rule}" if count.rule != "other" else ""
        times = count.resets.size
        work.note("recognised", counter.label, f"starts anew {times} times{with_every}")


def _say_what_is_missing(work: Work, told: list[Told]) -> None:
    known = {f.what for f in work.draft.findings}
    if not told and not any(w.startswith("current: unit") for w in known):
        work.note(
            "not proven",
            "current: unit",
            "the file has no column of capacity or energy to compare with",
        )
    if not any(t.counter.quantity == "energy" for t in told):
        work.note(
            "not proven",
            "voltage: unit",
            "the file has no column of energy to compare with",
        )
        every = max(work.volts.size // MOST_VOLTS, 1)
        flowing = np.abs(work.volts[::every][work.amperes[::every] != 0.0])
        middle = float(np.median(flowing)) if flowing.size else 1.0
        if not USUAL_VOLT[0] <= middle <= USUAL_VOLT[1]:
            work.note(
                "look",
                "voltage",
                f"{middle:.3g} V in the middle: is its unit right (V, mV)?",
            )


def _contradiction(work: Work, wrong: list[Told], told: list[Told]) -> DataError:
    """The error that says which of the columns is the odd one out."""
    worst, found = wrong[0], wrong[0].verdict
    unit = UNITS[worst.counter.quantity]
    guess = next(
        (
            text
            for factor, text in _UNIT_FACTORS.items()
            if abs(worst.factor / factor - 1.0) < SAME_FACTOR
        ),
        "",
    )
    of = "current" if worst.counter.quantity == "capacity" else "voltage times current"
    return DataError(
        f"column {worst.counter.label!r} counted {found.counted:.5g} {unit}, the "
        f"integral of the {of} is {found.integral:.5g} {unit} "
        f"(factor {worst.factor:.4g}); {_culprit(work, wrong, told)}",
        where=work.where,
        remedy=(f"it looks like {guess}; " if guess else "")
        + "correct the header of the wrong column, or give the unit in a map: --map "
        "FILE; pulses shorter than the distance of the rows cannot be compared",
    )


def _culprit(work: Work, wrong: list[Told], told: list[Told]) -> str:
    worst = wrong[0]
    good = [t for t in told if t.verdict.kind == "proven"]
    clear = [
        t
        for t in good
        if abs(t.verdict.residual_ratio) < 0.5 * abs(worst.verdict.residual_ratio)
    ]
    capacities = [t for t in clear if t.counter.quantity == "capacity"]
    if worst.counter.quantity == "energy" and capacities:
        return (
            f"the voltage is wrong, or this column: {capacities[0].counter.label!r} "
            "agrees with the current"
        )
    if clear:
        name = clear[0].counter.label
        return f"{worst.counter.label!r} is wrong: {name!r} agrees"
    like = [
        t
        for t in wrong
        if t.counter.quantity != worst.counter.quantity
        and np.isfinite(t.factor)
        and abs(t.factor / worst.factor - 1.0) < SAME_FACTOR
    ]
    if like:
        clock = any(f.what.startswith("test time") for f in work.draft.findings)
        return (
            f"the current is wrong: {like[0].counter.label!r} disagrees by the same "
            "factor" + ("" if clock else " (or the time is)")
        )
    return "one of the two is wrong, or the time is"
