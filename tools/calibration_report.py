"""Write a calibration of the fresh cells into the library and into the docs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "src/equipoise/spec/library/kinetics/zhang2026.toml"
PAGE = ROOT / "docs/reference/calibration.md"
SOURCE = 'source = "zhang2026, calibration.md"'
ACTIVATION = """\
diffusivity_kj_per_mol = 35.0
exchange_kj_per_mol = 50.0
film_kj_per_mol = 33.8
ionic_kj_per_mol = 33.8
electronic_kj_per_mol = 20.0
source = "LPSCl as in the separator; the others assumed (textbook 20-60 kJ/mol)"
"""
HEAD = '''\
# Rates of LTO | Li6PS5Cl | LiNbO3-NCM85, one set for LB and HB.
# Written by tools/calibrate_fresh_cell.py; low and high are 95 % intervals.
name = "zhang2026"
title = "LTO | Li6PS5Cl | LiNbO3-NCM85, 45 C, 81 MPa (calibrated, fresh cells)"
reference_temperature_celsius = 45
separator_activation_kj_per_mol = 33.8  # 0.35 eV, textbook 0.30-0.40
reference_position_fraction = 0.5       # paper sec. 4.5: in the centre
caveats = [
    """\\
    Calibrated together on capacities and cut-off potentials of fresh cells: single \\
    numbers are known only as far as their intervals say. Ohmic parts (electronic \\
    conductivities, contact) and exchange currents stand in for each other; their \\
    intervals are as wide as what was assumed.""",
    """\\
    The printed electronic conductivity of the positive (0.048 mS/cm) is taken as its \\
    pristine end; the rest follows from the rate tests.""",
    """\\
    A part of the LTO, roughly a seventh to two fifths, is slow (longer diffusion): \\
    that its accessible capacity depends on the rate is seen, why is not.""",
]
'''


def write_library(calibration) -> None:
    """Renew the bundled rates."""
    table = {r["name"]: r for r in calibration.parameter_table().to_dicts()}

    def number(name: str) -> str:
        r = table[name]
        return (
            f"value = {r['estimate']:.4g}\n"
            f"low = {r['low']:.3g}\nhigh = {r['high']:.3g}\n"
            f'{SOURCE}\nevidence = "calibrated"\n'
        )

    def fixed(value: str, source: str, evidence: str) -> str:
        return f'value = {value}\nsource = "{source}"\nevidence = "{evidence}"\n'

    def row(names: list[str], key: str, form: str, more: str = "") -> str:
        values = [format(table[n][key], form) for n in names]
        return "[" + ", ".join(values + ([more] if more else [])) + "]"

    d = [n for n in table if n.startswith("positive_diffusivity")]
    s = [n for n in table if n.startswith("positive_electronic")]
    q = float(f"{table['lto_capacity']['estimate']:.4g}")
    slow = float(f"{table['slow_share']['estimate']:.4g}")
    text = f"""{HEAD}
[separator_conductivity_millisiemens_per_cm]
value = 4.83
low = 4.27
high = 5.46
source = "2.05 mS/cm at 25 C (obelix, entry 122), 0.35 eV; low 0.30, high 0.40 eV"
evidence = "computed"

[contact_resistance_ohm_cm2]
{number("contact")}
[positive]
material = "ncm85"
open_circuit_stretch_ratio = {table["positive_stretch"]["estimate"]:.4g}

[positive.particle_radius_um]
{fixed("2.0", "zhang2026 sec. 2: secondary particles of about 4 um", "paper")}
[positive.diffusivity_cm2_per_s]
lithiation_fraction = [{", ".join(n.rsplit("_", 1)[1] for n in d)}]
values = {row(d, "estimate", ".3g")}
low = {row(d, "low", ".2g")}
high = {row(d, "high", ".2g")}
{SOURCE}
evidence = "calibrated"
note = "for a diffusion length of 2 um; the full end (1.0) is hardly known"

[positive.exchange_current_ma_per_cm2]
{number("positive_exchange")}
[positive.ionic_conductivity_millisiemens_per_cm]
{fixed("0.14", "zhang2026 sec. 2.1", "paper")}
[positive.electronic_conductivity_millisiemens_per_cm]
lithiation_fraction = [{", ".join(n.rsplit("_", 1)[1] for n in s)}, 1.0]
values = {row(s, "estimate", ".3g", "0.048")}
low = {row(s, "low", ".2g", "0.048")}
high = {row(s, "high", ".2g", "0.048")}
{SOURCE}
evidence = "calibrated"
note = "the pristine end (1.0) is the printed value, zhang2026 sec. 2.1"

[positive.activation]
{ACTIVATION}
[positive.hysteresis_capacity_mah_per_g]
{fixed("5.0", "our choice: branches of an NCM meet within some mAh/g", "assumed")}
[negative]
material = "lto"

[negative.particle_radius_um]
{fixed("0.5", "our choice; only the ratio to the diffusivity matters", "assumed")}
[negative.diffusivity_cm2_per_s]
{number("negative_diffusivity")}
[negative.exchange_current_ma_per_cm2]
{number("negative_exchange")}
[negative.ionic_conductivity_millisiemens_per_cm]
{number("negative_ionic")}
[negative.electronic_conductivity_millisiemens_per_cm]
{number("negative_electronic")}
[negative.lithium_capacity_mah_per_g]
value = {q:g}
low = {table["lto_capacity"]["low"]:.4g}
high = {table["lto_capacity"]["high"]:.4g}
{SOURCE}
evidence = "calibrated"
note = "accessible at rest; 175.1 in theory, 132 at 0.2C"

[negative.open_circuit]
form = "tailed_plateau"
axis = "lithiated"
capacity_mah_per_g = {q:g}
plateau_vs_li_volt = 1.55
head_height_volt = 0.45
head_width_fraction = 0.010
tail_height_volt = {table["lto_tail_height"]["estimate"]:.4g}
tail_width_fraction = {table["lto_tail_width"]["estimate"]:.4g}
{SOURCE}
evidence = "calibrated"
note = "at rest; the tail that a cell shows at a rate is wider and comes earlier"

[negative.activation]
{ACTIVATION}
[[negative.particle_classes]]
name = "fast"
share_fraction = {1.0 - slow:.4g}

[[negative.particle_classes]]
name = "slow"
share_fraction = {slow:.4g}
radius_ratio = {table["slow_radius_ratio"]["estimate"]:.4g}
"""
    LIBRARY.write_text(text, encoding="utf-8")


def write_page(best, results, targets) -> None:
    """Renew the page of the documentation: residuals, intervals, correlations."""
    left = len(targets) - best.effective_parameters_ratio
    reduced = best.chi_square / left
    lines = [
        "# Calibration of the fresh cells",
        "",
        "Written by `tools/calibrate_fresh_cell.py`. One set of rates for both cells "
        "of zhang2026, calibrated to its numbers of role *fit*; LB and HB differ in "
        "the mass of the negative only. Discharge capacities are those of the second "
        "of two symmetric cycles at each rate.",
        "",
        "All numbers here belong to the mesh of that script (`MESH`: 12 nodes per "
        "electrode, 12 shells, grading 1.5; tolerance 0.2 mV). `equipoise simulate` "
        "has a finer one and differs by up to 0.4 % of a capacity and 0.6 mV; the "
        "rate tests also by the number of cycles at a rate.",
        "",
        "## Residuals",
        "",
        f"{len(targets)} rows, {len(best.parameters)} parameters, chi-square "
        f"{best.chi_square:.1f} (standard deviations: 1.5 % of a capacity, which is "
        "how much cells of one kind differ in the paper; 2 mV of a potential, 8 mV of "
        "a read-off voltage, 0.8 % of an efficiency).",
        "",
        "| row | case | unit | printed | computed | difference | % | SD |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in best.residual_table().to_dicts():
        form = ".4f" if "V" in r["unit"] else ".1f"
        lines.append(
            f"| {r['name']} | {r['case']} | {r['unit']} | {r['measured']:{form}} | "
            f"{r['computed']:{form}} | {r['difference']:+{form}} | "
            f"{r['difference_percent']:+.1f} | {r['deviation_ratio']:+.1f} |"
        )
    lines += [
        "",
        "## Parameters",
        "",
        "Intervals: 95 %, from the curvature at the optimum (Laplace), priors "
        "included; * marks one that a bound cuts. *Known*: 1 - posterior over prior "
        "standard deviation; near 0 the data say nothing and the interval is the "
        f"assumption. The data determine about {best.effective_parameters_ratio:.0f} "
        f"of {len(best.parameters)} parameters; with chi-square over what is left of "
        f"the rows at {reduced:.1f}, the intervals want to be wider by "
        f"{reduced**0.5:.2f}. The rows are treated as independent, though they come "
        "from about eight cells.",
        "",
        "| parameter | unit | estimate | low | high | known |",
        "|---|---|---|---|---|---|",
    ]
    for r in best.parameter_table().to_dicts():
        bound = " (at its bound)" if r["at_bound"] else ""
        cut = " *" if r["clipped"] else ""
        lines.append(
            f"| {r['name']} | {r['unit']} | {r['estimate']:.3g}{bound} | "
            f"{r['low']:.3g} | {r['high']:.3g}{cut} | {r['known_fraction']:.2f} |"
        )
    lines += ["", "Pairs with a correlation beyond 0.6:", ""]
    c = best.correlations()
    names = [p.name for p in best.parameters]
    pairs = [
        (abs(c[i, j]), names[i], names[j], c[i, j])
        for i in range(len(names))
        for j in range(i)
        if abs(c[i, j]) > 0.6
    ]
    lines += ["| | | correlation |", "|---|---|---|"]
    lines += [f"| {a} | {b} | {v:+.2f} |" for _, a, b, v in sorted(pairs)[::-1]]
    lines += [
        "",
        "## Structures of the negative",
        "",
        "A rate-dependent accessible capacity needs more than one kind of LTO. *Cost* "
        "is chi-square plus priors and roughness, which is what was minimised; the "
        "evidence (Laplace) also pays for every parameter with what the data narrow "
        "it. Differences of the log evidence below 1 decide nothing. That there are "
        "two kinds is well supported; that the slow one is slow by diffusion and not "
        "by resistance rests on these numbers alone.",
        "",
        "| structure | parameters | chi-square | cost | log evidence |",
        "|---|---|---|---|---|",
    ]
    for name, r in results.items():
        lines.append(
            f"| {name} | {len(r.parameters)} | {r.chi_square:.1f} | {r.cost:.1f} | "
            f"{r.log_evidence_ratio:.1f} |"
        )
    off = max(
        (abs(r["difference_percent"]), r["name"])
        for r in best.residual_table().to_dicts()
        if "V" not in r["unit"]
    )
    lines += [
        "",
        "## What is not met, and why",
        "",
        f"No capacity is off by more than {np.ceil(off[0] * 10) / 10:.1f} % (row "
        f"{off[1]}). The pattern that is left: LB at 0.1C comes out too low and HB too "
        "high. That is a misfit in the shape over the rate, which differences between "
        "cells (1 % in the mass of the negative moves LB by about 2 mAh/g) do not "
        "explain alone; a capacity of LTO that depends still more on the rate would. "
        "R3 and S4, R5 and S5 are the same quantity of two cells: no model can meet "
        "both better than half their difference.",
        "",
        "## What to know",
        "",
        "- The curve of the positive was already mapped to the first charge of HB "
        "(C1) and checked against T1: these rows are used twice. Its stretch is a "
        "fitted correction of that mapping (227 mAh/g at 0.2C is not a rest value); "
        "it moves every feature of the curve and trades with the diffusivity at low "
        "lithium fractions.",
        "- T2 - T1: the model gives more than the printed 1.2 mV without any ageing, "
        "from the history of the slow LTO alone. A rise of the upper potential "
        "between the first cycles is no proof of ageing.",
        "- The shape of LTO's curve at rest (tail height and width), the share and the "
        "diffusion length of its slow part, and the stretch are shown here with their "
        "intervals; in the library they are bare numbers.",
        "- Activation energies are assumed, not fitted: all rows are at 45 °C.",
        "",
    ]
    PAGE.write_text("\n".join(lines), encoding="utf-8")
