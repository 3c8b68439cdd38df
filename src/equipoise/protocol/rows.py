"""One step as one row of a program, for a given cell. SI, charge > 0."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, nan
from typing import NamedTuple

from equipoise.core.errors import SpecError
from equipoise.kernels.program import Ask, Mode
from equipoise.protocol.halves import Charge, Discharge, Half, Rated
from equipoise.protocol.steps import Hold, Rest
from equipoise.protocol.sweep import Eis

SAFETY_FACTOR = 5.0
"""A half cycle of the whole theoretical capacity takes at most about 2 x 3600 s / C."""

LONGEST_HOLD_SECOND = 100.0 * 3600.0
"""A hold for which no time is given ends then at the latest."""

LONGEST_SECOND = 3.2e9
"""A century; no safety limit is later."""

USUAL_MAH_PER_G = 200.0
"""Only for the safety limit of time in a cell without a current of 1C."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a protocol has to know of the cell.

    Attributes
    ----------
    window_lower_volt, window_upper_volt
        Cut-off voltages.
    one_c_ampere
        Current of 1C of the whole cell; None: not known.
    positive_mass_g
        Active mass of the positive (half cell: of the working electrode).
    positive_area_cm2
        Geometric area of the same electrode.
    charges_first
        False for a cell that is built charged, as a half cell with LTO.
    """

    window_lower_volt: float
    window_upper_volt: float
    one_c_ampere: float | None
    positive_mass_g: float
    positive_area_cm2: float
    charges_first: bool = True

    def __post_init__(self) -> None:
        low, high = self.window_lower_volt, self.window_upper_volt
        if not (isfinite(low) and isfinite(high) and low < high):
            raise SpecError(
                f"window_upper_volt = {high:g} must lie above "
                f"window_lower_volt = {low:g}, both finite",
                where="context of the protocol",
                remedy="check [window] of the cell",
            )
        for key in ("one_c_ampere", "positive_mass_g", "positive_area_cm2"):
            value = getattr(self, key)
            if value is not None and not (value > 0.0 and isfinite(value)):
                raise SpecError(
                    f"{key} = {value:g} must be > 0 and finite",
                    where="context of the protocol",
                    remedy="check the masses and the area of the cell",
                )


class Row(NamedTuple):
    """A step as the simulation reads it, and what a person reads.

    `ask` has a place for each of `kernels.program.Ask`, without cycle and step;
    `by_safety` says that its limit of time was not asked for.
    """

    ask: tuple[float, ...]
    label: str
    c_rate: float
    sign: int
    limit_volt: float
    by_safety: bool


def half_row(step: Half, sign: int, context: Context, where: str) -> Row:
    """A charge (sign = +1) or discharge (-1) at constant current."""
    ampere, text = _current(step, context, where)
    given = step.until_voltage_volt if isinstance(step, Charge | Discharge) else None
    limit = _voltage_limit(given, sign, context, where)
    c_rate = nan if context.one_c_ampere is None else ampere / context.one_c_ampere
    positive = step.until_positive_potential_vs_li_volt
    negative = step.until_negative_potential_vs_li_volt
    capacity = step.until_capacity_mah_per_g_positive
    limits = {Ask.UPPER_VOLT if sign > 0 else Ask.LOWER_VOLT: limit}
    if positive is not None:  # rises on charge
        key = Ask.POSITIVE_UPPER_VOLT if sign > 0 else Ask.POSITIVE_LOWER_VOLT
        limits[key] = positive
    if negative is not None:  # falls on charge
        key = Ask.NEGATIVE_LOWER_VOLT if sign > 0 else Ask.NEGATIVE_UPPER_VOLT
        limits[key] = negative
    if capacity is not None:
        limits[Ask.MOST_COULOMB] = capacity * context.positive_mass_g * 3.6
    second = _seconds(step.until_time_hour, step.until_time_second)
    by_safety = second is None
    if second is None:
        one_c = context.one_c_ampere or context.positive_mass_g * USUAL_MAH_PER_G / 1e3
        second = min(SAFETY_FACTOR * 3600.0 * one_c / ampere, LONGEST_SECOND)
    limits[Ask.MOST_SECOND] = second
    label = f"{'charge' if sign > 0 else 'discharge'} {text}"
    ask = _ask(Mode.CURRENT, sign * ampere, limits)
    return Row(ask, label, c_rate, sign, limit, by_safety)


def hold_row(step: Hold, before: float | None, context: Context, where: str) -> Row:
    """A constant voltage; `before` is where the step before it stopped."""
    volt = before if step.voltage_volt is None else step.voltage_volt
    if volt is None:
        raise SpecError(
            "voltage_volt is missing, and no charge or discharge comes before this "
            "hold from which it could be taken",
            where=where,
            remedy="give voltage_volt",
        )
    limits: dict[Ask, float] = {}
    if step.until_c_rate is not None:
        one_c = _one_c(context, "until_c_rate", step.until_c_rate, where)
        limits[Ask.LEAST_AMPERE] = step.until_c_rate * one_c
    elif step.until_current_ma is not None:
        limits[Ask.LEAST_AMPERE] = step.until_current_ma / 1e3
    second = _seconds(step.until_time_hour, step.until_time_second)
    limits[Ask.MOST_SECOND] = LONGEST_HOLD_SECOND if second is None else second
    ask = _ask(Mode.VOLTAGE, volt, limits)
    return Row(ask, f"hold {volt:g} V", nan, 0, volt, second is None)


def rest_row(step: Rest) -> Row:
    """No current for a time."""
    second = _seconds(step.time_hour, step.time_second)
    assert second is not None  # the specification demands it
    hour = step.time_hour
    text = f"{second:g} s" if hour is None else f"{hour:g} h"
    ask = _ask(Mode.CURRENT, 0.0, {Ask.MOST_SECOND: second})
    return Row(ask, f"rest {text}", nan, 0, nan, by_safety=False)


def eis_row(step: Eis) -> Row:
    """An impedance: no current, no time."""
    ask = _ask(Mode.IMPEDANCE, 0.0, {Ask.MOST_SECOND: 0.0})
    return Row(ask, step.label, nan, 0, nan, by_safety=False)


def _ask(mode: Mode, value: float, limits: dict[Ask, float]) -> tuple[float, ...]:
    """All columns; a limit that is not given does not exist."""
    row = {
        Ask.MODE: float(mode),
        Ask.VALUE: value,
        Ask.UPPER_VOLT: inf,
        Ask.LOWER_VOLT: -inf,
        Ask.POSITIVE_UPPER_VOLT: inf,
        Ask.POSITIVE_LOWER_VOLT: -inf,
        Ask.NEGATIVE_UPPER_VOLT: inf,
        Ask.NEGATIVE_LOWER_VOLT: -inf,
        Ask.LEAST_AMPERE: -inf,
        Ask.MOST_COULOMB: inf,
        Ask.MOST_SECOND: inf,
        Ask.CYCLE: 0.0,
        Ask.STEP: 0.0,
    } | limits
    return tuple(row[column] for column in Ask)


def _current(step: Rated, context: Context, where: str) -> tuple[float, str]:
    """Ampere of the cell, and the text of the label."""
    if step.c_rate is not None:
        one_c = _one_c(context, "c_rate", step.c_rate, where)
        return step.c_rate * one_c, f"{step.c_rate:g}C"
    if step.current_ma is not None:
        return step.current_ma / 1e3, f"{step.current_ma:g} mA"
    if step.current_ma_per_cm2 is not None:
        ampere = step.current_ma_per_cm2 * context.positive_area_cm2 / 1e3
        return ampere, f"{step.current_ma_per_cm2:g} mA/cm2"
    assert step.current_ma_per_g_positive is not None  # the specification demands it
    ampere = step.current_ma_per_g_positive * context.positive_mass_g / 1e3
    return ampere, f"{step.current_ma_per_g_positive:g} mA/g"


def _one_c(context: Context, key: str, value: float, where: str) -> float:
    if context.one_c_ampere is None:
        raise SpecError(
            f"{key} = {value:g} needs the current of 1C, and this cell has none",
            where=where,
            remedy="give one_c_ma_per_g_positive in the cell file (half cell: "
            "one_c_ma_per_g), or a current in mA in the step",
        )
    return context.one_c_ampere


def _voltage_limit(
    given: float | None, sign: int, context: Context, where: str
) -> float:
    lower, upper = context.window_lower_volt, context.window_upper_volt
    if given is None:
        return upper if sign > 0 else lower
    if (given <= lower) if sign > 0 else (given >= upper):
        what, side, end = (
            (f"charge would end at once: {lower:g} V", "above", "lower")
            if sign > 0
            else (f"discharge would end at once: {upper:g} V", "below", "upper")
        )
        raise SpecError(
            f"until_voltage_volt = {given:g}, and this {what} is the {end} end of "
            "the window",
            where=where,
            remedy=f"choose a voltage {side} it, or check the window of the cell",
        )
    return given


def _seconds(hour: float | None, second: float | None) -> float | None:
    return hour * 3600.0 if hour is not None else second
