"""Draw the picture of the README: both electrodes of LB and HB on one charge axis.

Run as a script it writes docs/images/lb-hb.png.
"""

from pathlib import Path

import equipoise as eqp
from equipoise.viz.half_cells import stacked_half_cells
from equipoise.viz.style import style

cells = {
    "LB": eqp.load_cell("zhang2026-lb"),
    "HB": eqp.load_cell("zhang2026-hb"),
}
designs = {name: eqp.design_cell(cell) for name, cell in cells.items()}
figure = stacked_half_cells(
    {name: eqp.profiles(cell) for name, cell in cells.items()},
    designs,
    discharges={name: eqp.profiles(c, "discharge") for name, c in cells.items()},
    h2h3_onset_vs_li_volt=4.10,
)
panels_count = len(figure.axes)

if __name__ == "__main__":
    target = Path(__file__).parents[1] / "images" / "lb-hb.png"
    with style():
        figure.savefig(target, dpi=140, metadata={"Software": "equipoise"})
    print(f"written: {target}")
