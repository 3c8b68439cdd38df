"""All ageing tests of the paper, for one draw or all: HB calibrated, LB blind."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.fit.ageing import LifeCase, LifeModel
from equipoise.io.cells import load_cell
from equipoise.io.kinetics import load_kinetics
from equipoise.study.zhang2026 import lives
from equipoise.study.zhang2026.calibration_set import (
    CASES,
    FACTOR_OF,
    MESH,
    ROUND_0_2C,
    STEPPING,
    targets,
)
from equipoise.study.zhang2026.fresh import with_thick_separator
from equipoise.study.zhang2026.hypotheses import rates_with

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from equipoise.ageing.ageing import Ageing
    from equipoise.sim.life.life import Life
    from equipoise.spec.cell import Cell
    from equipoise.spec.kinetics import CellKinetics
    from equipoise.study.zhang2026.ensemble import Member

Array = NDArray[np.float64]
LB_CASES = ("LB 0.2C", "LB 1C", "LB rates", "LB three electrodes")
LB_CELL = {
    "LB 0.2C": "0.2C",
    "LB 1C": "1C",
    "LB rates": "rates",
    "LB three electrodes": "three electrodes",
}
LB_CYCLES_1C = 2500
EVERY = 100
LIFE_CASES = ("HB 1C", "LB 1C")
START_MAH_PER_G = {"LB 0.2C": 185.0, "LB 1C": 149.0, "LB rates": 187.0}
"""Printed capacities of the fresh cells (rows L3, A2; mean of L3 and S7): a predicted
capacity is the computed retention times this, so that it does not carry the misfit of
the fresh cell."""
FIRST_POTENTIAL_VOLT = 4.1919
"""Row T1, likewise: predicted is the change from it."""
LEVEL_RETENTION = 0.8
RETURN_ROW = 23
"""Of cycle 24, back at 0.2C."""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """One draw: its numbers by row id, and its lives by case."""

    member: Member
    numbers: dict[str, float]
    lives: dict[str, Life]


def cases() -> tuple[LifeCase, ...]:
    """The tests of both cells."""
    hb, lb = load_cell("zhang2026-hb"), load_cell("zhang2026-lb")
    hb_tests = (lives.at_0_2c(), lives.at_1c(718), lives.rates_then_0_2c())
    lb_tests = (
        lives.at_0_2c(),
        lives.at_1c(LB_CYCLES_1C),
        lives.rates_then_0_2c(),
        lives.three_electrodes(),
    )
    cells: list[Cell] = [lb, lb, lb, with_thick_separator(lb)]
    return (
        *(LifeCase(n, hb, p) for n, p in zip(CASES, hb_tests, strict=True)),
        *(LifeCase(n, c, p) for n, c, p in zip(LB_CASES, cells, lb_tests, strict=True)),
    )


def predict(member: Member, only: Sequence[str] | None = None) -> Prediction:
    """Simulate the tests with one draw; `only` some of the cases."""
    mechanisms, rates = member.mechanisms, load_kinetics(member.kinetics)

    def build(values: Mapping[str, float], case: str) -> tuple[CellKinetics, Ageing]:
        if case in FACTOR_OF:
            factor = values.get(FACTOR_OF[case], 0.0)
        else:
            factor = member.lb_cells[LB_CELL[case]]
        return rates_with(rates, values), mechanisms.ageing(values, cell_factor=factor)

    wanted = tuple(c for c in cases() if only is None or c.name in only)
    wanted = tuple(replace(c, cell=replace(c.cell, kinetics=rates)) for c in wanted)
    model = LifeModel(build, wanted, (), MESH, STEPPING)
    found = model.lives(member.values)
    return Prediction(member, numbers(found, member), found)


def predict_all(
    members: Sequence[Member],
    *,
    only: Sequence[str] | None = None,
    workers_count: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Prediction]:
    """`predict` for many draws in threads, in order."""
    out: list[Prediction] = []
    with ThreadPoolExecutor(workers_count or os.cpu_count()) as pool:
        for one in pool.map(partial(predict, only=only), members):
            out.append(one)
            if progress is not None:
                progress(len(out), len(members))
    return out


def numbers(found: Mapping[str, Life], member: Member) -> dict[str, float]:
    """Rows of the paper seen in lives; ids of the table, "P2.100" and so on for P2."""
    out: dict[str, float] = {}
    for target in targets():
        if target.case in found:
            out[target.name] = target.observe(found[target.case])
    if "LB 1C" in found:
        out |= _at_1c(found["LB 1C"])
    if "LB 1C" in found and "HB 1C" in found:
        out["P3"] = out["P1"] / out["A3"]
    if "LB 0.2C" in found:
        slow = found["LB 0.2C"]
        out["P4"] = START_MAH_PER_G["LB 0.2C"] * lives.kept_after(1, 120)(slow)
        out["L5"] = lives.efficiency_percent(2, 120)(slow)
    if "LB rates" in found:
        rates = found["LB rates"]
        kept = lives.kept_after(ROUND_0_2C, 90)(rates)
        out["P5"] = START_MAH_PER_G["LB rates"] * kept
        out["P6"] = 100.0 * lives.kept_after(91, 290)(rates)
        for row, symbol in (("P7", "R_int"), ("P8", "R_ct")):
            read = lives.resistance_ohm_cm2(symbol)(rates)
            out[row] = read * member.reading_ratio
    if "LB three electrodes" in found:
        table = found["LB three electrodes"].cycles
        upper = table["upper_potential_vs_li_volt"]
        reached = len(upper) > RETURN_ROW
        moved = float(upper[RETURN_ROW] - upper[0]) if reached else float("nan")
        out["P9"] = FIRST_POTENTIAL_VOLT + moved
    return out


def _at_1c(life: Life) -> dict[str, float]:
    """Cycle life and capacities of LB at 1C; 0 where the cell gave up before."""
    seen = lives.Seen(life)
    first = seen.discharge(lives.FIRST_1C)
    out = {"P1": lives.cycles_to(LEVEL_RETENTION)(life)}
    for n in range(EVERY, LB_CYCLES_1C + 1, EVERY):
        kept = seen.discharge(lives.FIRST_1C + n - 1) / first
        out[f"P2.{n}"] = START_MAH_PER_G["LB 1C"] * (kept if np.isfinite(kept) else 0.0)
    return out


def quantiles(
    predictions: Sequence[Prediction], row: str, at: Sequence[float] = (0.05, 0.5, 0.95)
) -> tuple[float, ...]:
    """Quantiles of a row over the draws; nan if no draw has it."""
    values = [p.numbers[row] for p in predictions if row in p.numbers]
    finite = [v for v in values if np.isfinite(v)]
    if not finite:
        return tuple(float("nan") for _ in at)
    return tuple(float(q) for q in np.quantile(finite, at))
