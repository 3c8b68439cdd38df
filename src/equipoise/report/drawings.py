"""The figures of a report, with their titles and captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from equipoise.design.np_map import np_map
from equipoise.report.answers import Answer, band_maps, families, fine_map
from equipoise.viz.dqdv import dqdv_figure
from equipoise.viz.half_cell import curve_figure
from equipoise.viz.half_cells import stacked_half_cells
from equipoise.viz.materials import material_comparison_figure
from equipoise.viz.np_map import np_map_figure
from equipoise.viz.reserve import reserve_figure
from equipoise.viz.voltage_map import voltage_map_figure

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

    from equipoise.spec.cell import Cell

SECTIONS = (
    "electrodes", "map", "voltage", "compensation", "dqdv", "materials",
    "simulated_pair", "simulated", "life", "curves",
)  # fmt: skip
"""Sections with figures, in the order of the page."""
DQDV_COLUMNS = 3
"""Cells side by side in one dQ/dV figure."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure and where it belongs."""

    section: str
    stem: str
    title: str
    caption: str
    figure: Figure


def drawings(
    answers: Sequence[Answer],
    separator_um: float | None,
    materials: Sequence[Cell] = (),
) -> list[Drawing]:
    """All figures of the designs."""
    found = [_half_cells(answers)]
    for family in families(answers):
        found += [_np_map(family, separator_um), _voltage_map(family)]
    found.append(_reserve(answers))
    for start in range(0, len(answers), DQDV_COLUMNS):
        found.append(_dqdv(answers[start : start + DQDV_COLUMNS], start))
    if materials:
        found.append(_materials(materials, answers[0]))
    return found + _curves(answers)


def _half_cells(answers: Sequence[Answer]) -> Drawing:
    onsets = {_onset(a.cell) for a in answers}
    figure = stacked_half_cells(
        {a.label: a.charge for a in answers},
        {a.label: a.design for a in answers},
        discharges={a.label: a.discharge for a in answers},
        h2h3_onset_vs_li_volt=onsets.pop() if len(onsets) == 1 else None,
    )
    return Drawing(
        "electrodes",
        "half_cells",
        "Where both electrodes stand during the first cycle",
        "Potentials of both electrodes and voltage of the cell against the capacity "
        "per gram of positive active material; right: the end of charge. Dots: end of "
        "charge (UP is the upper potential of the positive); open squares: end of "
        "discharge (LP).",
        figure,
    )


def _onset(cell: Cell) -> float | None:
    known = cell.positive.material.h2h3_onset_vs_li_volt
    return None if known is None else known.value


def without_unknown(cell: Cell, table: pl.DataFrame) -> pl.DataFrame:
    """Leave out columns the material has no data for (they would show zeros)."""
    if _onset(cell) is None:
        return table.drop("h2h3_usage_mah_per_g_positive", strict=False)
    return table


def _np_map(family: Sequence[Answer], separator_um: float | None) -> Drawing:
    first = family[0]
    separator = "as built" if separator_um is None else f"of {separator_um:g} µm"
    figure = np_map_figure(
        without_unknown(first.cell, fine_map(first, separator_um)),
        marked={a.label: a.cell.np_ratio for a in family},
        bands=[without_unknown(first.cell, t) for t in band_maps(first, separator_um)],
    )
    return Drawing(
        "map",
        f"np_map_{first.stem}",
        "What the n/p ratio does",
        "Everything but n/p as in the cell. Grey: the range over the other readings of "
        "the negative's curve and over the volume data. Stack energy with the "
        f"separator {separator}.",
        figure,
    )


def _voltage_map(family: Sequence[Answer]) -> Drawing:
    first = family[0]
    window = first.design
    return Drawing(
        "voltage",
        f"np_voltage_map_{first.stem}",
        "n/p ratio and upper cut-off together",
        "A low n/p ratio and a low cut-off both keep the upper potential down; the "
        "negative compensates only where κ is high. Hatched: "
        "half-cell curves used beyond their data by more than 1 % of the charge. "
        f"Lower cut-off {window.lower_volt:g} V.",
        voltage_map_figure(
            first.voltage_map,
            marked={a.label: (a.cell.np_ratio, a.design.upper_volt) for a in family},
        ),
    )


def _reserve(answers: Sequence[Answer]) -> Drawing:
    return Drawing(
        "compensation",
        "reserve",
        "What the cell holds back",
        "Answer of the charge capacity, of the upper potential and of κ to a "
        "prescribed loss of active positive material. Particles are lost with all "
        "their lithium, before the first charge. O and F: start and end of the "
        "compensation line.",
        reserve_figure({a.label: a.losses for a in answers}),
    )


def _dqdv(answers: Sequence[Answer], start: int) -> Drawing:
    return Drawing(
        "dqdv",
        "dqdv" if start == 0 else f"dqdv_{start // DQDV_COLUMNS + 1}",
        "Which electrode makes which peak",
        "First charge. Top: dQ/dV of the cell and of each electrode against the cell "
        "voltage; the electrode with the smaller value shapes the cell, a plateau "
        "leaves the frame. Bottom: the share of each electrode in dV/dQ.",
        dqdv_figure({a.label: a.charge for a in answers}),
    )


def _curves(answers: Sequence[Answer]) -> list[Drawing]:
    found: dict[tuple[str, str], Drawing] = {}
    for a in answers:
        sides = {"positive": a.cell.positive, "negative": a.cell.negative}
        for side, electrode in sides.items():
            name = electrode.material.name
            if (side, name) in found:
                continue
            twin = any(n == name for _, n in found)
            caption = "As the library or the file gives it."
            if side == "positive":
                caption += " The design moves the lower end of a discharge to the lock."
            found[side, name] = Drawing(
                "curves",
                f"curve_{name}_{side}" if twin else f"curve_{name}",
                f"Half-cell curve of {name}",
                caption,
                curve_figure(electrode.half_cell),
            )
    return list(found.values())


def _materials(materials: Sequence[Cell], base: Answer) -> Drawing:
    """Compare positive materials in the recipe of `base`."""
    fine = fine_map(base, None)["np_ratio"].to_numpy()
    tables: dict[str, pl.DataFrame] = {}
    for cell in materials:
        name = cell.positive.material.name
        while name in tables:
            name += "'"
        tables[name] = np_map(cell, fine)
    return Drawing(
        "materials",
        "materials",
        "The same recipe with other positive materials",
        "Each material is balanced with its own capacity for Eq. 1, at the same "
        "window and loading; the negative is the same.",
        material_comparison_figure(tables),
    )
