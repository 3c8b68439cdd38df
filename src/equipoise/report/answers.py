"""Everything a report says about one cell, computed once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.design.cell_design import THIN_SEPARATOR_UM, CellDesign, design_cell
from equipoise.design.compensation import compensation_by_loss
from equipoise.design.np_map import np_map, np_voltage_map
from equipoise.design.profiles import profiles
from equipoise.design.tolerance import tolerance
from equipoise.spec.cell import CellSpec, Origin

if TYPE_CHECKING:
    import polars as pl

    from equipoise.spec.cell import Cell

Array = NDArray[np.float64]

NP_RATIOS = (0.95, 1.0, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3, 1.4, 1.5, 1.75, 2.0)
FINE_COUNT = 241
VOLTAGE_MAP_COUNT = 60
VOLTAGE_MAP_NP = (0.9, 1.6)
VOLTAGE_MAP_BELOW_VOLT = 0.25
VOLTAGE_MAP_ABOVE_VOLT = 0.05
LARGEST_LOSS = 0.25
LONGEST_STEM = 80
"""Characters of a cell's name in file names."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One cell with its tables; `label` is unique in a report, `stem` a file name."""

    cell: Cell
    label: str
    stem: str
    design: CellDesign
    map: pl.DataFrame
    voltage_map: pl.DataFrame
    tolerance: pl.DataFrame
    charge: pl.DataFrame
    discharge: pl.DataFrame
    losses: pl.DataFrame


def answer(
    cell: Cell,
    label: str,
    stem: str,
    np_ratios: Sequence[float],
    separator_um: float | None,
) -> Answer:
    """Compute all tables of one cell.

    Raises
    ------
    SpecError
        If the cell cannot reach its window.
    """
    ratios, volts = _voltage_grid(cell)
    return Answer(
        cell,
        label,
        stem,
        design_cell(cell, thin_separator_um=separator_um or THIN_SEPARATOR_UM),
        np_map(cell, np_ratios, separator_um=separator_um),
        np_voltage_map(cell, ratios, volts, separator_um=separator_um),
        tolerance(cell),
        profiles(cell, "charge"),
        profiles(cell, "discharge"),
        compensation_by_loss(cell, np.linspace(0.0, LARGEST_LOSS, 101)),
    )


def _voltage_grid(cell: Cell) -> tuple[Array, Array]:
    window, own = cell.spec.window, cell.np_ratio
    low, high = VOLTAGE_MAP_NP
    lowest = max(
        window.upper_volt - VOLTAGE_MAP_BELOW_VOLT,
        0.5 * (window.lower_volt + window.upper_volt),
    )
    highest = window.upper_volt + VOLTAGE_MAP_ABOVE_VOLT
    return (
        np.linspace(min(low, 0.95 * own), max(high, 1.05 * own), VOLTAGE_MAP_COUNT),
        np.linspace(lowest, highest, VOLTAGE_MAP_COUNT),
    )


def labelled(cells: Sequence[Cell]) -> list[tuple[str, str]]:
    """Label and file stem of each cell: unique, whatever the names are.

    Stems differ in more than case: some file systems do not keep it.
    """
    labels: list[str] = []
    stems: list[str] = []
    for cell in cells:
        labels.append(_unique(cell.name, labels, " ({})"))
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", cell.name).strip("-.")
        plain = plain[:LONGEST_STEM] or "cell"
        stems.append(_unique(plain, stems, "-{}"))
    return list(zip(labels, stems, strict=True))


def _unique(name: str, taken: Sequence[str], suffix: str) -> str:
    found, number = name, 2
    while found.lower() in {t.lower() for t in taken}:
        found, number = name + suffix.format(number), number + 1
    return found


def families(answers: Sequence[Answer]) -> list[list[Answer]]:
    """Cells that differ in nothing but n/p share one map."""
    found: list[tuple[CellSpec, list[Answer]]] = []
    for a in answers:
        recipe = _recipe(a.cell)
        for known, members in found:
            if known == recipe:
                members.append(a)
                break
        else:
            found.append((recipe, [a]))
    return [members for _, members in found]


def _recipe(cell: Cell) -> CellSpec:
    spec = cell.with_np_ratio(1.0).spec
    return spec.model_copy(update={"name": "", "origin": Origin()})


def fine_map(a: Answer, separator_um: float | None) -> pl.DataFrame:
    """The map over n/p on a fine grid, for smooth lines."""
    return np_map(a.cell, _fine(a), separator_um=separator_um)


def band_maps(a: Answer, separator_um: float | None) -> list[pl.DataFrame]:
    """The fine map under every other reading of the negative's curve."""
    negative = a.cell.negative
    return [
        np_map(
            replace(a.cell, negative=replace(negative, half_cell=reading)),
            _fine(a),
            separator_um=separator_um,
        )
        for reading in negative.variants.values()
    ]


def _fine(a: Answer) -> Array:
    low, high = (float(f(a.map["np_ratio"].to_numpy())) for f in (np.min, np.max))
    own = a.cell.np_ratio
    return np.linspace(min(low, 0.95 * own), max(high, 1.05 * own), FINE_COUNT)
