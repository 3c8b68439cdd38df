"""The HTML page of the reproduction: one file, no network, no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from equipoise import __version__
from equipoise.report.inline_svg import inline_svg
from equipoise.report.page import Shown
from equipoise.report.reproduction_claims import FIRST, claim_texts
from equipoise.report.reproduction_open import (
    SHOWN,
    hypothesis_shares,
    leading,
    parameters_left,
)
from equipoise.report.reproduction_rows import (
    MEANING,
    by_role,
    number,
    row_text,
    summaries,
)

if TYPE_CHECKING:
    from equipoise.report.drawings import Drawing
    from equipoise.report.reproduction_rows import RowText
    from equipoise.study.zhang2026.predict import Prediction
    from equipoise.study.zhang2026.reproduce import Reproduction, Row

CARDS = (
    ("HB, 1C", (("cycles to 80 %", "A3"), ("mAh/g, cycle 718", "A4"))),
    ("LB, 1C", (("cycles to 80 %", "P1"), ("times the life of HB", "P3"))),
    ("0.2C, cycle 120", (("HB, mAh/g", "L2"), ("LB, mAh/g", "P4"))),
    ("Charge transfer, cycle 290", (("HB, Ω cm²", "E2"), ("LB, Ω cm²", "P8"))),
)
"""Title of a card, and its facts: words and row."""


def reproduction_page(
    found: Reproduction,
    chosen: Prediction,
    pictures: Sequence[Drawing],
    svg: Mapping[str, str],
    *,
    notes: Mapping[str, Sequence[str]],
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
    return environment.get_template("reproduction.html.j2").render(
        version=__version__,
        draws=len(found.predictions),
        cards=_cards(found.rows),
        summaries=summaries(found.rows),
        roles=MEANING,
        groups=_groups(found.rows),
        claims=claim_texts(found.predictions),
        first_cycle=FIRST,
        shares=hypothesis_shares(found.predictions),
        share_header=[text for text, _ in SHOWN.values()],
        leading=leading(found.predictions),
        parameters=parameters_left(found.predictions),
        chosen=chosen.member,
        broken=_broken(found.predictions),
        pressure_notes=_notes(notes),
        command=command,
        files=files,
        figures=[_shown(i, d, svg[d.stem]) for i, d in enumerate(pictures, start=1)],
    )


def _notes(notes: Mapping[str, Sequence[str]]) -> list[str]:
    """Notes of all cells once, then those of one cell with its name."""
    shared = [n for some in notes.values() for n in some]
    once = [n for n in dict.fromkeys(shared) if shared.count(n) == len(notes)]
    own = [f"{cell}: {n}" for cell, some in notes.items() for n in some]
    return once + [n for n in own if n.partition(": ")[2] not in once]


def _groups(rows: Sequence[Row]) -> dict[str, list[RowText]]:
    return {role: [row_text(r) for r in some] for role, some in by_role(rows).items()}


def _cards(
    rows: Sequence[Row],
) -> list[tuple[str, list[tuple[str, str, str, str]]]]:
    """Title and facts: words, value, small print, role."""
    by_id = {r.id: r for r in rows}
    out: list[tuple[str, list[tuple[str, str, str, str]]]] = []
    for title, facts in CARDS:
        shown: list[tuple[str, str, str, str]] = []
        for words, name in facts:
            row = by_id[name]
            text = row_text(row)
            printed = "withheld" if row.role == "blind" else f"printed {text.printed}"
            small = f"{text.interval}; {printed}"
            shown.append((words, number(row, row.computed), small, row.role))
        out.append((title, shown))
    return out


def _broken(predictions: Sequence[Prediction]) -> list[str]:
    """Tests that ended before their protocol did, and in how many draws."""
    counts: dict[str, int] = {}
    for prediction in predictions:
        for case, life in prediction.lives.items():
            counts[case] = counts.get(case, 0) + bool(life.status)
    return [
        f"{case}: {n} of {len(predictions)} draws" for case, n in counts.items() if n
    ]


def _shown(number: int, drawing: Drawing, text: str) -> Shown:
    svg = inline_svg(text, f"f{number}")
    return Shown(
        drawing.section,
        drawing.stem,
        f"Figure {number}. {drawing.title}",
        drawing.caption,
        Markup(svg),  # from matplotlib, which escapes its texts
    )
