"""Stack pressure of a simulated cell in a stiff frame: an elastic read-out.

symbol  meaning                                                        unit
q       lithium taken out of the active positive                       mAh/g
v       volume change of its unit cell against the pristine one        %
s       thickness of the active material without anything else         um
t       transfer: how much of a volume change reaches the thickness    1
dh      free change of the height of the stack, s t (v - v_0) / 100    um
A, k    area that the pressure is counted on, stiffness of the frame   cm2, kN/mm
L, E    thickness and modulus of a layer, on its own area A_i          um, GPa

``d(pressure) = dh / (A/k + sum (L/E) A/A_i)``, contraction < 0. Nothing ages, slips or
loses contact, and no run is changed by its pressure.

References
----------
zhang2026 sec. 2.3, Fig. 3a and b, sec. 4.11; docs/theory/stack-pressure.md.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import DataError, EquipoiseWarning, SpecError, nearest
from equipoise.design.volume import volume_change_percent, volume_variants
from equipoise.design.weigh_sheet import negative_mass_mg, separator_thickness_um
from equipoise.kernels.program import End, Sample
from equipoise.spec.frame import Frame, edges
from equipoise.spec.half_cell_spec import HalfCellSetup

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from equipoise.sim.simulate import Run
    from equipoise.spec.cell import Cell
    from equipoise.spec.electrode import Electrode
    from equipoise.spec.material import VolumeChange

Array = NDArray[np.float64]
COULOMB_PER_MAH = 3.6
CHANGES = (
    "pressure_change_mpa",
    "pressure_change_low_mpa",
    "pressure_change_high_mpa",
)
ALIKE = (
    "in the paper the pressure of both cells was alike over the first two cycles and "
    "differed from the third on, put down to rearrangement of the microstructure "
    "(zhang2026 sec. 2.3): an elastic read-out shows the volume change from the first "
    "cycle on and cannot show that"
)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer between the plates, pores included."""

    thickness_um: float
    area_cm2: float
    modulus_gpa: float


def compliance_um_per_mpa(
    layers: Sequence[Layer], *, area_cm2: float, frame_stiffness_kn_per_mm: float
) -> float:
    """How far frame and layers, in series, yield to a pressure on `area_cm2`.

    um per MPa; infinite for a frame without stiffness.

    Examples
    --------
    >>> compliance_um_per_mpa(
    ...     [Layer(100.0, 1.0, 10.0)], area_cm2=1.0, frame_stiffness_kn_per_mm=100.0
    ... )
    1.01
    """
    if not frame_stiffness_kn_per_mm > 0.0:
        return math.inf
    frame = 100.0 * area_cm2 / frame_stiffness_kn_per_mm  # cm2 mm / kN in um / MPa
    return frame + sum(
        1e-3 * layer.thickness_um / layer.modulus_gpa * area_cm2 / layer.area_cm2
        for layer in layers
    )


def stack_compliances_um_per_mpa(
    cell: Cell, frame: Frame
) -> tuple[float, float, float]:
    """Compliance of a cell in a frame in um per MPa: as stated, lowest, highest.

    The pressure counts on the area of the separator, as the 81 MPa of the paper
    (6.35 kN on 10 mm); the foil of the positive (0.2 nm per MPa) is left out.
    """
    heights = (
        cell.positive.thickness_um(cell.positive_mass_mg),
        separator_thickness_um(cell),
        cell.negative.thickness_um(negative_mass_mg(cell)),
    )
    area = cell.separator_area_cm2
    areas = (cell.positive.spec.area_cm2, area, cell.negative.spec.area_cm2)
    moduli = (
        frame.positive_modulus_gpa,
        frame.separator_modulus_gpa,
        frame.negative_modulus_gpa,
    )
    stiffness = frame.frame_stiffness_kn_per_mm

    def of(k: float, moduli_gpa: Sequence[float]) -> float:
        layers = [Layer(*x) for x in zip(heights, areas, moduli_gpa, strict=True)]
        return compliance_um_per_mpa(layers, area_cm2=area, frame_stiffness_kn_per_mm=k)

    soft, stiff = edges(stiffness)
    return (
        of(stiffness.value, [m.value for m in moduli]),
        of(stiff, [edges(m)[1] for m in moduli]),
        of(soft, [edges(m)[0] for m in moduli]),
    )


def pressure_trace(run: Run, frame: Frame | None = None) -> pl.DataFrame:
    """Stack pressure at every sample of a run.

    Parameters
    ----------
    run
        Of a full cell, with a trace. Its cell was at `stack_pressure_mpa` when the
        test began (zhang2026: after 12 h of rest).
    frame
        Stiffness, transfer and moduli; default: assumed, see `Frame`.

    Returns
    -------
    polars.DataFrame
        Time, voltage, current (charge > 0), cycle; lithium taken out of the active
        positive; volume change of its unit cell against the pristine one; free change
        of the height of the stack against the start of the test, as `transfer_fraction`
        has it; stack pressure (NaN if the cell names none) and its change against the
        start of the test, < 0 is contraction, with the lowest and the highest that
        all volume data of the material and all ranges of the frame allow.

    Notes
    -----
    Lithium is balanced step by step with the state that the kernels keep; what the
    charge of a step leaves over (side reactions) is spread over its time. The volume
    belongs to the mean lithium content. The negative electrode has no strain unless
    its material has `volume_change` data (LTO has none: zero strain); those count
    against lithium put in. `pressure_notes` says what a reader should know.

    Raises
    ------
    SpecError
        If the run has no trace or is of a half cell, or the positive has no data.

    Warns
    -----
    EquipoiseWarning
        If the pressure falls below 0: the stack would have lost contact.
    """
    import polars as pl  # 0.5 s: only where a table is made

    frame = frame or Frame()
    cell = _full_cell(run)
    _require_trace(run)
    first = next(iter(_positive_variants(cell).values()))
    q = positive_delithiated_mah_per_g(run)
    heights = _free_heights_um(run, cell, q)
    compliance, stiffest, softest = stack_compliances_um_per_mpa(cell, frame)
    transfer = frame.transfer_fraction
    t_low, t_high = edges(transfer)
    gain = transfer.value / compliance
    changes = np.stack(
        [g * h for g in (gain, t_low / softest, t_high / stiffest) for h in heights]
    )
    built = cell.spec.stack_pressure_mpa
    pressure = changes[0] + (math.nan if built is None else built)
    _warn_below_zero(pressure, run)
    samples = run.samples
    return pl.DataFrame(
        {
            "test_time_second": samples[:, Sample.SECOND],
            "voltage_volt": samples[:, Sample.VOLT],
            "current_ampere": samples[:, Sample.AMPERE],
            "cycle_count": samples[:, Sample.CYCLE].astype(np.int64),
            "positive_delithiated_mah_per_g": q,
            "volume_change_percent": volume_change_percent(first, q),
            "thickness_change_um": transfer.value * heights[0],
            "stack_pressure_mpa": pressure,
            "pressure_change_mpa": changes[0],
            "pressure_change_low_mpa": changes.min(axis=0),
            "pressure_change_high_mpa": changes.max(axis=0),
        }
    )


def pressure_amplitudes(table: pl.DataFrame) -> pl.DataFrame:
    """Net change on charge and on discharge, and peak to peak, of every cycle.

    Parameters
    ----------
    table
        From `pressure_trace`.

    Returns
    -------
    polars.DataFrame
        One row per cycle, MPa. Net changes run from the first to the last sample with
        current in that direction, NaN where there is none; < 0 on a charge that
        contracts. Low and high: the same of the edges of the band.

    Raises
    ------
    DataError
        If a column is missing.
    """
    import polars as pl

    needed = ("cycle_count", "current_ampere", *CHANGES)
    if missing := [c for c in needed if c not in table.columns]:
        raise DataError(
            f"the table has no column {missing[0]!r}; it has: "
            f"{', '.join(table.columns)}",
            where="pressure_amplitudes",
            remedy="pass a table that pressure_trace has made",
        )
    cycle = table["cycle_count"].to_numpy()
    current = table["current_ampere"].to_numpy()
    changes = np.stack([table[c].to_numpy() for c in CHANGES])
    rows: list[dict[str, float]] = []
    for number in np.unique(cycle):
        here = cycle == number
        found: dict[str, Array] = {
            f"{way}_pressure_change": _net(changes[:, here & (sign * current > 0.0)])
            for way, sign in (("charge", 1.0), ("discharge", -1.0))
        }
        found["peak_to_peak"] = np.ptp(changes[:, here], axis=1)
        row: dict[str, float] = {"cycle_count": int(number)}
        for name, values in found.items():
            row[f"{name}_mpa"] = float(values[0])
            row[f"{name}_low_mpa"] = float(values.min())
            row[f"{name}_high_mpa"] = float(values.max())
        rows.append(row)
    return pl.DataFrame(rows)


def pressure_notes(run: Run, frame: Frame | None = None) -> tuple[str, ...]:
    """What a reader of the pressure of a run should know, frame and gaps included.

    Raises
    ------
    SpecError
        If the run is of a half cell, or the positive has no volume-change data.
    """
    frame = frame or Frame()
    cell = _full_cell(run)
    variants = list(_positive_variants(cell).values())
    stiffness, transfer = frame.frame_stiffness_kn_per_mm, frame.transfer_fraction
    (soft, stiff), (least, most) = edges(stiffness), edges(transfer)
    compliance, _, _ = stack_compliances_um_per_mpa(cell, frame)
    alone = compliance_um_per_mpa(
        (), area_cm2=cell.separator_area_cm2, frame_stiffness_kn_per_mm=stiffness.value
    )
    share = alone / compliance if math.isfinite(compliance) else 1.0
    strain = "as its volume-change data say, of lithium put in"
    if not cell.negative.material.volume_change:
        strain = "no strain: its material has no volume-change data"
    known = f"volume change {variants[0].name} of the positive"
    if others := [v.name for v in variants[1:]]:
        known += f", in the band also {', '.join(others)}"
    return (
        f"elastic read-out: frame of {stiffness.value:g} kN/mm ({soft:g} to {stiff:g}, "
        f"{stiffness.evidence}) makes {100.0 * share:.0f} % of the compliance; "
        f"transfer {transfer.value:.2g} ({least:.2g} to {most:.2g}, "
        f"{transfer.evidence}): the amplitude is a band; its sign does not hang on "
        "the frame, nor does the ratio of two alike cells in the same frame",
        f"negative electrode ({cell.negative.material.name}): {strain}",
        known + _beyond(run, variants[0]),
        ALIKE,
    )


def _beyond(run: Run, data: VolumeChange) -> str:
    """Words for an extrapolation of the volume change, if there is one."""
    emptiest = float(1.0 - run.results[:, End.POSITIVE_LITHIATION].min(initial=1.0))
    most = emptiest * run.lowered.positive_capacity_mah_per_g
    if most <= data.measured_to_mah_per_g:
        return ""
    return (
        f"; its data end at {data.measured_to_mah_per_g:g} mAh/g, the run goes to "
        f"{most:.0f}"
    )


def positive_delithiated_mah_per_g(run: Run) -> Array:
    """Mean lithium taken out of the active positive at each sample, mAh/g.

    Raises
    ------
    SpecError
        If the run is of a half cell.
    """
    cell, lowered = _full_cell(run), run.lowered
    filling = _lithium_fraction(
        run,
        End.POSITIVE_LITHIATION,
        lowered.positive_start_fraction,
        per_coulomb=-1.0
        / (
            COULOMB_PER_MAH
            * lowered.positive_mass_g
            * cell.spec.inventory.positive_active_fraction
            * lowered.positive_capacity_mah_per_g
        ),
    )
    return (1.0 - filling) * lowered.positive_capacity_mah_per_g


def _negative_lithiated_mah_per_g(run: Run, cell: Cell) -> Array:
    """Mean lithium put into the active negative at each sample, mAh/g."""
    lowered = run.lowered
    filling = _lithium_fraction(
        run,
        End.NEGATIVE_LITHIATION,
        lowered.negative_start_fraction,
        per_coulomb=1e3
        / (
            COULOMB_PER_MAH
            * negative_mass_mg(cell)
            * cell.spec.inventory.negative_active_fraction
            * lowered.negative_capacity_mah_per_g
        ),
    )
    return filling * lowered.negative_capacity_mah_per_g


def _lithium_fraction(
    run: Run, column: End, start_fraction: float, *, per_coulomb: float
) -> Array:
    """Mean lithium fraction at each sample, from the ends of the steps and charge."""
    results, samples = run.results, run.samples
    steps, ends = results[:, End.STEP], results[:, column]
    before = np.concatenate(([start_fraction], ends))
    begin, end = results[:, End.START_SECOND], results[:, End.END_SECOND]
    left_over = ends - before[:-1] - per_coulomb * results[:, End.COULOMB]
    row = np.searchsorted(steps, samples[:, Sample.STEP])
    filling = before[row] + per_coulomb * samples[:, Sample.COULOMB]
    at = np.minimum(row, steps.size - 1)  # a step that was not finished has no row
    whole = (row < steps.size) & (end[at] > begin[at])
    passed = samples[:, Sample.SECOND] - begin[at]
    share = np.where(whole, passed / np.where(whole, end[at] - begin[at], 1.0), 0.0)
    return filling + left_over[at] * share


def _free_heights_um(run: Run, cell: Cell, q: Array) -> list[Array]:
    """Change of height with a transfer of 1, of each pair of variants; chosen first."""
    inventory, lowered = cell.spec.inventory, run.lowered
    height = _solid_um(cell.positive, cell.positive_mass_mg)
    start = (1.0 - lowered.positive_start_fraction) * (
        lowered.positive_capacity_mah_per_g
    )
    share = inventory.positive_active_fraction
    positive = [
        height * share * _since(data, q, start)
        for data in _positive_variants(cell).values()
    ]
    known = _negative_variants(cell)
    if not known:
        return positive
    height = _solid_um(cell.negative, negative_mass_mg(cell))
    start = lowered.negative_start_fraction * lowered.negative_capacity_mah_per_g
    share = inventory.negative_active_fraction
    z = _negative_lithiated_mah_per_g(run, cell)
    negative = [height * share * _since(data, z, start) for data in known]
    return [p + n for p, n in product(positive, negative)]


def _since(data: VolumeChange, capacity: Array, start: float) -> Array:
    """Volume change since the start of the test, as a fraction of the pristine."""
    then = volume_change_percent(data, start)
    return 1e-2 * (volume_change_percent(data, capacity) - then)


def _solid_um(electrode: Electrode, mass_mg: float) -> float:
    """Thickness of the active material alone: its volume fraction x the layer's."""
    areal = mass_mg / electrode.spec.area_cm2
    return areal / electrode.material.density_g_per_cm3.value * 10.0


def _positive_variants(cell: Cell) -> dict[str, VolumeChange]:
    if found := volume_variants(cell):
        return found
    raise SpecError(
        f"the material {cell.positive.material.name!r} has no volume-change data: the "
        "pressure cannot be told",
        where=f"{cell.where or cell.name}: positive.material",
        remedy="declare the material with [[volume_change]], as ncm85 in the library",
    )


def _negative_variants(cell: Cell) -> list[VolumeChange]:
    """Data of the negative, chosen first; none is zero strain."""
    known = {v.name: v for v in cell.negative.material.volume_change}
    chosen = cell.negative.spec.volume_variant
    if chosen is None:
        return list(known.values())
    if chosen not in known:
        raise SpecError(
            f"the material {cell.negative.material.name!r} has no volume-change data "
            f"named {chosen!r}",
            where=f"{cell.where or cell.name}: negative.volume_variant",
            remedy=nearest(chosen, known) if known else "leave the key out",
        )
    return list(({chosen: known[chosen]} | known).values())


def _full_cell(run: Run) -> Cell:
    if isinstance(run.cell, HalfCellSetup):
        raise SpecError(
            "the pressure of a half cell is not known: its counter electrode grows and "
            "shrinks with the lithium it takes, and its strain is not in the library",
            where=run.name,
            remedy="simulate a full cell, e.g. zhang2026-lb",
        )
    return run.cell


def _require_trace(run: Run) -> None:
    if not run.samples.shape[0] or not run.results.shape[0]:
        raise SpecError(
            "this run has no trace",
            where=f"{run.name}, {run.program.name}",
            remedy='simulate with trace="all", or trace={1, 2} for these cycles',
        )


def _warn_below_zero(pressure_mpa: Array, run: Run) -> None:
    lowest = float(pressure_mpa.min())
    if lowest < 0.0:
        warnings.warn(
            f"{run.name}: the stack pressure falls to {lowest:.3g} MPa, below 0: the "
            "stack would lose contact, which an elastic read-out does not follow",
            EquipoiseWarning,
            stacklevel=3,
        )


def _net(changes: Array) -> Array:
    """From the first to the last column, shape (3, n); NaN without any."""
    if not changes.shape[1]:
        return np.full(changes.shape[0], math.nan)
    return changes[:, -1] - changes[:, 0]
