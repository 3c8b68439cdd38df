"""Write the reproduction of zhang2026: page, tables, lives, figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from equipoise import __version__
from equipoise.core.files import output_folder, write_atomic
from equipoise.io.bdf import table_bytes
from equipoise.io.spectra.write import write_spectra
from equipoise.report.design_report import DesignReport
from equipoise.report.reproduction_drawings import draw_all
from equipoise.report.reproduction_page import reproduction_page
from equipoise.report.reproduction_rows import reproduction_json
from equipoise.report.reproduction_single import single_draw
from equipoise.study.zhang2026.representative import representative
from equipoise.viz.style import save_figure

if TYPE_CHECKING:
    from equipoise.report.drawings import Drawing
    from equipoise.study.zhang2026.predict import Prediction
    from equipoise.study.zhang2026.reproduce import Reproduction


def write_reproduction(
    found: Reproduction,
    folder: str | Path,
    *,
    figures: bool = True,
    command: str = "",
    progress: Callable[[str], None] | None = None,
) -> DesignReport:
    """Write report.html, rows, the lives of one draw, and figures.

    The page is self-contained: it opens without a network. Nothing is written before
    everything has been computed and drawn.

    Parameters
    ----------
    folder
        Created if missing; files of an earlier report are replaced one by one.
    figures
        Simulate the draw that stands for all once more, with traces and ledgers, and
        draw; without them the page holds tables only.
    command
        Shell line that writes this very report.
    progress
        Called with the name of each part before it is made.

    Raises
    ------
    StoreError
        If the folder or a file cannot be written.
    """
    told = progress or _silent
    target = output_folder(folder)
    chosen = representative(found.predictions)
    pictures: list[Drawing] = []
    notes: dict[str, tuple[str, ...]] = {}
    if figures:
        single = single_draw(chosen, progress=lambda what: told(f"one draw, {what}"))
        notes = single.pressure_notes
        told("figures")
        pictures = draw_all(found, single)
    told("tables")
    files = _tables(found, target) + _lives(chosen, target / "lives")
    svg: dict[str, str] = {}
    for drawing in pictures:
        told(f"figure {drawing.stem}")
        saved = save_figure(drawing.figure, target / "figures", drawing.stem)
        svg[drawing.stem] = saved[0].read_text("utf-8")  # drawn once, used twice
        files += saved
    told("report.html")
    content = reproduction_page(
        found,
        chosen,
        pictures,
        svg,
        notes=notes,
        command=command,
        files=[f.relative_to(target).as_posix() for f in files],
    )
    report = write_atomic(target / "report.html", content)
    return DesignReport(report, (report, *files))


def _tables(found: Reproduction, target: Path) -> list[Path]:
    content = reproduction_json(
        found, report=str(target / "report.html"), version=__version__
    )
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return [
        write_atomic(target / "rows.csv", table_bytes(found.table, "csv")),
        write_atomic(target / "rows.json", text),
    ]


def _lives(chosen: Prediction, target: Path) -> list[Path]:
    """Cycles of every test of one draw, and its spectra."""
    output_folder(target)
    files: list[Path] = []
    spectra = [s.cell for life in chosen.lives.values() for s in life.impedances]
    for case, life in chosen.lives.items():
        stem = case.replace(" ", "_")
        table = life.cycles
        files += [
            write_atomic(target / f"{stem}.{form}", table_bytes(table, form))
            for form in ("csv", "parquet")
        ]
    if spectra:
        files.append(write_spectra(spectra, target / "spectra.csv"))
    return files


def _silent(what: str) -> None:
    del what
