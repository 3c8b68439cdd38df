"""Turn a treated curve into a closed form: a sum of reactions (MSMR).

Useful to carry a curve into another tool. The terms outside the measured window are
mathematical tails, not reactions; `poorly_determined` says which.
"""

import equipoise as eqp

curve = eqp.load_cell("zhang2026-lb").positive.half_cell.delithiation
fit = eqp.fit_msmr(
    curve,
    terms_count=5,
    theoretical_capacity_mah_per_g=274.98,
    window_vs_li_volt=(3.6, 4.25),
)
rmse_millivolt = fit.rmse_millivolt
occupancy_sum = sum(t.occupancy_fraction for t in fit.terms)
h2h3_potential_volt = min(
    (t.standard_potential_vs_li_volt for t in fit.terms), key=lambda u: abs(u - 4.19)
)

print(f"5 terms, RMSE {rmse_millivolt:.2f} mV, H2-H3 near {h2h3_potential_volt:.3f} V")
for term in fit.terms:
    print(term)
print(*fit.poorly_determined, sep="\n")
