"""Publication style of all figures: colours, sizes, saving.

Figures are plain `matplotlib.figure.Figure` objects: no pyplot, no window, no global
state. Fonts and line widths apply inside ``with style():`` only.
"""

from __future__ import annotations

import io
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import matplotlib as mpl
from matplotlib.figure import Figure

from equipoise import __version__
from equipoise.core.files import output_folder, write_atomic

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from pathlib import Path

    from matplotlib.axes import Axes

# Okabe & Ito, Color Universal Design (2008): told apart with any colour vision.
ORANGE, SKY, GREEN, BLUE = "#E69F00", "#56B4E9", "#009E73", "#0072B2"
VERMILLION, PURPLE, BLACK, GREY = "#D55E00", "#CC79A7", "#000000", "#767676"
SHADE = "#EFEFEF"

POSITIVE_COLOUR = PURPLE
NEGATIVE_COLOUR = GREEN
CELL_COLOUR = BLACK

KNOWN_CELLS = {"LB": ORANGE, "HB": BLUE}
"""As in the figures of zhang2026: low balancing warm, high balancing blue."""
OTHER_CELLS = (VERMILLION, GREEN, SKY, PURPLE, BLACK, GREY)
DASHES: tuple[str | tuple[int, tuple[float, ...]], ...] = (
    "-",
    (0, (5, 1.6)),
    (0, (1.2, 1.2)),
    (0, (6, 1.4, 1.2, 1.4)),
)

DOUBLE_COLUMN_MM = 183.0
MM_PER_INCH = 25.4
PNG_DPI = 300

_ONE_AT_A_TIME = threading.RLock()
"""matplotlib's settings are global: threads draw one after the other."""

RC: dict[str, Any] = {
    "text.parse_math": False,  # a "$" in a cell's name is a dollar
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica"],
    "font.size": 8.0,
    "axes.labelsize": 8.0,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.formatter.useoffset": False,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "lines.linewidth": 1.5,
    "lines.markersize": 5.0,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "legend.borderaxespad": 0.3,
    "hatch.linewidth": 0.6,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "none",  # text stays text: searchable, editable
    "svg.hashsalt": "equipoise",  # the same figure gives the same file
}


@contextmanager
def style() -> Generator[None]:
    """Apply the house style inside a ``with`` block, and only there."""
    with _ONE_AT_A_TIME, mpl.rc_context(cast("Any", RC)), warnings.catch_warnings():
        # a name in a script the font lacks: boxes are drawn, that is enough
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def new_figure(height_mm: float, *, width_mm: float = DOUBLE_COLUMN_MM) -> Figure:
    """Empty figure, not known to pyplot; call it inside `style`."""
    size = (width_mm / MM_PER_INCH, height_mm / MM_PER_INCH)
    return Figure(figsize=size, layout="constrained")


def cell_colours(names: Iterable[str]) -> dict[str, str]:
    """Colour of each cell: fixed for LB and HB, the palette in order for others."""
    names = list(names)
    rest = (c for c in _endless(OTHER_CELLS))
    return {n: KNOWN_CELLS[n] if n in KNOWN_CELLS else next(rest) for n in names}


def _endless(colours: tuple[str, ...]) -> Iterator[str]:
    while True:
        yield from colours


def dash(index: int) -> str | tuple[int, tuple[float, ...]]:
    """Line style number `index`, so that lines differ without colour, too."""
    return DASHES[index % len(DASHES)]


def letter_panels(axes: Iterable[Axes]) -> None:
    """Put (a), (b), ... in front of the titles of the panels."""
    for i, ax in enumerate(axes):
        title = ax.get_title(loc="left")
        ax.set_title(f"({chr(ord('a') + i)})  {title}".rstrip(), loc="left")


def save_figure(figure: Figure, folder: str | Path, stem: str) -> list[Path]:
    """Write ``<stem>.svg`` and ``<stem>.png`` (300 dpi), whole or not at all.

    Saving the same figure twice gives the same bytes: no date, no random ids.

    Raises
    ------
    StoreError
        If the folder or a file cannot be written.
    """
    target = output_folder(folder)
    return [
        write_atomic(target / f"{stem}.svg", svg_text(figure)),
        write_atomic(target / f"{stem}.png", _png_bytes(figure)),
    ]


def svg_text(figure: Figure) -> str:
    """The figure as SVG; text stays text, no date."""
    buffer = io.StringIO()
    creator = f"equipoise {__version__}"
    with style():
        figure.savefig(
            buffer, format="svg", metadata={"Date": None, "Creator": creator}
        )
    return buffer.getvalue()


def _png_bytes(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    software = {"Software": f"equipoise {__version__}"}
    with style():
        figure.savefig(buffer, format="png", dpi=PNG_DPI, metadata=software)
    return buffer.getvalue()
