"""The HTML page of a report: one file, no network, no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from equipoise import __version__
from equipoise.report.answers import Answer, families
from equipoise.report.drawings import Drawing
from equipoise.report.inline_svg import inline_svg
from equipoise.report.inputs import curve_sources, input_rows
from equipoise.report.lives import life_notes, life_rows
from equipoise.report.map_rows import map_table
from equipoise.report.rows import (
    band_rows,
    summary_rows,
    tolerance_rows,
    weigh_rows,
)
from equipoise.report.simulated_rows import simulated_notes, simulated_rows
from equipoise.report.wording import brief, commands, limits, simulate_commands

if TYPE_CHECKING:
    from equipoise.report.lives import Lived
    from equipoise.report.simulated import Simulated
    from equipoise.spec.cell import Cell


@dataclass(frozen=True, slots=True)
class Shown:
    """A drawing as the template needs it."""

    section: str
    stem: str
    title: str
    caption: str
    svg: Markup


def page(
    answers: Sequence[Answer],
    pictures: Sequence[Drawing],
    svg: Mapping[str, str],
    *,
    np_ratios: Sequence[float],
    separator_um: float | None,
    materials: Sequence[Cell],
    simulated: Sequence[Simulated],
    lives: Sequence[Lived] = (),
    command: str,
    files: Sequence[str],
) -> str:
    """Fill the template; everything but our own SVG is escaped.

    `svg` has the drawn text of each picture by its stem.
    """
    environment = Environment(
        loader=PackageLoader("equipoise.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("design.html.j2").render(
        version=__version__,
        labels=[a.label for a in answers],
        briefs=[brief(a) for a in answers],
        inputs=input_rows(answers),
        summary=summary_rows(answers),
        bands=band_rows(answers),
        weigh=weigh_rows(answers),
        tolerances=[(a.label, tolerance_rows(a.tolerance)) for a in answers],
        maps=[map_table(f, has_h2h3=_has_h2h3(f[0])) for f in families(answers)],
        separator_um=separator_um,
        curves=curve_sources([*(a.cell for a in answers), *materials]),
        notes=[(a.label, a.design.notes) for a in answers],
        simulated_labels=[s.label for s in simulated],
        simulated_rows=simulated_rows(simulated),
        simulated_notes=simulated_notes(simulated),
        life_labels=[x.label for x in lives],
        life_rows=life_rows(lives) if lives else [],
        life_notes=life_notes(lives),
        limits=limits(answers, simulated),
        commands=[
            *([command] if command else []),
            *commands(answers, np_ratios),
            *simulate_commands(simulated),
        ],
        files=files,
        figures=[_shown(i, d, svg[d.stem]) for i, d in enumerate(pictures, start=1)],
    )


def _has_h2h3(a: Answer) -> bool:
    return a.design.h2h3_usage_mah_per_g_positive is not None


def _shown(number: int, drawing: Drawing, text: str) -> Shown:
    svg = inline_svg(text, f"f{number}")
    return Shown(
        drawing.section,
        drawing.stem,
        f"Figure {number}. {drawing.title}",
        drawing.caption,
        Markup(svg),  # from matplotlib, which escapes its texts
    )
