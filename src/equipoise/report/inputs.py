"""What went into a cell: composition, window, sources of every number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from equipoise.core.units import unit_symbol
from equipoise.report.rows import NO_VALUE, Row
from equipoise.spec.material import Material, TailedPlateau
from equipoise.spec.provenance import Sourced
from equipoise.viz.labels import quantity, signed

if TYPE_CHECKING:
    from equipoise.report.answers import Answer
    from equipoise.spec.cell import Cell
    from equipoise.spec.electrode import Electrode


def input_rows(answers: Sequence[Answer]) -> list[Row]:
    """Composition and conditions of the cells, as specified."""
    columns = [_inputs(a.cell) for a in answers]
    keys = list(dict.fromkeys(k for column in columns for k in column))
    return [
        Row(label, unit, tuple(c.get((label, unit), NO_VALUE) for c in columns))
        for label, unit in keys
    ]


def _inputs(cell: Cell) -> dict[tuple[str, str], str]:
    """(Label, unit) -> value as printed."""
    spec = cell.spec
    rows = {
        ("temperature of the cell", "°C"): f"{spec.temperature_celsius:g}",
        ("stack pressure", "MPa"): _optional(spec.stack_pressure_mpa),
        ("capacity of the positive in Eq. 1", "mAh g⁻¹"): (
            f"{cell.positive_capacity_mah_per_g:g}"
        ),
        ("capacity of the negative in Eq. 1", "mAh g⁻¹"): (
            f"{cell.negative_capacity_mah_per_g:g}"
        ),
        ("locked capacity of the positive", "mAh g⁻¹"): (
            f"{cell.locked_capacity_mah_per_g:g}"
        ),
    }
    for side, electrode in (("positive", cell.positive), ("negative", cell.negative)):
        rows |= _electrode(side, electrode)
    separator = spec.separator
    rows[("separator", "")] = (
        f"{separator.material}, {separator.diameter_mm:g} mm, "
        f"porosity {separator.porosity_fraction:g}"
    )
    if spec.polarisation.resistance_ohm_cm2:
        rows[("resistance", "Ω cm²")] = f"{spec.polarisation.resistance_ohm_cm2:g}"
        rows[("C-rate", "")] = f"{spec.polarisation.c_rate_ratio:g}"
    return rows


def _electrode(side: str, electrode: Electrode) -> dict[tuple[str, str], str]:
    spec = electrode.spec
    parts = ", ".join(
        f"{name} {100.0 * share:.1f}" for name, share in spec.fractions.items()
    )
    return {
        (f"{side}: active material", ""): electrode.material.title,
        (f"{side}: mass fractions", "%"): parts,
        (f"{side}: diameter", "mm"): f"{spec.diameter_mm:g}",
        (f"{side}: porosity", ""): f"{spec.porosity_fraction:g}",
    }


def _optional(value: float | None) -> str:
    return NO_VALUE if value is None else f"{value:g}"


@dataclass(frozen=True, slots=True)
class CurveSource:
    """Where a half-cell curve is from and how it was treated."""

    name: str
    title: str
    side: str
    evidence: str
    source: str
    note: str
    measured: str
    variants: tuple[tuple[str, str, str], ...]
    treatments: tuple[str, ...]
    caveats: tuple[str, ...]
    numbers: tuple[tuple[str, str, str, str, str, str], ...]


def curve_sources(cells: Sequence[Cell]) -> list[CurveSource]:
    """Every active material once, in order of appearance."""
    found: dict[tuple[str, str], CurveSource] = {}
    for cell in cells:
        for side, electrode in (
            ("positive", cell.positive),
            ("negative", cell.negative),
        ):
            key = (side, electrode.material.name)
            if key not in found:
                found[key] = _curve_source(side, electrode)
    return list(found.values())


def _curve_source(side: str, electrode: Electrode) -> CurveSource:
    material, half_cell = electrode.material, electrode.half_cell
    form = material.open_circuit
    tails = form.variants if isinstance(form, TailedPlateau) else ()
    branches = {"delithiation": half_cell.delithiation}
    if half_cell.has_hysteresis:
        branches["lithiation"] = half_cell.lithiation
    return CurveSource(
        name=material.name,
        title=material.title,
        side=side,
        evidence=str(half_cell.evidence),
        source=half_cell.source,
        note="" if form is None else " ".join(form.note.split()),
        measured="; ".join(
            f"{name if len(branches) > 1 else 'both directions'} "
            f"{b.measured_from_mah_per_g:.1f} to {b.measured_to_mah_per_g:.1f} mAh g⁻¹"
            for name, b in branches.items()
        ),
        variants=tuple((v.name, str(v.evidence), v.source) for v in tails),
        treatments=tuple(
            ", ".join(f"{k.replace('_', ' ')}: {_plain(v)}" for k, v in t.items())
            for t in map(asdict, half_cell.treatments)
        ),
        caveats=material.caveats,
        numbers=sourced_numbers(material),
    )


def _plain(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def sourced_numbers(
    material: Material,
) -> tuple[tuple[str, str, str, str, str, str], ...]:
    """Quantity, value, unit, range, evidence, source (with the note)."""
    rows = [
        (
            quantity(key),
            f"{number.value:g}",
            unit_symbol(key),
            _span(number),
            str(number.evidence),
            _source(number.source, number.note),
        )
        for key in Material.model_fields
        if isinstance(number := getattr(material, key), Sourced)
    ]
    rows += [
        (
            f"Volume change, variant {v.name}",
            signed(v.volume_change_percent[-1], "g"),
            "%",
            f"at {v.capacity_mah_per_g[-1]:g} mAh g⁻¹",
            str(v.evidence),
            _source(v.source, v.note),
        )
        for v in material.volume_change
    ]
    return tuple(rows)


def _span(number: Sourced) -> str:
    if number.low is None or number.high is None:
        return ""
    return f"{signed(number.low, 'g')} to {signed(number.high, 'g')}"


def _source(source: str, note: str) -> str:
    return " ".join(f"{source}; {note}".split()) if note else " ".join(source.split())
