"""Balance the two cells of zhang2026 and compare what they are made to do.

The only difference between them is the mass of the negative: n/p 1.1 (LB), 1.5 (HB).
"""

import equipoise as eqp

lb = eqp.design_cell(eqp.load_cell("zhang2026-lb"))
hb = eqp.design_cell(eqp.load_cell("zhang2026-hb"))

lb_composite_mg = lb.weigh.negative_composite_mg
charge_given_up_mah_per_g = (
    hb.first_charge_mah_per_g_positive - lb.first_charge_mah_per_g_positive
)
potential_lowered_millivolt = 1e3 * (
    hb.upper_potential_vs_li_volt - lb.upper_potential_vs_li_volt
)
charge_band = lb.band("first_charge_mah_per_g_positive")

print(f"weigh {lb_composite_mg:.2f} mg of negative composite for LB")
print(f"LB gives up {charge_given_up_mah_per_g:.1f} mAh/g of the first charge")
print(f"and keeps the positive {potential_lowered_millivolt:.0f} mV lower")
print(f"first charge of LB over the readings of the LTO tail: {charge_band}")
