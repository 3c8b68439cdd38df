"""Write the report of one or several cells: page, tables, figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from equipoise.core.errors import SpecError
from equipoise.core.files import output_folder, write_atomic
from equipoise.report.answers import NP_RATIOS, answer, labelled
from equipoise.report.drawings import SECTIONS, Drawing, drawings
from equipoise.report.lives import Lived, life_drawings, write_lives
from equipoise.report.page import page
from equipoise.report.simulated import Simulated, simulated_drawings, write_runs
from equipoise.report.tables import write_tables
from equipoise.viz.style import save_figure

if TYPE_CHECKING:
    from equipoise.spec.cell import Cell


@dataclass(frozen=True, slots=True)
class DesignReport:
    """What was written: the page, and all files with the page first."""

    report: Path
    files: tuple[Path, ...]


def write_design_report(
    cells: Sequence[Cell],
    folder: str | Path,
    *,
    np_ratios: Sequence[float] | None = None,
    separator_um: float | None = None,
    figures: bool = True,
    materials: Sequence[Cell] = (),
    simulated: Sequence[Simulated] = (),
    lives: Sequence[Lived] = (),
    command: str = "",
    progress: Callable[[str], None] | None = None,
) -> DesignReport:
    """Write report.html, design.json, weigh_sheet.csv, maps and figures.

    The page is self-contained: it opens without a network. Equal inputs give equal
    files. Nothing is written before every cell has been computed.

    Parameters
    ----------
    cells
        Cells to report side by side, at least one.
    folder
        Created if missing; files of an earlier report are replaced one by one.
    np_ratios
        Rows of the printed map; default: 0.95 to 2.0.
    separator_um
        Engineered separator for the stack energies of the maps; default: as built.
    figures
        Draw figures; without them the page holds tables only.
    materials
        Variants of the first cell with other positive materials, to compare.
    simulated
        Runs of the cells from `report.simulated.simulate_cells`: a section with
        their figures and numbers, and their tables in files.
    lives
        The same from `report.lives.live_cells`.
    command
        Shell line that writes this very report, to be shown first in it.
    progress
        Called with the name of each part before it is made.

    Raises
    ------
    SpecError
        If no cell is given, or a cell cannot reach its window.
    StoreError
        If the folder or a file cannot be written.
    """
    if not cells:
        raise SpecError("a report needs at least one cell")
    told = progress or _silent
    target = output_folder(folder)
    ratios = NP_RATIOS if np_ratios is None else tuple(float(b) for b in np_ratios)
    told("designs and maps")
    answers = [
        answer(cell, label, stem, ratios, separator_um)
        for cell, (label, stem) in zip(cells, labelled(cells), strict=True)
    ]
    pictures: list[Drawing] = []
    if figures:
        told("figures")
        pictures = drawings(answers, separator_um, materials)
        pictures += simulated_drawings(simulated) + life_drawings(lives)
        pictures.sort(key=lambda d: SECTIONS.index(d.section))  # numbered in order
    told("tables")
    files = write_tables(answers, target) + write_runs(simulated, target)
    files += write_lives(lives, target)
    svg: dict[str, str] = {}
    for drawing in pictures:
        told(f"figure {drawing.stem}")
        saved = save_figure(drawing.figure, target / "figures", drawing.stem)
        svg[drawing.stem] = saved[0].read_text("utf-8")  # drawn once, used twice
        files += saved
    told("report.html")
    content = page(
        answers,
        pictures,
        svg,
        np_ratios=ratios,
        separator_um=separator_um,
        materials=materials,
        simulated=simulated,
        lives=lives,
        command=command,
        files=[f.relative_to(target).as_posix() for f in files],
    )
    report = write_atomic(target / "report.html", content)
    return DesignReport(report, (report, *files))


def _silent(what: str) -> None:
    del what
