"""What the tail gives back, and when it gives nothing.

A tenth of the active positive is lost. Where its lithium went decides everything.
"""

import equipoise as eqp

lb = eqp.load_cell("zhang2026-lb")
hb = eqp.load_cell("zhang2026-hb")
charged = eqp.design_cell(lb).first_charge_mah_per_g_positive


def charge_change_percent(cell, isolated_at_mah_per_g):
    """Change of the charge after the loss of 10 %."""
    table = eqp.compensation_by_loss(
        cell, 0.10, isolated_at_mah_per_g=isolated_at_mah_per_g
    )
    return table["charge_change_percent"][0]


lost_full_percent = charge_change_percent(lb, 0.0)
lost_charged_percent = charge_change_percent(lb, charged)
hb_percent = charge_change_percent(hb, 0.0)

one_percent, five_percent = eqp.reserve(lb)
tolerated_percent = 100.0 * five_percent.tolerated_loss_fraction
tolerated_worst_percent = 100.0 * five_percent.tolerated_loss_low_fraction

polarised = eqp.compensation_by_polarisation(lb, [0.0, 0.02])
charge_lost_mah_per_g = -polarised["charge_mah_per_g_positive"].diff()[1]

print(f"10 % lost with their lithium:  LB {lost_full_percent:.1f} % of the charge")
print(f"10 % lost charged:             LB {lost_charged_percent:.1f} %")
print(f"10 % lost, no tail:            HB {hb_percent:.1f} %")
print(f"5 % less charge after {tolerated_worst_percent:.0f}-{tolerated_percent:.1f} %")
print(f"20 mV of polarisation cost LB {charge_lost_mah_per_g:.2f} mAh/g")
