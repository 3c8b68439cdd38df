"""What kind of cycle each one is, from the cycle table alone.

Rules, in this order; the constants below are the limits in them.

1. A label of the file that is known decides ("label"); all others are "inferred".
2. No charge passed: eis if there are impedance rows, else rest.
3. pulse: many reversals at a low duty (charge over what the largest current would have
   passed in the time of the cycle); where reversals are not counted, a very low duty
   and charge unlike discharge. Not if most cycles are so: that is a driving profile.
4. incomplete: one direction only, or charge and discharge of unlike size. The first
   cycle that passes both may lose most of its charge. So is the last cycle if the
   recording stops within it: less of one direction, to end voltages of no other cycle.
5. The others are grouped by rate: largest current of charge and of discharge. *Runs*
   are stretches of one group; what rules 2 to 4 took does not interrupt them.
   - All alike: ageing (a lone cycle with the loss of a first one: formation).
   - Short runs in a row at three or more rates, none of them more than half of the
     cycles (a return to the first rate aside): a block of rate steps, unless the same
     rates come back singly (rule 6c).
     A first run that is shorter than the others, at a rate lower than all of them
     that does not come back, is formation; so are the cycles that it is longer.
   - Of what is left, the group with most cycles is ageing (the later one of equals).
6. Other runs, seen from the ageing:
   a. before it: formation, if it is before any rate block too, the rate is lower, and
      the group does not come back later as check-up, or this run is longer than
      those, or has the loss of a first cycle; check-up if the group comes back; else
      other;
   b. more than `LONGEST_SHORT_RUN` cycles: other (a second ageing at another rate);
   c. between its runs or after it, short: check-up.
7. A few cycles of ageing rate, but over a wider window (other end voltage and more
   charge): check-up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.kinds import kind_of_label
from equipoise.core.errors import DataError

if TYPE_CHECKING:
    import polars as pl

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NEEDS = ("cycle_count", "charging_capacity_ah", "discharging_capacity_ah")

LIKE_RATIO = 2.0
"""Charge and discharge of a complete cycle differ by less than this factor."""

CUT_FRACTION = 0.95
"""Of the larger direction: a last cycle with less of the other may be cut short."""

LEAST_CHARGE_FRACTION = 1e-6
"""Of the largest capacity: less is no charge."""

PULSE_REVERSALS_COUNT = 6
"""Half-cycles: three pulses each way; a cycle has 2, one with a top-up 4."""

PULSE_DUTY_FRACTION = 0.3
"""With that many reversals. Cycles without long rests are above 0.5."""

LOW_DUTY_FRACTION = 0.05
"""Where reversals are not counted: 10 s pulses with rests of minutes are below."""

RATE_RATIO = 1.15
"""Of currents next in size: more is another rate. C/10 and C/8 differ by 1.25,
repeated currents by less than 1.02."""

LONGEST_SHORT_RUN = 10
"""Cycles; rate blocks have 3 to 10 of each rate."""

RATES_OF_BLOCK = 3
"""Two rates in turn are also formation and ageing, or ageing and check-up."""

FIRST_LOSS_FRACTION = 0.05
"""Of the charge: what the first cycle of a cell loses at least, and later ones not."""

WINDOW_VOLT = 0.1
"""End voltages next in size that differ by more are of another window."""

WIDER_RATIO = 1.15
"""Charge of a cycle over the wider window to that of ageing; drift and temperature
stay below."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Cycles ``first <= j < stop`` (of the regular ones) of one group."""

    group: int
    first: int
    stop: int

    @property
    def length(self) -> int:
        return self.stop - self.first


@dataclass(frozen=True, slots=True)
class _Cycles:
    """Features of all cycles, shape (n,); NaN where unknown."""

    charge: Array
    discharge: Array
    rate: Array  # geometric mean of the two currents
    groups: Ints
    duty: Array
    reversals: Array
    eis: Bools
    windows: Ints


def classify(
    cycles: pl.DataFrame, *, labels: Sequence[str | None] | None = None
) -> pl.DataFrame:
    """Say of each cycle which kind it is, by the rules of this module.

    Only the cycle table is used, so that summaries of other programs can be
    classified. Currents and charges count by their ratios alone.

    Parameters
    ----------
    cycles
        With cycle_count, charging_capacity_ah and discharging_capacity_ah; currents,
        end voltages, times, half_cycles_count and eis_rows_count help if they are
        there.
    labels
        What the file calls each cycle, such as "Capacity check"; None or a word that
        is not known leaves the cycle to the rules.

    Returns
    -------
    polars.DataFrame
        `cycles` with cycle_kind (see `equipoise.analysis.kinds.KINDS`),
        cycle_kind_evidence ("label" or "inferred") and complete.

    Raises
    ------
    DataError
        If a column is missing, a capacity is negative, cycles run backwards, or there
        are not as many labels as cycles.
    """
    import polars as pl

    _check(cycles, labels)
    found = _features(cycles)
    kinds = _inferred(found)
    evidence = ["inferred"] * cycles.height
    for i, label in enumerate(() if labels is None else labels):
        known = kind_of_label(label)
        if known is not None:
            kinds[i], evidence[i] = known, "label"
    return cycles.with_columns(
        pl.Series("cycle_kind", kinds, dtype=pl.String),
        pl.Series("cycle_kind_evidence", evidence, dtype=pl.String),
        pl.Series("complete", _complete(found)),
    )


def _check(cycles: pl.DataFrame, labels: Sequence[str | None] | None) -> None:
    import polars as pl

    missing = [n for n in NEEDS if n not in cycles.columns]
    if missing:
        raise DataError(
            f"the cycle table has no column {', '.join(map(repr, missing))}; found: "
            f"{', '.join(cycles.columns)}",
            where="cycle table",
            remedy="rename the columns; NaN where a cycle has no charge or discharge",
        )
    number = cycles["cycle_count"].cast(pl.Int64).to_numpy()
    back = np.flatnonzero(np.diff(number) <= 0)
    if back.size:
        row = int(back[0]) + 1
        raise DataError(
            f"cycle_count goes from {number[row - 1]} to {number[row]} in row {row}",
            where="cycle table",
            remedy="one row per cycle, in their order",
        )
    for name in NEEDS[1:]:
        values = _column(cycles, name)
        if (values < 0.0).any():
            row = int(np.argmax(values < 0.0))
            raise DataError(
                f"{name} is {values[row]:g} in cycle {number[row]}",
                where="cycle table",
                remedy="give magnitudes: capacities are >= 0 in both directions",
            )
    if labels is not None and len(labels) != cycles.height:
        raise DataError(
            f"{len(labels)} labels for {cycles.height} cycles",
            remedy="give one per cycle, None where there is none",
        )


def _column(cycles: pl.DataFrame, *names: str) -> Array:
    """First of the columns that is there; NaN where it has no value."""
    import polars as pl

    for name in names:
        if name in cycles.columns:
            column = cycles[name].cast(pl.Float64).fill_null(float("nan"))
            return column.to_numpy()
    return np.full(cycles.height, np.nan)


def _features(cycles: pl.DataFrame) -> _Cycles:
    charge = np.nan_to_num(_column(cycles, "charging_capacity_ah"))
    discharge = np.nan_to_num(_column(cycles, "discharging_capacity_ah"))
    least = LEAST_CHARGE_FRACTION * max(charge.max(initial=0), discharge.max(initial=0))
    charge[charge <= least] = 0.0
    discharge[discharge <= least] = 0.0
    start, end = (_column(cycles, f"{n}_time_second") for n in ("start", "end"))
    hours = np.where(end > start, (end - start) / 3600.0, np.nan)
    amperes: list[Array] = []
    for side, passed in (("charge", charge), ("discharge", discharge)):
        known = _column(
            cycles, f"maximum_{side}_current_ampere", f"{side}_current_ampere"
        )
        usual = (charge + discharge) / hours
        size = np.where(np.isnan(known), usual, np.abs(known))
        amperes.append(np.where((passed > 0.0) & (size > 0.0), size, np.nan))
    most = np.fmax(amperes[0], amperes[1])
    groups = _joint(*(_clusters(np.log(a), np.log(RATE_RATIO)) for a in amperes))
    ends = (
        _column(cycles, "end_of_charge_voltage_volt", "maximum_voltage_volt"),
        _column(cycles, "end_of_discharge_voltage_volt", "minimum_voltage_volt"),
    )
    return _Cycles(
        charge=charge,
        discharge=discharge,
        rate=np.sqrt(amperes[0] * amperes[1]),
        groups=groups,
        duty=(charge + discharge) / (most * hours),
        reversals=_column(cycles, "half_cycles_count"),
        eis=np.nan_to_num(_column(cycles, "eis_rows_count")) > 0,
        windows=_joint(*(_clusters(v, WINDOW_VOLT) for v in ends)),
    )


def _clusters(values: Array, gap: float) -> Ints:
    """Number the groups between which the sorted values leave a gap; NaN: -1.

    Slow drift stays in one group, and there are no edges to fall over.
    """
    out = np.full(values.size, -1)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    out[order] = np.cumsum(np.diff(values[order], prepend=values[order][:1]) > gap)
    return out


def _joint(first: Ints, second: Ints) -> Ints:
    return first * (second.max(initial=0) + 2) + second


def _alike(found: _Cycles, ratio: float) -> Bools:
    """Charge and discharge passed, and within this ratio."""
    small = np.minimum(found.charge, found.discharge)
    large = np.maximum(found.charge, found.discharge)
    return (small > 0.0) & (large <= ratio * small)


def _complete(found: _Cycles) -> Bools:
    """Both directions of like size, and not cut short by the end of the recording."""
    complete = _alike(found, LIKE_RATIO)
    at = np.flatnonzero(complete)
    if at.size > 2 and at[-1] == found.charge.size - 1:
        last = at[-1]
        both = sorted((found.charge[last], found.discharge[last]))
        known = found.windows[last] >= 0 and (found.windows[at[:-1]] >= 0).all()
        alone = known and found.windows[last] not in found.windows[at[:-1]]
        complete[last] = not (alone and both[0] < CUT_FRACTION * both[1])
    return complete


def _inferred(found: _Cycles) -> list[str]:
    """Rules 2 to 7."""
    n = found.charge.size
    kinds = np.full(n, "", dtype=object)
    passed = found.charge + found.discharge > 0.0
    kinds[~passed] = np.where(found.eis, "eis", "rest")[~passed]
    pulses = passed & _pulses(found)
    if pulses.sum() > 0.5 * passed.sum():
        pulses[:] = False
    kinds[pulses] = "pulse"
    both = passed & ~pulses & (found.charge > 0.0) & (found.discharge > 0.0)
    regular = both & _complete(found)
    regular[np.flatnonzero(both)[:1]] = True
    kinds[passed & ~pulses & ~regular] = "incomplete"
    at = np.flatnonzero(regular)
    if at.size:
        kinds[at] = _regular(found, at)
    return kinds.tolist()


def _pulses(found: _Cycles) -> Bools:
    unknown = np.isnan(found.reversals)
    low = found.duty < LOW_DUTY_FRACTION
    many = found.reversals >= PULSE_REVERSALS_COUNT
    often = many & ~(found.duty >= PULSE_DUTY_FRACTION)
    return np.where(unknown, low & ~_alike(found, LIKE_RATIO), often)


def _regular(found: _Cycles, at: Ints) -> NDArray[np.object_]:
    """Rules 5 to 7 for the cycles `at`."""
    groups, rate = found.groups[at], found.rate[at]
    loss = np.abs(found.charge - found.discharge)[at] / found.charge[at]
    lossy = bool(loss[0] > FIRST_LOSS_FRACTION) and at[0] == _first_passing(found)
    kinds = np.full(at.size, "", dtype=object)
    if at.size == 1:
        kinds[:] = "formation" if lossy else "ageing"
        return kinds
    runs = _runs(groups)
    left = [r for r in runs if r.group >= 0 or len(runs) == 1]
    early = at.size
    for block in _rate_blocks(runs, _most_common(runs)):
        _mark_block(kinds, block, rate, at_start=block[0] is runs[0])
        begin, end = block[0].first, block[-1].stop
        left = [r for r in left if not begin <= r.first < end]
        early = min(early, block[0].first)
    if left:
        _mark_from_ageing(kinds, left, early, rate, lossy)
    kinds[kinds == ""] = "other"
    _mark_wider(kinds, found, at)
    return kinds


def _first_passing(found: _Cycles) -> int:
    """First cycle with both directions."""
    return int(np.argmax((found.charge > 0.0) & (found.discharge > 0.0)))


def _runs(groups: Ints) -> list[_Run]:
    edges = [0, *(np.flatnonzero(np.diff(groups)) + 1).tolist(), groups.size]
    return [_Run(int(groups[a]), a, b) for a, b in pairwise(edges)]


def _most_common(runs: Sequence[_Run]) -> int:
    """Group with most cycles; of equals the later one."""
    total: dict[int, int] = {}
    for run in runs:
        total[run.group] = total.pop(run.group, 0) + run.length
    return max(reversed(total), key=lambda g: total[g])


def _rate_blocks(runs: list[_Run], common: int) -> list[list[_Run]]:
    """Stretches of short runs at three or more rates."""
    blocks: list[list[_Run]] = []
    i = 0
    while i < len(runs):
        stretch: list[_Run] = []
        longest, groups = 0, set[int]()
        for run in islice(runs, i, None):
            starts_ageing = len(groups) >= RATES_OF_BLOCK and run.group == common
            if run.length > LONGEST_SHORT_RUN or (
                starts_ageing and run.length >= 2 * longest
            ):
                break
            stretch.append(run)
            longest = max(longest, run.length)
            groups.add(run.group)
        if _is_block(stretch, runs):
            blocks.append(stretch)
        i += max(len(stretch), 1)
    return blocks


def _is_block(stretch: list[_Run], runs: list[_Run]) -> bool:
    groups = {r.group for r in stretch}
    if len(groups) < RATES_OF_BLOCK:
        return False
    steps = stretch[:-1] if stretch[-1].group == stretch[0].group else stretch
    cycles = sum(r.length for r in steps)
    common = _most_common(steps)
    if 2 * sum(r.length for r in steps if r.group == common) > cycles:
        return False
    # reference tests with several rates come back, one cycle of each
    begin, end = stretch[0].first, stretch[-1].stop
    elsewhere = {r.group for r in runs if not begin <= r.first < end}
    back = len(groups & elsewhere)
    return not (np.median([r.length for r in stretch]) == 1 and 2 * back > len(groups))


def _mark_block(
    kinds: NDArray[np.object_], block: list[_Run], rate: Array, *, at_start: bool
) -> None:
    kinds[block[0].first : block[-1].stop] = "rate step"
    first, others = block[0], block[1:]
    usual = int(np.median([r.length for r in others]))
    if not at_start or first.length == usual:
        return
    lowest = rate[first.first] < min(rate[r.first] for r in others) / RATE_RATIO
    own = all(r.group != first.group for r in others)
    if first.length > usual and rate[first.first] <= rate[others[0].first]:
        kinds[first.first : first.stop - usual] = "formation"
    elif first.length < usual and lowest and own:
        kinds[first.first : first.stop] = "formation"


def _mark_from_ageing(
    kinds: NDArray[np.object_],
    runs: list[_Run],
    early: int,
    rate: Array,
    lossy: bool,
) -> None:
    """Rules 5 (ageing) and 6; runs before `early` come before any rate block."""
    common = _most_common(runs)
    ageing = [r for r in runs if r.group == common]
    begin = ageing[0].first
    pace = float(np.median(rate[ageing[0].first : ageing[0].stop]))
    later: dict[int, int] = {}
    for run in runs:
        if run.first > begin and run.length <= LONGEST_SHORT_RUN:
            later[run.group] = max(later.get(run.group, 0), run.length)
    for run in runs:
        if run.group == common:
            kind = "ageing"
        elif run.length > LONGEST_SHORT_RUN and run.first > begin:
            kind = "other"
        elif run.first > begin:
            kind = "check-up"
        else:
            first_loss = lossy and run.first == 0
            own = run.length > later.get(run.group, 0)
            slower = float(rate[run.first]) < pace
            kind = "check-up" if run.group in later else "other"
            if slower and run.first < early and (own or first_loss):
                kind = "formation"
        kinds[run.first : run.stop] = kind


def _mark_wider(kinds: NDArray[np.object_], found: _Cycles, at: Ints) -> None:
    """Rule 7."""
    ageing = at[kinds == "ageing"]
    if ageing.size < RATES_OF_BLOCK:
        return
    charge = found.charge + found.discharge
    values, counts = np.unique(found.windows[ageing], return_counts=True)
    usual = values[np.argmax(counts)]
    wider = (found.windows[at] != usual) & (
        charge[at] > WIDER_RATIO * float(np.median(charge[ageing]))
    )
    few = np.zeros(at.size, dtype=bool)
    for run in _runs(wider.astype(np.int64)):
        if run.group == 1 and run.length <= LONGEST_SHORT_RUN and run.first > 0:
            few[run.first : run.stop] = True
    kinds[few & (kinds == "ageing")] = "check-up"
