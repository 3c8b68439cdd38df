"""One draw that stands for all where a figure shows a single cell.

The draw whose numbers are nearest to the medians; its tests run again with every cycle
solved, so that cycles can be traced and states lie close to each other.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import SpecError
from equipoise.io.cells import load_cell
from equipoise.io.kinetics import load_kinetics
from equipoise.io.protocols import load_protocol
from equipoise.sim.life.life import life
from equipoise.sim.simulate import simulate
from equipoise.study.zhang2026.calibration_set import FACTOR_OF, MESH, STEPPING
from equipoise.study.zhang2026.hypotheses import rates_with
from equipoise.study.zhang2026.predict import LB_CELL, cases

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from equipoise.sim.life.life import Life
    from equipoise.sim.simulate import Run
    from equipoise.study.zhang2026.ensemble import Member
    from equipoise.study.zhang2026.predict import Prediction

Array = NDArray[np.float64]
PRESSURE_TEST = "pressure-first-five"
WIDTH_AT = (0.05, 0.95)
"""Quantiles whose distance is the scale of a row."""


def representative(predictions: Sequence[Prediction]) -> Prediction:
    """Find the draw whose numbers are nearest to the medians of all draws.

    Distance: mean square over the rows of (number - median) / (95 % - 5 % quantile);
    the many cycles of row P2 count as one row. A number that a draw does not have is
    one width off. Of equal draws the first is taken.

    Raises
    ------
    SpecError
        If there is no draw.
    """
    if not predictions:
        raise SpecError("there is no draw to choose from", remedy="give at least one")
    names = sorted({n for p in predictions for n in p.numbers})
    table = np.array([[p.numbers.get(n, np.nan) for n in names] for p in predictions])
    table[~np.isfinite(table)] = np.nan
    known = np.isfinite(table).any(axis=0)
    table = table[:, known]
    low, high = np.nanquantile(table, WIDTH_AT, axis=0)
    spread = np.where(high > low, high - low, np.inf)
    off = np.abs(table - np.nanmedian(table, axis=0)) / spread
    square = np.where(np.isnan(off), 1.0, off) ** 2
    rows = [names[i].partition(".")[0] for i in np.flatnonzero(known)]
    weight = np.array([1.0 / rows.count(r) for r in rows])
    return predictions[int(np.argmin(square @ weight))]


def solved_life(member: Member, case: str, *, trace: Collection[int] = ()) -> Life:
    """Run a test of a draw again with every cycle solved.

    Parameters
    ----------
    case
        One of `predict.cases`.
    trace
        Cycles (counted from 1) whose time series is kept.

    Raises
    ------
    SpecError
        If there is no such case.
    KeyboardInterrupt
        If it is interrupted: a part of a life is of no use here.
    """
    known = {c.name: c for c in cases()}
    if case not in known:
        raise SpecError(
            f"the case {case!r} is not known", remedy=f"cases: {', '.join(known)}"
        )
    chosen = known[case]
    if case in FACTOR_OF:
        factor = member.values.get(FACTOR_OF[case], 0.0)
    else:
        factor = member.lb_cells[LB_CELL[case]]
    rates = rates_with(load_kinetics(member.kinetics), member.values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the status tells it
        found = life(
            replace(chosen.cell, kinetics=rates),
            chosen.protocol,
            member.mechanisms.ageing(member.values, cell_factor=factor),
            mesh=MESH,
            stepping=STEPPING,
            until_retention=None,
            trace=set(trace) or "none",
            strict=False,
        )
    if found.interrupted:
        raise KeyboardInterrupt
    return found


def pressure_run(member: Member, cell: str) -> Run:
    """Simulate the first five cycles of a pressure cell, fresh and without ageing.

    Raises
    ------
    KeyboardInterrupt
        If it is interrupted.
    """
    rates = rates_with(load_kinetics(member.kinetics), member.values)
    found = simulate(
        replace(load_cell(cell), kinetics=rates), load_protocol(PRESSURE_TEST)
    )
    if found.interrupted:
        raise KeyboardInterrupt
    return found
