"""The figures of the paper, computed: with titles, captions and roles."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from equipoise.report.drawings import Drawing
from equipoise.report.reproduction_bars import resistance_rows_figure
from equipoise.report.reproduction_lives import median_life, tables_of
from equipoise.report.reproduction_rows import condensed
from equipoise.study.zhang2026.lives import FIRST_1C, ROUND_COUNT
from equipoise.viz.dqdv_map import dqdv_lines, dqdv_map
from equipoise.viz.impedance_drt import drt
from equipoise.viz.impedance_nyquist import nyquist
from equipoise.viz.life_capacity import life_capacity
from equipoise.viz.life_ledger import life_ledger
from equipoise.viz.life_potentials import compensation_line, life_potentials
from equipoise.viz.life_predictions import life_predictions
from equipoise.viz.life_wear import life_wear
from equipoise.viz.pressure import pressure_evolution

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from equipoise.report.reproduction_single import SingleDraw
    from equipoise.spec.spectrum import Spectrum
    from equipoise.study.zhang2026.reproduce import Reproduction

SECTIONS = (
    "cycling", "phases", "pressure", "impedance", "potentials", "compensation",
    "wear", "rows",
)  # fmt: skip
"""Sections with figures, in the order of the page."""
ARCS_HERTZ = 10.0
"""Above it the arcs, below it diffusion."""
DESIRED_VOLT = 4.30
"""Upper potential that the paper wants (sec. 2.5)."""
BAND = (
    "Lines: medians over the draws, cycle by cycle; shaded: 5 to 95 % of them, as far "
    "as all have run."
)
ONE = "One draw stands for all: the one whose numbers are nearest to the medians."
CAPACITY = "discharging_capacity_mah_per_g_positive"


class Printed(NamedTuple):
    """A printed capacity of HB at a cycle of a test, with its spread if known."""

    cycle_count: int
    capacity: float
    spread: float = float("nan")


PRINTED_HB = {
    "0.2C": (Printed(1, 199.0, 0.9), Printed(120, 169.0, 13.5)),
    "1C": (
        Printed(FIRST_1C, 161.0),
        Printed(FIRST_1C + 413, 0.8 * 161.0),
        Printed(FIRST_1C + 717, 111.0),
    ),
    "rates": (
        Printed(2, 204.0),
        Printed(3 * ROUND_COUNT + 2, 164.0),
        Printed(4 * ROUND_COUNT + 2, 141.0),
        Printed(5 * ROUND_COUNT + 2, 96.0),
        Printed(90, 191.0),
        Printed(290, 0.75 * 191.0),
    ),
}
"""Rows L1, L2, L6, L7; A1, A3, A4; R1, R3, R5, R7, A6, A7."""
THREE_ELECTRODES = {1: 4.1919, 2: 4.1931}
"""Rows T1 and T2."""


def draw_all(found: Reproduction, single: SingleDraw) -> list[Drawing]:
    """All figures, in the order of the page."""
    drawn = _rows(found)
    drawn += [_cycling(found, *one) for one in CYCLING]
    drawn += _phases(found, single)
    drawn += [_pressure(single)]
    drawn += _impedance(found, single)
    drawn += _potentials(found)
    drawn += _compensation(single)
    drawn += [_wear(found)]
    return sorted(drawn, key=lambda d: SECTIONS.index(d.section))


def _both(found: Reproduction, test: str) -> dict[str, list[pl.DataFrame]]:
    """Tables of all draws of one test, by name of the cell."""
    return {
        name: tables_of(found.predictions, f"{name} {test}") for name in ("HB", "LB")
    }


def _medians(tables: dict[str, list[pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    return {name: median_life(some) for name, some in tables.items()}


def _rows(found: Reproduction) -> list[Drawing]:
    """Every number with its interval: those calibrated on, and the others."""
    table = found.table.filter(
        found.table["id"].is_in([r.id for r in condensed(found.rows)])
    )
    return [
        Drawing(
            "rows",
            "rows_calibrated",
            "Numbers that the model was made to meet",
            "All calibrated: fresh cells (interval: how much cells of one kind differ) "
            "and ageing of HB (interval: 90 % of the draws).",
            life_predictions(table, roles=("calibrated",)),
        ),
        Drawing(
            "rows",
            "rows_predicted",
            "Numbers that the model was not made to meet",
            "Predicted: all of them, of LB; blind: the printed number is withheld. "
            "Intervals: 90 % of the draws, new LB cells included.",
            life_predictions(table, roles=("predicted", "blind")),
        ),
    ]


CYCLING = (
    (
        "0.2C",
        "capacity_0.2C",
        "Capacity and Coulombic efficiency at 0.2C (Fig. 2c, d)",
        "HB is calibrated on cycles 1 and 120 and on the mean efficiency (rows L1, L2, "
        "L4; bars: standard deviation of two cells); its course between them and all "
        "of LB but its first cycle are predicted. Input: the protocol.",
        None,
    ),
    (
        "rates",
        "capacity_rates",
        "Two rounds of rates, then 0.2C (Fig. 4b)",
        "HB is calibrated on the points (rows R1, R3, R5, R7 of fresh cells, A6, A7); "
        "LB: fresh rates calibrated, its fade predicted. Input: the protocol, whose "
        f"{ROUND_COUNT} cycles per rate are assumed, so that the points of the rates "
        "stand at the second cycle of the assumed block; the last is 75 % of 191.",
        None,
    ),
    (
        "1C",
        "capacity_1C",
        "Capacity and Coulombic efficiency at 1C (Fig. 5)",
        "HB is calibrated on its cycle life, cycle 718 and mean efficiency (rows A1, "
        "A3, A4, A5); all of LB but its first capacity is predicted. The test at 1C "
        f"begins at cycle {FIRST_1C}, after a short rate test (input); lives are "
        "counted from there.",
        0.8,
    ),
)
"""Test, file, title, roles, level of the end of life."""


def _cycling(
    found: Reproduction,
    test: str,
    stem: str,
    title: str,
    roles: str,
    level: float | None,
) -> Drawing:
    members = _both(found, test)
    figure = life_capacity(
        _medians(members),
        members=members,
        measured={"HB": _measured(PRINTED_HB[test])},
        level_retention=level,
    )
    scale = "Capacities as computed, with the misfit of the fresh cells; the rows of "
    caption = f"{BAND} Diamonds: printed for HB. {roles} {scale}"
    caption += "the table count from the printed start."
    return Drawing("cycling", stem, title, caption, figure)


def _measured(points: Sequence[Printed]) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(
        {
            "cycle_count": [p.cycle_count for p in points],
            CAPACITY: [p.capacity for p in points],
            f"standard_deviation_{CAPACITY}": [p.spread for p in points],
            "is_calibrated": [True] * len(points),
        }
    )


def _phases(found: Reproduction, single: SingleDraw) -> list[Drawing]:
    members = _both(found, "0.2C")
    roles = (
        "Input: the volume data of NCM85 and the onset of H2-H3. HB follows from its "
        "calibrated fade, LB is predicted."
    )
    return [
        Drawing(
            "phases",
            "dqdv_map",
            "dQ/dV of the charge over the cycles at 0.2C (Fig. 2e, f)",
            f"{ONE} Every tenth cycle and the second. Predicted: no dQ/dV was used in "
            "the calibration.",
            dqdv_map(single.curves),
        ),
        Drawing(
            "phases",
            "dqdv_lines",
            "The same as lines",
            f"{ONE} The peak at the highest voltage is H2-H3. Predicted.",
            dqdv_lines(single.curves),
        ),
        Drawing(
            "phases",
            "wear_0.2C",
            "H2-H3 usage and wear at 0.2C",
            f"{BAND} H2-H3 usage: charge passed above its onset, per gram of positive "
            f"as built. {roles}",
            life_wear(_medians(members), members=members),
        ),
    ]


def _pressure(single: SingleDraw) -> Drawing:
    return Drawing(
        "pressure",
        "pressure",
        "Stack pressure during the first five cycles at 0.1C (Fig. 3a, b)",
        "Protocol pressure-first-five: rest of 12 h, then five cycles; fresh cells, no "
        "ageing, rates of the draw that stands for all. Band: volume data and frame. "
        "Input: frame stiffness and transfer (assumed, see above), volume data; rates "
        "calibrated; pressure predicted.",
        pressure_evolution(single.pressures),
    )


def _impedance(found: Reproduction, single: SingleDraw) -> list[Drawing]:
    spectra = list(single.spectra.values())
    names = list(single.spectra)
    fits = [r.best.impedance_ohm for r in spectra]
    whole = [replace(r.spectrum, name=n) for r, n in zip(spectra, names, strict=True)]
    roles = "HB calibrated (rows E1, E2), LB predicted, withheld (P7, P8)."
    return [
        Drawing(
            "impedance",
            "nyquist",
            "Impedance after cycle 290, discharged (Fig. 4c)",
            f"{ONE} Simulated 1 MHz to 0.1 Hz without noise; lines: what the "
            f"distribution of relaxation times makes of it. {roles}",
            nyquist(whole, fits=fits),
        ),
        Drawing(
            "impedance",
            "nyquist_arcs",
            f"The same above {ARCS_HERTZ:g} Hz",
            f"{ONE} Without the tail of diffusion. {roles}",
            nyquist([_above(s, ARCS_HERTZ) for s in whole], fits=fits),
        ),
        Drawing(
            "impedance",
            "drt",
            "Distribution of relaxation times (Fig. 4d)",
            f"{ONE} Bands: what the tails that the data do not refute make of it; the "
            "numbers are of the best-supported tail, so not those of the bars. "
            f"Input: λ 1e-4, shape factor 0.5 as printed. {roles}",
            drt(spectra, names=names),
        ),
        Drawing(
            "impedance",
            "resistances",
            "R_int and R_ct after cycle 290 (Fig. 4e)",
            "Medians and 5 to 95 % over all draws. As calibrated: mean over fixed "
            "models of the tail, on the area of the positive; of LB with the spread of "
            f"reading a spectrum. {roles}",
            resistance_rows_figure(found.rows),
        ),
    ]


def _above(spectrum: Spectrum, hertz: float) -> Spectrum:
    """The part of a spectrum above a frequency."""
    fast = spectrum.frequency_hertz >= hertz
    return replace(
        spectrum,
        frequency_hertz=spectrum.frequency_hertz[fast],
        impedance_ohm=spectrum.impedance_ohm[fast],
    )


def _potentials(found: Reproduction) -> list[Drawing]:
    import polars as pl

    case = "LB three electrodes"
    three = {"LB": tables_of(found.predictions, case, all_alike=True)}
    printed = pl.DataFrame(
        {
            "cycle_count": list(THREE_ELECTRODES),
            "upper_potential_vs_li_volt": list(THREE_ELECTRODES.values()),
            "is_calibrated": [True, True],
        }
    )
    fast = _both(found, "1C")
    return [
        Drawing(
            "potentials",
            "potentials_three_electrodes",
            "End potentials in the three-electrode cell (Table S7)",
            f"{BAND} Three cycles at 0.2C, then faster ones up to 5C, and 0.2C again "
            "in cycle 24. The first two UP (rows T1, T2) are printed and calibrated "
            "on; all others, and every LP, are predicted; cycle 24 is withheld (P9). "
            "Input: separator of 160 mg, protocol.",
            life_potentials(_medians(three), members=three, measured={"LB": printed}),
        ),
        Drawing(
            "potentials",
            "potentials_1C",
            "End potentials during the test at 1C",
            f"{BAND} No potential of this test is printed: predicted. Dashed: the "
            "upper potential that is wanted (input).",
            life_potentials(
                _medians(fast), members=fast, desired_vs_li_volt=DESIRED_VOLT
            ),
        ),
    ]


def _compensation(single: SingleDraw) -> list[Drawing]:
    ledgers = single.ledgers
    return [
        Drawing(
            "compensation",
            "compensation_line",
            "The way from O to F at 1C (Fig. 7)",
            f"{ONE} Upper potential and reserve of the settled cell, state by state. "
            "The fade of HB is calibrated; LB and the split into potential and reserve "
            "are predicted.",
            compensation_line({n: x.o_to_f for n, x in ledgers.items()}),
        ),
        Drawing(
            "compensation",
            "ledger",
            "Compensation ledger at 1C",
            f"{ONE} Predicted from what-if runs of frozen states: each cause undone, "
            "and an endless negative. The sum of HB is calibrated, the split is not.",
            life_ledger(
                {n: x.table for n, x in ledgers.items()},
                {n: x.reserve for n, x in ledgers.items()},
            ),
        ),
    ]


def _wear(found: Reproduction) -> Drawing:
    members = _both(found, "1C")
    return Drawing(
        "wear",
        "wear_1C",
        "What wears at 1C",
        f"{BAND} States of the model; none of them was measured. HB follows from its "
        "calibrated fade, LB is predicted.",
        life_wear(_medians(members), members=members),
    )
