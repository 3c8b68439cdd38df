"""Calibrate the bundled rates to the fresh cells of zhang2026.

    python tools/calibrate_fresh_cell.py ../shared/paper/reference_values.csv
        [--variants] [--write]

One set of rates for the LB and HB cells, both half cells and the three-electrode
cell; only the mass of the anode (and of the separator in the three-electrode cell)
differs. `--variants` compares structures of the anode; `--write` renews
`library/kinetics/zhang2026.toml` and `docs/reference/calibration.md`.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

import numpy as np
from calibration_report import write_library, write_page

from equipoise.fit.calibration import Parameter, Target, calibrate
from equipoise.sim.mesh import Mesh, Stepping
from equipoise.spec.kinetics import CellKinetics
from equipoise.study.zhang2026.fresh import cases, observers, uncertainty

D_FRACTIONS = (0.20, 0.45, 0.65, 0.80, 0.90, 0.96, 1.00)
SIGMA_FRACTIONS = (0.20, 0.70, 0.88, 1.00)
MESH = Mesh(
    positive_nodes_count=12, negative_nodes_count=12, shells_count=12, shell_grading=1.5
)
STEPPING = Stepping(tolerance_volt=2e-4)
ROUGHNESS = 1.0  # one decade of second difference of log D is one standard deviation

# name, start, lower, upper, prior width (in the scale of the fit), unit; the start is
# what one would assume without the data.
DIFFUSIVITY = [
    Parameter(f"positive_diffusivity_{x:g}", start, -15.0, -8.0, 3.0, unit="cm2/s")
    for x, start in zip(
        D_FRACTIONS, (-10.7, -10.5, -10.7, -11.0, -11.5, -12.3, -13.3), strict=True
    )
]
OTHERS = [
    Parameter("positive_exchange", -1.0, -3.0, 1.5, 2.0, unit="mA/cm2"),
    Parameter("positive_electronic_0.2", 0.3, -1.0, 1.5, 1.5, unit="mS/cm"),
    Parameter("positive_electronic_0.7", 0.2, -1.0, 1.5, 1.5, unit="mS/cm"),
    Parameter("positive_electronic_0.88", -0.2, -1.3, 1.5, 1.5, unit="mS/cm"),
    Parameter("positive_stretch", 1.02, 0.95, 1.10, 0.05, False, unit="1"),
    Parameter("contact", 0.7, -1.0, 1.6, 1.0, unit="ohm cm2"),
    Parameter("lto_capacity", 145.0, 131.0, 175.1, 30.0, False, unit="mAh/g"),
    Parameter("lto_tail_width", 0.045, 0.01, 0.15, 0.04, False, unit="1"),
    Parameter("lto_tail_height", 0.55, 0.3, 0.9, 0.3, False, unit="V"),
    Parameter("negative_diffusivity", -11.5, -15.0, -9.0, 2.0, unit="cm2/s"),
    Parameter("negative_exchange", -0.5, -3.0, 2.0, 2.0, unit="mA/cm2"),
    Parameter("negative_ionic", 0.2, -0.7, 0.4, 0.7, unit="mS/cm"),  # < 4.83 eps^1.5
    Parameter("negative_electronic", 0.3, -1.3, 1.5, 1.5, unit="mS/cm"),
    Parameter("slow_share", 0.25, 0.02, 0.6, 0.2, False, unit="1"),
    Parameter("slow_radius_ratio", 0.6, 0.0, 1.7, 0.7, unit="1"),
    Parameter("slow_film", 2.0, 0.0, 5.0, 2.0, unit="ohm cm2"),
]
VARIANTS = {  # what is held instead of fitted
    "one class": {"slow_share": 1e-3, "slow_radius_ratio": 1.0, "slow_film": 0.0},
    "slow by resistance": {"slow_radius_ratio": 1.0},
    "slow by diffusion": {"slow_film": 0.0},
    "slow by both": {},
}
CHOSEN = "slow by diffusion"


def build(values: dict[str, float], held: dict[str, float]) -> CellKinetics:
    """Rates from parameter values; numbers that are not fitted are inputs."""
    v = {**values, **held}
    content = {
        "name": "zhang2026",
        "reference_temperature_celsius": 45.0,
        "positive": {
            "particle_radius_um": 2.0,
            "diffusivity_cm2_per_s": {
                "lithiation_fraction": list(D_FRACTIONS),
                "values": [v[f"positive_diffusivity_{x:g}"] for x in D_FRACTIONS],
            },
            "exchange_current_ma_per_cm2": v["positive_exchange"],
            "ionic_conductivity_millisiemens_per_cm": 0.14,
            "electronic_conductivity_millisiemens_per_cm": {
                "lithiation_fraction": list(SIGMA_FRACTIONS),
                "values": [
                    *(v[f"positive_electronic_{x:g}"] for x in SIGMA_FRACTIONS[:-1]),
                    0.048,
                ],
            },
            "hysteresis_capacity_mah_per_g": 5.0,
            "open_circuit_stretch_ratio": v["positive_stretch"],
        },
        "negative": {
            "particle_radius_um": 0.5,
            "diffusivity_cm2_per_s": v["negative_diffusivity"],
            "exchange_current_ma_per_cm2": v["negative_exchange"],
            "ionic_conductivity_millisiemens_per_cm": v["negative_ionic"],
            "electronic_conductivity_millisiemens_per_cm": v["negative_electronic"],
            "lithium_capacity_mah_per_g": v["lto_capacity"],
            "open_circuit": {
                "form": "tailed_plateau",
                "axis": "lithiated",
                "source": "calibration",
                "evidence": "calibrated",
                "capacity_mah_per_g": v["lto_capacity"],
                "plateau_vs_li_volt": 1.55,
                "head_height_volt": 0.45,
                "head_width_fraction": 0.010,
                "tail_height_volt": v["lto_tail_height"],
                "tail_width_fraction": v["lto_tail_width"],
            },
            "particle_classes": [
                {"name": "fast", "share_fraction": 1.0 - v["slow_share"]},
                {
                    "name": "slow",
                    "share_fraction": v["slow_share"],
                    "radius_ratio": v["slow_radius_ratio"],
                    "film_resistance_ohm_cm2": v["slow_film"],
                },
            ],
        },
        "separator_conductivity_millisiemens_per_cm": 4.83,
        "separator_activation_kj_per_mol": 33.8,
        "contact_resistance_ohm_cm2": v["contact"],
    }
    return CellKinetics.model_validate(content)


def read_targets(path: Path) -> list[Target]:
    """Rows of role "fit"; volume changes follow from the charge (balancing)."""
    with path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(x for x in stream if not x.startswith("#")))
    seen = observers()
    wanted = [r for r in rows if r["role"] == "fit" and r["id"] not in ("X1", "X2")]
    return [
        Target(r["id"], *seen[r["id"]], float(r["value"]), uncertainty(r), r["unit"])
        for r in wanted
    ]


def fitted(targets: list[Target], variant: str, starts: int):
    """Calibrate one structure of the anode."""
    held = VARIANTS[variant]
    parameters = [p for p in (*DIFFUSIVITY, *OTHERS) if p.name not in held]

    def rough(x: np.ndarray) -> np.ndarray:
        return np.diff(x[: len(D_FRACTIONS)], 2) * ROUGHNESS

    return calibrate(
        lambda v: build(dict(v), held),
        parameters,
        cases(),
        targets,
        penalty=rough,
        mesh=MESH,
        stepping=STEPPING,
        starts_count=starts,
        progress=lambda text: print(f"{variant}: {text}", file=sys.stderr, flush=True),
    )


def main() -> None:
    """Calibrate, print, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--variants", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--starts", type=int, default=3)
    given = parser.parse_args()
    targets = read_targets(given.reference)
    names = list(VARIANTS) if given.variants else [CHOSEN]
    results = {name: fitted(targets, name, given.starts) for name in names}
    for name, r in results.items():
        print(f"{name}: chi2 {r.chi_square:.1f}, cost {r.cost:.1f}")
    best = results[CHOSEN]
    import polars as pl

    with pl.Config(tbl_rows=60, tbl_cols=20, tbl_width_chars=140):
        print(best.residual_table())
        print(best.parameter_table())
    if given.write:
        write_library(best)
        write_page(best, results, targets)


if __name__ == "__main__":
    main()
