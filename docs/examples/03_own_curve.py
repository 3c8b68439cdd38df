"""A half-cell curve of your own: two CSV files, one declaration, one design.

The measurement is made up here: the bundled NCM85 curve with 0.5 mV of noise, as a
cycler would write it (mAh, against In/InLi, each half-cycle counted from zero).
"""

import csv
import tempfile
from pathlib import Path

import numpy as np

import equipoise as eqp

folder = Path(tempfile.mkdtemp())
cell = eqp.load_cell("zhang2026-lb")
known = cell.positive.half_cell
mass_mg = 5.41
rng = np.random.default_rng(1)

charged = np.linspace(0.0, 227.0, 1500)
discharged = np.linspace(227.0, 27.0, 1500)
measured = {
    "charge.csv": (charged, known.delithiation),
    "discharge.csv": (discharged, known.lithiation),
}
for name, (capacity, curve) in measured.items():
    volt = curve.potential(capacity) - 0.62 + rng.normal(0.0, 0.5e-3, capacity.size)
    passed_mah = np.abs(capacity - capacity[0]) * mass_mg * 1e-3
    with (folder / name).open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["Q / mAh", "E / V"])
        writer.writerows(zip(passed_mah.tolist(), volt.tolist(), strict=True))

(folder / "my_ncm.toml").write_text(f"""\
name = "my_ncm"
role = "positive"
reference = "in_inli"
active_mass_mg = {mass_mg}
like = "ncm85"
source = "made up by docs/examples/03_own_curve.py"

[delithiation]
file = "charge.csv"
capacity_column = "Q / mAh"
capacity_unit = "mah"
potential_column = "E / V"

[lithiation]
file = "discharge.csv"
capacity_column = "Q / mAh"
capacity_unit = "mah"
potential_column = "E / V"
""")

declared, own = eqp.load_half_cell(folder / "my_ncm.toml")
largest_change_millivolt = max(
    t.monotone_largest_change_millivolt for t in own.treatments
)
design = eqp.design_cell(eqp.with_positive(cell, str(folder / "my_ncm.toml")))
first_charge_mah_per_g = design.first_charge_mah_per_g_positive

for treatment in own.treatments:
    print(treatment)
print(f"first charge with this curve: {first_charge_mah_per_g:.1f} mAh/g")
