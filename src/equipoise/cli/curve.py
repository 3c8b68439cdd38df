"""``equipoise curve``: a half-cell curve of your own, treated and explained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from equipoise.fit.msmr import MsmrFit
    from equipoise.spec.curve import HalfCell


def curve(
    file: Annotated[
        str, typer.Argument(help="A .toml declaring a curve, or a library material.")
    ],
    msmr: Annotated[
        int, typer.Option(min=0, max=12, help="Fit this many MSMR terms per branch.")
    ] = 0,
    theoretical: Annotated[
        float | None,
        typer.Option(
            "--theoretical-mah-per-g", help="Capacity at x = 0, for the MSMR fit."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the curve (CSV) and figures.")
    ] = None,
    figures: Annotated[
        bool, typer.Option("--figures/--no-figures", help="With --out: draw figures.")
    ] = True,
) -> None:
    """Read a half-cell curve and say what was changed in it.

    Example: equipoise curve my_ncm.toml --msmr 7 --out my_ncm
    """
    from equipoise.cli.output import echo_json, told_warnings

    with told_warnings():
        half_cell, known = _load(file)
        fits = {}
        if msmr:
            fits = _fits(half_cell, msmr, known if theoretical is None else theoretical)
        content = _content(half_cell, fits)
        if out is not None:
            content["files"] = _write(half_cell, fits, out, figures)
    if as_json:
        echo_json(content)
        return
    _print(content)


def _load(file: str) -> tuple[HalfCell, float | None]:
    from equipoise.core.errors import SpecError
    from equipoise.io.halfcells import load_half_cell
    from equipoise.spec import library
    from equipoise.spec.open_circuit import half_cell

    if file not in library.names("materials"):
        declared, curves = load_half_cell(Path(file))
        if declared.like is None:
            return curves, None
        like = library.material(declared.like).theoretical_capacity_mah_per_g
        return curves, None if like is None else like.value
    material = library.material(file)
    if material.open_circuit is None:
        raise SpecError(
            f"{file!r} (kind: {material.kind}) has no open-circuit curve",
            remedy="choose an electrode material, e.g. ncm85 or lto",
        )
    theoretical = material.theoretical_capacity_mah_per_g
    return (
        half_cell(file, material.open_circuit),
        None if theoretical is None else theoretical.value,
    )


def _fits(
    half_cell: HalfCell, terms: int, theoretical: float | None
) -> dict[str, MsmrFit]:
    from equipoise.core.errors import SpecError
    from equipoise.fit.msmr import fit_msmr

    if theoretical is not None and not 0.0 < theoretical < 1e5:
        raise SpecError(
            f"a theoretical capacity of {theoretical:g} mAh/g is impossible",
            where="--theoretical-mah-per-g",
            remedy="for example 275 for a Ni-rich NCM",
        )
    if theoretical is None:
        raise SpecError(
            "an MSMR fit needs the theoretical capacity of the material",
            where="--theoretical-mah-per-g",
            remedy='for example 275 for a Ni-rich NCM, or like = "ncm85" in the file',
        )
    return {
        name: fit_msmr(
            branch, terms_count=terms, theoretical_capacity_mah_per_g=theoretical
        )
        for name, branch in half_cell.branches.items()
    }


def _content(half_cell: HalfCell, fits: dict[str, MsmrFit]) -> dict[str, Any]:
    from dataclasses import asdict

    branches = {
        name: {
            "axis": branch.axis,
            "measured_from_mah_per_g": branch.measured_from_mah_per_g,
            "measured_to_mah_per_g": branch.measured_to_mah_per_g,
            "lowest_potential_vs_li_volt": float(branch.potential_vs_li_volt.min()),
            "highest_potential_vs_li_volt": float(branch.potential_vs_li_volt.max()),
        }
        for name, branch in half_cell.branches.items()
    }
    return {
        "name": half_cell.name,
        "source": half_cell.source,
        "evidence": str(half_cell.evidence),
        "branches": branches,
        "treatments": [asdict(t) for t in half_cell.treatments],
        "msmr": {
            name: {
                "rmse_millivolt": fit.rmse_millivolt,
                "largest_millivolt": fit.largest_millivolt,
                "terms": [t.model_dump() for t in fit.terms],
            }
            for name, fit in fits.items()
        },
    }


def _write(
    half_cell: HalfCell, fits: dict[str, MsmrFit], out: Path, figures: bool
) -> list[str]:
    import polars as pl  # 0.5 s: only where a table is made

    from equipoise.core.files import output_folder, write_atomic
    from equipoise.viz.half_cell import curve_figure
    from equipoise.viz.msmr import msmr_figure
    from equipoise.viz.style import save_figure

    folder = output_folder(out)
    files: list[Path] = []
    for name, branch in half_cell.branches.items():
        table = pl.DataFrame(
            {
                "capacity_mah_per_g": branch.capacity_mah_per_g,
                "potential_vs_li_volt": branch.potential_vs_li_volt,
                "slope_volt_g_per_mah": branch.slope_volt_g_per_mah,
            }
        )
        path = folder / f"{half_cell.name}_{name}.csv"
        files.append(write_atomic(path, table.write_csv()))
    if not figures:
        return [str(f) for f in files]
    files += save_figure(curve_figure(half_cell), folder, half_cell.name)
    for name, fit in fits.items():
        files += save_figure(msmr_figure(fit), folder, f"{half_cell.name}_{name}_msmr")
    return [str(f) for f in files]


def _print(content: dict[str, Any]) -> None:
    from equipoise.cli.output import echo_table
    from equipoise.viz.labels import axis_label

    typer.echo(f"{content['name']} ({content['evidence']}): {content['source']}")
    for name, branch in content["branches"].items():
        rows = [_row(k, v) for k, v in branch.items()]
        echo_table(name, ("quantity", "value", "unit"), rows)
    for treatment in content["treatments"]:
        title = f"what was changed: {treatment.pop('direction')}"
        rows = [_row(k, v) for k, v in treatment.items()]
        echo_table(title, ("quantity", "value", "unit"), rows)
    for name, fit in content["msmr"].items():
        rows = [[f"{value:.5g}" for value in term.values()] for term in fit["terms"]]
        header = [axis_label(k) for k in fit["terms"][0]]
        title = (
            f"MSMR {name}: RMSE {fit['rmse_millivolt']:.2f} mV, largest "
            f"{fit['largest_millivolt']:.1f} mV"
        )
        echo_table(title, header, rows)
    for path in content.get("files", ()):
        typer.echo(f"written: {path}")


def _row(key: str, value: object) -> tuple[str, str, str]:
    from equipoise.core.units import unit_symbol
    from equipoise.viz.labels import quantity

    shown = f"{value:.4g}" if isinstance(value, float) else str(value)
    return quantity(key), shown, unit_symbol(key)
