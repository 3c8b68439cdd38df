"""The same recipe with other positives, at the same n/p.

Read the caveats of each material first: the capacity axes of nca and nmc811 are
assumed, and the nmc811 form ends near the potential where its H2-H3 peak lies.
"""

import equipoise as eqp

lb = eqp.load_cell("zhang2026-lb")
cells = {
    "ncm85": lb,
    "nca": eqp.with_positive(lb, "nca"),
    "nmc811": eqp.with_positive(lb, "nmc811"),
}
designs = {name: eqp.design_cell(cell) for name, cell in cells.items()}

nca_upper_potential_volt = designs["nca"].upper_potential_vs_li_volt
nca_composite_mg = designs["nca"].weigh.negative_composite_mg
nmc811_h2h3_usage = designs["nmc811"].h2h3_usage_mah_per_g_positive
nmc811_notes_count = len(designs["nmc811"].notes)

for name, d in designs.items():
    print(
        f"{name:7} {d.first_charge_mah_per_g_positive:6.1f} mAh/g  "
        f"UP {d.upper_potential_vs_li_volt:.3f} V  "
        f"kappa {d.compensation_fraction:.2f}  "
        f"negative composite {d.weigh.negative_composite_mg:.2f} mg"
    )
    print("        first caveat:", d.caveats[0])
