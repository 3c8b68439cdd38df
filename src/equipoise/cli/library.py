"""``equipoise library``: what is bundled, and where every number is from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel

    from equipoise.spec.kinetics import Dependence
    from equipoise.spec.material import Material
    from equipoise.spec.provenance import Sourced

    Row = tuple[str, ...]

ONE_OF = {"cells": "cell", "half_cells": "half cell", "materials": "material"}
HEADER = ("number", "value", "unit", "range", "evidence", "source")


def library(
    name: Annotated[
        str, typer.Argument(help="A bundled cell, material, ...; none lists all.")
    ] = "",
    as_toml: Annotated[
        bool, typer.Option("--toml", help="Print the file, to start your own from.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """List what is bundled, or show one with its sources.

    Example: equipoise library zhang2026-lb --toml > my-cell.toml
    """
    from equipoise.cli.output import echo_json, echo_table
    from equipoise.core.errors import SpecError
    from equipoise.spec import library as bundled

    if as_toml and as_json:
        raise SpecError(
            "--toml and --json cannot both be printed", remedy="give one of them"
        )
    kinds = bundled.KINDS
    if not name:
        found = {kind: list(bundled.names(kind)) for kind in kinds}
        if as_json:
            echo_json(found)
            return
        rows = [(n, ONE_OF.get(kind, kind)) for kind in kinds for n in found[kind]]
        echo_table("bundled with equipoise", ("name", "kind"), rows)
        return
    kind, name = bundled.found(name)
    if as_json:
        echo_json(bundled.read(kind, name))
    elif as_toml or kind not in ("materials", "kinetics"):
        typer.echo(bundled.text(kind, name), nl=False)
    elif kind == "kinetics":
        _print_kinetics(name)
    else:
        _print_material(bundled.material(name))


def _print_material(material: Material) -> None:
    from equipoise.cli.output import echo_table
    from equipoise.spec.provenance import Sourced

    rows: list[Row] = []
    for key in type(material).model_fields:
        number = getattr(material, key)
        if isinstance(number, Sourced):
            rows.append(_sourced(key, number))
    if material.open_circuit is not None:
        curve = material.open_circuit
        rows.append(
            ("open circuit", curve.form, "", "", curve.evidence.value, curve.source)
        )
    rows.extend(
        (f"volume change {v.name}", "", "%", "", v.evidence.value, v.source)
        for v in material.volume_change
    )
    title = f"{material.name}: {material.title}"
    echo_table(title, HEADER, rows, folds_last=True)
    _caveats(material.caveats)


def _print_kinetics(name: str) -> None:
    from pathlib import Path

    from equipoise.cli.output import echo_table
    from equipoise.io.kinetics import load_kinetics

    rates = load_kinetics(name, folder=Path.cwd(), where="library")
    title = f"{rates.name}: {rates.title}"
    rows = _rows(rates, leave=("positive", "negative"))
    echo_table(title, HEADER, rows, folds_last=True)
    for side in ("positive", "negative"):
        rows = _rows(getattr(rates, side))
        note = "x: lithium fraction, 1 is full" if _on_x(rows) else ""
        echo_table(f"{side} electrode", HEADER, rows, note, folds_last=True)
    _caveats(rates.caveats)


def _on_x(rows: list[Row]) -> bool:
    return any(", x = " in name for name, *_ in rows)


def _rows(
    model: BaseModel, prefix: str = "", leave: tuple[str, ...] = (), source: str = ""
) -> list[Row]:
    """One row per number of a specification, nested ones too; x: lithium fraction."""
    from pydantic import BaseModel

    from equipoise.core.units import unit_symbol
    from equipoise.spec.kinetics import Dependence, ParticleClass
    from equipoise.spec.material import CurveBase
    from equipoise.spec.provenance import Sourced
    from equipoise.viz.labels import quantity

    rows: list[Row] = []
    for key in type(model).model_fields:
        found = getattr(model, key)
        if key in leave or found is None:
            continue
        if isinstance(found, Sourced):
            rows.append(_sourced(key, found))
        elif isinstance(found, Dependence):
            rows += _dependence(key, found)
        elif isinstance(found, CurveBase):
            form = str(getattr(found, "form", ""))
            row = ("Open circuit", form, "", "", found.evidence.value, found.source)
            rows.append(row)
        elif isinstance(found, BaseModel):
            given = str(getattr(found, "source", ""))
            rows += _rows(found, f"{quantity(key)}: ", source=given)
        elif isinstance(found, float):
            name = f"{prefix}{quantity(key)}"
            rows.append((name, f"{found:g}", unit_symbol(key), "", "", source))
        elif key == "particle_classes":
            for part in found:
                assert isinstance(part, ParticleClass)
                rows += _rows(part, f"{part.name}: ")
    return rows


def _sourced(key: str, number: Sourced) -> Row:
    from equipoise.core.units import unit_symbol
    from equipoise.viz.labels import quantity

    span = _span(number.low, number.high)
    return (
        quantity(key),
        f"{number.value:g}",
        unit_symbol(key),
        span,
        number.evidence.value,
        number.source,
    )


def _dependence(key: str, found: Dependence) -> list[Row]:
    from equipoise.core.units import unit_symbol
    from equipoise.viz.labels import quantity

    n = len(found.values)
    low, high = found.low or (None,) * n, found.high or (None,) * n
    points = zip(found.lithiation_fraction, found.values, low, high, strict=True)
    return [
        (
            f"{quantity(key)}, x = {x:g}",
            f"{value:g}",
            unit_symbol(key),
            _span(least, most),
            found.evidence.value,
            found.source,
        )
        for x, value, least, most in points
    ]


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:g}-{high:g}"


def _caveats(caveats: tuple[str, ...]) -> None:
    for caveat in caveats:
        typer.echo(f"caveat: {caveat}")
