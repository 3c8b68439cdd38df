"""The current of a Bio-Logic file, and the charges and energies that it counted.

Files that EC-Lab did not process hold no current, but the charge between records: the
current is then their quotient, and only the set current can be its witness.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from equipoise.core.errors import DataError
from equipoise.io.readers.biologic_labelled import Labelled, series_of
from equipoise.io.readers.charge_proof import TOLERANCE_RATIO
from equipoise.io.readers.draft import Counter
from equipoise.io.readers.recording import Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from equipoise.io.readers.draft import Array, Direction

CURRENTS = {"I/mA": 1e-3, "<I>/mA": 1e-3, "I/A": 1.0, "I/µA": 1e-6, "<I>/A": 1.0}
GALVANOSTATIC, REST = 1, 3
"""Values of the column mode."""
WRONG_FACTOR = 2.0
"""Set and counted current that differ by more are not of the same test."""


class _Magnitude(NamedTuple):
    label: str
    direction: Direction
    factor: float


MAGNITUDES = (
    _Magnitude("Q charge/mA.h", "charge", 1e-3),
    _Magnitude("Q discharge/mA.h", "discharge", 1e-3),
    _Magnitude("Capacity/mA.h", "both", 1e-3),
    _Magnitude("Energy charge/W.h", "charge", 1.0),
    _Magnitude("Energy discharge/W.h", "discharge", 1.0),
    _Magnitude("|Energy|/W.h", "both", 1.0),
)
_HALF_CYCLE = ("Q charge/discharge/mA.h", "dQ/mA.h")
"""Charges since the start of the half cycle, below zero on discharge."""


def current(cells: Labelled) -> tuple[Array, bool]:
    """Current in ampere, > 0 charging, and whether the counted charge gave it.

    Raises
    ------
    DataError
        If nothing in the file tells the current of some row, or the set current
        contradicts the counted charge.
    """
    for label, factor in CURRENTS.items():
        if label in cells.all:
            others = tuple(x for x, f in CURRENTS.items() if f == factor and x != label)
            values, found = cells.either((label, *others)) or (np.zeros(0), label)
            cells.made.recognised("current", f"{found}, charging > 0")
            return values * factor, False
    mode = cells.mode()
    if _increments(cells) is not None:
        return _from_charge(cells, mode), True
    if mode is not None and (mode == REST).all():
        cells.made.recognised("current", "all rows are at rest: no current")
        return np.zeros(mode.size), False
    return _from_control(cells, mode), False


def _set_ma(cells: Labelled, mode: NDArray[np.int64] | None) -> Array | None:
    """Set current in mA where the control is galvanostatic, else NaN."""
    if "control/mA" in cells.all:
        values = cells.floats("control/mA")
        return (
            values if mode is None else np.where(mode == GALVANOSTATIC, values, np.nan)
        )
    if "control/V/mA" in cells.all and mode is not None:
        return np.where(mode == GALVANOSTATIC, cells.floats("control/V/mA"), np.nan)
    return None


def _increments(cells: Labelled) -> tuple[Array, str] | None:
    """Charge between a row and the one before, in mA h, > 0 on charging."""
    if "dq/mA.h" in cells.all:
        return cells.floats("dq/mA.h"), "dq"
    for label, factor in (("(Q-Qo)/mA.h", 1.0), ("(Q-Qo)/C", 1.0 / 3.6)):
        if label in cells.all:
            net = cells.floats(label) * factor
            return np.diff(net, prepend=net[:1]), "differences of Q-Qo"
    return None


def _from_control(cells: Labelled, mode: NDArray[np.int64] | None) -> Array:
    control = _set_ma(cells, mode)
    if control is None or mode is None:
        raise cells.absent("the current ('I/mA', '<I>/mA', 'dq/mA.h')")
    amperes = np.where(mode == REST, 0.0, control) * 1e-3
    open_rows = np.flatnonzero(~np.isfinite(amperes))
    if open_rows.size:
        raise DataError(
            f"there is no column of the current, and {open_rows.size} rows are not "
            f"galvanostatic, first row {open_rows[0] + 1}",
            where=cells.where,
            remedy="re-save the file in EC-Lab with processed columns (I)",
        )
    cells.made.look("current", "the set one (column control): none was recorded")
    return amperes


def _from_charge(cells: Labelled, mode: NDArray[np.int64] | None) -> Array:
    """Mean current since the row before: counted charge over time."""
    charge, how = _increments(cells) or (np.zeros(0), "")
    seconds = cells.floats("time/s")
    amperes = np.full(charge.size, np.nan)
    dt = np.diff(seconds)
    after = np.flatnonzero(dt > 0.0)
    amperes[after + 1] = 3.6 * charge[after + 1] / dt[after]
    control = _set_ma(cells, mode)
    if mode is not None:
        amperes = np.where(np.isnan(amperes) & (mode == REST), 0.0, amperes)
    if control is not None:
        amperes = np.where(np.isnan(amperes), 1e-3 * control, amperes)
    amperes = _filled(amperes)
    cells.made.recognised(
        "current",
        f"not recorded: mean since the row before, from {how} over time; charges "
        "of the file are therefore no proof of it",
    )
    if control is not None:
        _against_control(cells, charge, seconds, control)
    return amperes


def _against_control(
    cells: Labelled, charge: Array, seconds: Array, control: Array
) -> None:
    """The set current is a second witness of the counted charge."""
    hours = np.diff(seconds, prepend=seconds[:1]) / 3600.0
    use = (control != 0.0) & np.isfinite(control * charge) & (hours > 0.0)
    due = control[use] * hours[use]
    total = float(np.abs(due).sum())
    if not total > 0.0:
        return
    counted = float((np.sign(due) * charge[use]).sum())
    residual = counted / total - 1.0
    numbers = (
        f"counted {1e-3 * counted:.5g} Ah, set current x time {1e-3 * total:.5g} Ah"
    )
    proven = abs(residual) <= TOLERANCE_RATIO
    if not 1.0 / WRONG_FACTOR <= counted / total <= WRONG_FACTOR:
        raise DataError(
            f"the counted charge contradicts the set current (control): {numbers}",
            where=cells.where,
            remedy="the columns of this file are misread, please report it; or the "
            "channel did not reach its current",
        )
    cells.made.findings.append(
        Finding(
            "proven" if proven else "not proven",
            "current: unit (control)",
            numbers,
            residual,
            TOLERANCE_RATIO,
        )
    )


def counters(cells: Labelled, *, derived: bool) -> None:
    """Hand charges and energies to the proofs, but not those that gave the current."""
    if derived:
        _counted_columns(cells)
    else:
        _net(cells)
        for label in _HALF_CYCLE:
            if label in cells.all:  # the signed column itself stays, too
                values = cells.floats(label) * 1e-3
                _count(cells, label, "charge", np.maximum(values, 0.0))
                _count(cells, label, "discharge", np.maximum(-values, 0.0))
    for label, direction, factor in MAGNITUDES:
        if label not in cells.all or (derived and "mA.h" in label):
            continue
        values = np.abs(cells.floats(label)) * factor
        del cells.left[label]
        _count(cells, label, direction, values)


def _count(cells: Labelled, label: str, direction: Direction, values: Array) -> None:
    quantity = "energy" if label.endswith("W.h") else "capacity"
    if np.isfinite(values).any():
        cells.made.counters.append(Counter(label, quantity, direction, values))


def _net(cells: Labelled) -> None:
    for label, factor in (("(Q-Qo)/mA.h", 1e-3), ("(Q-Qo)/C", 1.0 / 3600.0)):
        if label in cells.all:
            del cells.left[label]
            _count(cells, label, "net", _continued(cells, label, factor))
            return
    if "dq/mA.h" in cells.all:
        summed = np.cumsum(np.nan_to_num(cells.floats("dq/mA.h"))) * 1e-3
        _count(cells, "dq/mA.h", "net", summed)


def _continued(cells: Labelled, label: str, factor: float) -> Array:
    """Q-Qo without its new starts: a jump to about zero that no current makes."""
    values = cells.floats(label) * factor
    amperes = np.abs(cells.made.floats("current_ampere"))
    hours = np.diff(cells.made.floats("test_time_second")) / 3600.0
    possible = 2.0 * np.maximum(amperes[1:], amperes[:-1]) * hours
    possible += 1e-3 * float(np.nanmax(np.abs(values), initial=0.0))
    step = np.diff(values)
    again = np.flatnonzero(
        (np.abs(step) > possible)
        & (np.abs(values[1:]) <= possible)
        & ~(cells.ac[1:] | cells.ac[:-1])
    )
    if again.size == 0:
        return values
    cells.made.look(
        label,
        f"starts anew {again.size} times, first in row {again[0] + 2}; added up "
        "from there on",
    )
    step[again] = values[again + 1]
    return values[0] + np.concatenate(([0.0], np.cumsum(step)))


def _counted_columns(cells: Labelled) -> None:
    """Charges that gave the current: kept, but not called as witnesses."""
    charge, how = _increments(cells) or (np.zeros(0), "")
    charge = 1e-3 * np.nan_to_num(charge)
    columns = cells.made.columns
    for label, factor in (("(Q-Qo)/mA.h", 1e-3), ("(Q-Qo)/C", 1.0 / 3600.0)):
        if label in cells.left:
            columns["net_capacity_ah"] = series_of(cells.floats(label) * factor)
            del cells.left[label]
            break
    charge[:1] = 0.0
    for name, sign in (("", 1.0), ("dis", -1.0)):
        columns[f"{name}charging_capacity_ah"] = series_of(
            np.cumsum(np.maximum(sign * charge, 0.0))
        )
    cells.made.recognised("Charging Capacity / Ah", f"and its counterpart: {how}")


def _filled(values: Array) -> Array:
    """Gaps take the next known value, else the last one; 0 if there is none."""
    known = np.flatnonzero(np.isfinite(values))
    if known.size == 0:
        return np.zeros(values.size)
    following = np.searchsorted(known, np.arange(values.size))
    return values[known[np.minimum(following, known.size - 1)]]
