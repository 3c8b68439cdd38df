"""Analyse the rate tests of LB and HB as if they had been measured."""

import equipoise as eqp

test = eqp.load_protocol("short-rate-test")
runs = {
    name: eqp.simulate(eqp.load_cell(f"zhang2026-{name.lower()}"), test)
    for name in ("LB", "HB")
}
for name, run in runs.items():
    cycles = eqp.cycle_summary(run.trace, record=eqp.record_of(run))
    rates = eqp.rate_table(cycles)
    shown = ("discharge_c_rate", "discharging_capacity_mah_per_g_positive")
    print(name, *(f"{c:.3g}C: {q:.1f}" for c, q in rates.select(shown).rows()))

lb = runs["LB"]
record = eqp.record_of(lb)
cycles = eqp.cycle_summary(lb.trace, record=record)
slow = cycles.filter(cycles["cycle_count"] == 3).row(0, named=True)
upper_potential_volt = slow["upper_potential_vs_li_volt"]
window_volt = upper_potential_volt - slow["negative_end_of_charge_potential_vs_li_volt"]
print(f"UP at 0.1C: {upper_potential_volt:.3f} V, {window_volt:.3f} V above the other")

# The charge under the curve is that of the half-cycle; H2-H3 is the last peak of it.
dq = eqp.dqdv(lb.trace, record=record, axis="positive")
area_residual_fraction = float(dq.area_residual_fraction.max())
peaks = eqp.peaks(dq)
charge = peaks.filter((peaks["cycle_count"] == 3) & (peaks["direction"] == 1))
h2h3_volt = charge["positive_electrode_potential_volt"][-1]
usage = eqp.window_charge(dq, 4.10, 4.30)["window_capacity_mah_per_g_positive"][0]
print(f"H2-H3 at {h2h3_volt:.3f} V; {usage:.1f} mAh/g above 4.10 V in the first charge")

# Like cycles only: a drift over mixed rates is one of the rate.
three = eqp.three_electrode(lb.trace, record=record, cycles=[2, 3])
print(*three.notes, sep="\n")
