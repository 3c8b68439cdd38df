"""``equipoise library``: what is bundled, and where every number is from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from equipoise.spec.material import Material


def library(
    name: Annotated[
        str, typer.Argument(help="A bundled cell or material; none lists all.")
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
    from equipoise.core.errors import SpecError, nearest
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
        rows = [
            (n, kind.replace("_", " ").removesuffix("s"))
            for kind in kinds
            for n in found[kind]
        ]
        echo_table("bundled with equipoise", ("name", "kind"), rows)
        return
    kind = next((k for k in kinds if name in bundled.names(k)), None)
    if kind is None:
        known = [n for k in kinds for n in bundled.names(k)]
        raise SpecError(f"{name!r} is not in the library", remedy=nearest(name, known))
    if as_json:
        echo_json(bundled.read(kind, name))
    elif as_toml or kind != "materials":
        typer.echo(bundled.text(kind, name), nl=False)
    else:
        _print_material(bundled.material(name))


def _print_material(material: Material) -> None:
    from equipoise.cli.output import echo_table
    from equipoise.core.units import unit_symbol
    from equipoise.spec.provenance import Sourced
    from equipoise.viz.labels import quantity

    rows: list[tuple[str, ...]] = []
    for key in type(material).model_fields:
        number = getattr(material, key)
        if isinstance(number, Sourced):
            span = f"{number.low:g}-{number.high:g}" if _has_span(number) else ""
            rows.append(
                (
                    quantity(key),
                    f"{number.value:g}",
                    unit_symbol(key),
                    span,
                    number.evidence.value,
                    number.source,
                )
            )
    if material.open_circuit is not None:
        curve = material.open_circuit
        rows.append(
            ("open circuit", curve.form, "", "", curve.evidence.value, curve.source)
        )
    rows.extend(
        (f"volume change {v.name}", "", "%", "", v.evidence.value, v.source)
        for v in material.volume_change
    )
    header = ("number", "value", "unit", "range", "evidence", "source")
    echo_table(f"{material.name}: {material.title}", header, rows)
    for caveat in material.caveats:
        typer.echo(f"caveat: {caveat}")


def _has_span(number: object) -> bool:
    return getattr(number, "low", None) is not None and (
        getattr(number, "high", None) is not None
    )
