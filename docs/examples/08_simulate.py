"""Simulate the two cells of zhang2026: first cycle, rate test, three-electrode test.

Run as a script it writes docs/images/simulation.png.
"""

from pathlib import Path

import equipoise as eqp
from equipoise.io.protocols import load_protocol
from equipoise.sim.simulate import simulate
from equipoise.viz.simulation_overview import overview
from equipoise.viz.style import style

cells = [eqp.load_cell("zhang2026-lb"), eqp.load_cell("zhang2026-hb")]
first, rates, electrodes = (
    [simulate(cell, load_protocol(name)) for cell in cells]
    for name in ("first-cycle", "rate-test", "three-electrode-rate-test")
)
for run in rates:
    print(run.name, "discharges in the rate test, mAh per g of positive material:")
    print(run.cycles["discharging_capacity_mah_per_g_positive"].round(1).to_list())

# The cell voltage ends the charge, so the negative retreats as the positive rises.
lb = electrodes[0].cycles
upper_volt = lb["upper_potential_vs_li_volt"]
negative_volt = lb["negative_end_of_charge_potential_vs_li_volt"]
window_upper_volt = (upper_volt - negative_volt).mean()
print(f"upper potential minus negative, mean of all charges: {window_upper_volt:.4f} V")

figure = overview(first, rates, electrodes)

if __name__ == "__main__":
    target = Path(__file__).parents[1] / "images" / "simulation.png"
    with style():
        figure.savefig(target, dpi=140, metadata={"Software": "equipoise"})
    print(f"written: {target}")
