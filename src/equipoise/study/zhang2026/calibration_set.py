"""Targets of the ageing calibration: rows of role "age" of HB cells, and two words.

The words are what the paper prints of LB without a number (sec. 2.2, Fig. 2e,f): over
120 cycles at 0.2C its H2-H3 peak grows and its upper potential rises. Only a model in
which they fall is charged for it. Whether they are used decides where the missing
charge goes, and with it the predictions for LB: `targets(words=False)` is HB alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from equipoise.fit.ageing import LifeCase, LifeModel, LifeTarget
from equipoise.io.cells import load_cell
from equipoise.io.kinetics import load_kinetics
from equipoise.sim.mesh import Mesh, Stepping
from equipoise.study.zhang2026 import lives
from equipoise.study.zhang2026.hypotheses import Hypothesis, rates_with

if TYPE_CHECKING:
    from collections.abc import Mapping

    from equipoise.ageing.ageing import Ageing
    from equipoise.spec.kinetics import CellKinetics

MESH = Mesh(
    positive_nodes_count=12, negative_nodes_count=12, shells_count=12, shell_grading=1.5
)
STEPPING = Stepping()
CASES = ("HB 0.2C", "HB 1C", "HB rates")
FACTOR_OF = {"HB 0.2C": "cell_0.2C", "HB 1C": "cell_1C", "HB rates": "cell_rates"}
CYCLES_1C = 718
LB_CASE = "LB 0.2C"


def targets(*, words: bool = True) -> tuple[LifeTarget, ...]:
    """Printed numbers with one standard deviation each.

    Retentions: 1.5 % of a capacity, which is how much cells of one kind differ fresh.
    Resistances: 15 %, what reading a spectrum leaves open. Mean efficiencies: half a
    digit, and whether the first cycle counts (0.1 % of 120 cycles) is not printed: the
    value lies between.
    """
    return (*_hb_rows(), *(_words() if words else ()))


def _words() -> tuple[LifeTarget, ...]:
    """Signs that the paper states of LB: no fall of either, to 0.5 mAh/g and 2 mV."""
    return (
        LifeTarget(
            "W1",
            LB_CASE,
            lives.fall_of("h2h3_usage_mah_per_g_positive", 2, 120),
            0.0,
            0.5,
            "mAh/g",
        ),
        LifeTarget(
            "W2",
            LB_CASE,
            lives.fall_of("upper_potential_vs_li_volt", 2, 120),
            0.0,
            0.002,
            "V",
        ),
    )


def _hb_rows() -> tuple[LifeTarget, ...]:
    return (
        LifeTarget("L2", "HB 0.2C", lives.kept_after(1, 120), 169 / 199, 0.015, "1"),
        LifeTarget("L4", "HB 0.2C", lives.efficiency_percent(2, 120), 99.65, 0.06, "%"),
        LifeTarget("A3", "HB 1C", lives.cycles_to(0.8), 414.0, 20.0, "cycles"),
        LifeTarget(
            "A4",
            "HB 1C",
            lives.kept_after(lives.FIRST_1C, lives.FIRST_1C + CYCLES_1C - 1),
            111 / 161,
            0.015,
            "1",
        ),
        LifeTarget(
            "A5",
            "HB 1C",
            lives.efficiency_percent(2, lives.FIRST_1C + CYCLES_1C - 1),
            99.91,
            0.04,
            "%",
        ),
        LifeTarget(
            "A6", "HB rates", lives.kept_after(ROUND_0_2C, 90), 191 / 197, 0.015, "1"
        ),
        LifeTarget("A7", "HB rates", lives.kept_after(91, 290), 0.75, 0.015, "1"),
        LifeTarget(
            "E1", "HB rates", lives.resistance_ohm_cm2("R_int"), 19.3, 2.9, "ohm cm2"
        ),
        LifeTarget(
            "E2", "HB rates", lives.resistance_ohm_cm2("R_ct"), 46.8, 7.0, "ohm cm2"
        ),
    )


ROUND_0_2C = lives.ROUND_COUNT + 2
"""A cycle at 0.2C of the first round."""


def model(hypothesis: Hypothesis, fresh: str, *, words: bool = True) -> LifeModel:
    """The tests under a hypothesis, with one of the sets of fresh rates."""
    hb, lb = load_cell("zhang2026-hb"), load_cell("zhang2026-lb")
    rates = load_kinetics(fresh)

    def build(values: Mapping[str, float], case: str) -> tuple[CellKinetics, Ageing]:
        factor = values.get(FACTOR_OF[case], 0.0) if case in FACTOR_OF else 0.0
        return rates_with(rates, values), hypothesis.ageing(values, cell_factor=factor)

    hb = replace(hb, kinetics=rates)
    protocols = (lives.at_0_2c(), lives.at_1c(CYCLES_1C), lives.rates_then_0_2c())
    cases = tuple(
        LifeCase(name, hb, protocol)
        for name, protocol in zip(CASES, protocols, strict=True)
    )
    if words:
        lb = replace(lb, kinetics=rates)
        cases = (*cases, LifeCase(LB_CASE, lb, lives.at_0_2c()))
    return LifeModel(build, cases, targets(words=words), MESH, STEPPING)
