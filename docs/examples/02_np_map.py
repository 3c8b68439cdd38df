"""Where does the stack energy peak, and what does the positive see there?

Two separators: the pressed pellet of the laboratory cell, and 30 um of a product.
"""

import numpy as np

import equipoise as eqp

cell = eqp.load_cell("zhang2026-lb")
ratios = np.arange(0.95, 1.6, 0.01)

pellet = eqp.np_map(cell, ratios)
thin = eqp.np_map(cell, ratios, separator_um=30)


def best(table):
    """The row with the highest stack energy."""
    return table.row(table["energy_wh_per_kg_stack"].arg_max(), named=True)


best_pellet_np_ratio = best(pellet)["np_ratio"]
best_thin_np_ratio = best(thin)["np_ratio"]
best_thin_kappa = best(thin)["compensation_fraction"]

window = eqp.np_voltage_map(cell, [1.0, 1.1, 1.5], [2.65, 2.75])
unreached_count = window.filter(window["status"] != 0).height

print(f"pellet:  n/p {best_pellet_np_ratio:.2f}")
print(f"30 um:   n/p {best_thin_np_ratio:.2f}, kappa there {best_thin_kappa:.2f}")
print(window.select("np_ratio", "upper_volt", "first_charge_mah_per_g_positive"))
