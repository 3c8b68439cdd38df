"""Ionic and electronic conductivity of a composite from blocking cells.

A cell that blocks ions and one that blocks electrons share the two rails. Fitted
together they determine both conductivities, whatever is in series with either; one of
them alone does not (`partial_conductivities_starts`).
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

from equipoise.analysis.eis.lines.blocking_cells import (
    BlockedCell,
    BlockingModel,
    Role,
    Variant,
)
from equipoise.analysis.eis.lines.fits import (
    Candidate,
    best_of,
    candidate,
    extended_starts,
    rank,
)
from equipoise.analysis.eis.lines.report import (
    conclude,
    exchanged_note,
    pair_notes,
)
from equipoise.analysis.eis.lines.starts import (
    Glance,
    glance,
    pair_starts,
    refuse_no_arc,
    refuse_what_cannot_work,
    single_starts,
)
from equipoise.core.errors import EquipoiseWarning, FitError, SpecError

if TYPE_CHECKING:
    from equipoise.analysis.eis.lines.result import (
        PartialConductivities,
    )
    from equipoise.spec.spectrum import Spectrum

LEAST_POINTS = 15
WARNED_MISFIT_PERCENT = 2.0
USELESS_MISFIT_PERCENT = 12.0
BOTH: tuple[Role, Role] = ("ion_blocking", "electron_blocking")
SAME_VOLUME = 0.05


def partial_conductivities(
    ion_blocking: Spectrum,
    electron_blocking: Spectrum,
    *,
    thickness_um: float | tuple[float, float],
    area_cm2: float | tuple[float, float] | None = None,
    series_ohm: tuple[float | None, float | None] = (None, None),
    variant: Variant | None = None,
    inductance: bool = True,
) -> PartialConductivities:
    """Ionic and electronic conductivity from a pair of blocking cells, fitted jointly.

    Both cells have the conductivities in common, and each its own resistance in series
    and inductance. Six models are fitted that differ in what cannot be known
    beforehand: whether the two have one interface per volume, whether the separators
    show an arc, whether the blocked ends have a capacity. The best supported one gives
    the values, all supported ones the bands.

    Parameters
    ----------
    ion_blocking
        Composite between metals, electrons pass.
    electron_blocking
        Composite between electrolytes, ions pass.
    thickness_um
        Of the composite; two numbers if the cells differ, ion-blocking first.
    area_cm2
        Geometric; two numbers if the cells differ. Default: those of the spectra.
    series_ohm
        Resistance in series of each cell if it is known, such as that of the separator
        pellets; None is fitted, >= 0.
    variant
        Fit this model only; the bands are then the intervals.
    inductance
        Whether the wires have one; ignored with a variant.

    Returns
    -------
    PartialConductivities

    Raises
    ------
    SpecError
        If a thickness or an area is missing or not > 0.
    DataError
        If a spectrum has fewer than 15 frequencies.
    FitError
        If no carrier passes a cell, no cell shows a relaxation, or the best fit is off
        by more than 12 %.

    Warns
    -----
    EquipoiseWarning
        If the best fit is off by more than 2 %.

    References
    ----------
    Minnmann et al., J. Electrochem. Soc. 168 (2021) 040537: the pair of cells; Siroma
    et al., J. Power Sources 316 (2016) 215: the lines.
    """
    thickness = _two(thickness_um, "thickness_um")
    areas = _areas(area_cm2, (ion_blocking, electron_blocking))
    cells = tuple(
        _cell(role, t, a, s, ohm)
        for role, t, a, s, ohm in zip(
            BOTH,
            thickness,
            areas,
            (ion_blocking, electron_blocking),
            series_ohm,
            strict=True,
        )
    )
    seen = (glance(ion_blocking), glance(electron_blocking))
    refuse_no_arc(cells, seen)
    base = variant or Variant(inductance=inductance)
    found = _fit_pair(cells, seen, base, alone=variant is not None)
    _judge(found[0], cells)
    notes = pair_notes(found[0]) + _exchanged(found[0], cells, seen)
    return conclude(found, seen, notes=notes)


def partial_conductivity_of_one(
    spectrum: Spectrum,
    role: Role,
    *,
    series_ohm: float | None,
    thickness_um: float,
    area_cm2: float | None = None,
    inductance: bool = True,
) -> PartialConductivities:
    """Conductivities from one blocking cell, its series resistance taken as known.

    A resistance in series that is off shifts both conductivities, and no residual
    shows it: the result is only as good as that number, and its intervals do not
    contain that error. `series_assumed` is True.

    Parameters
    ----------
    spectrum
        Of the cell.
    role
        "ion_blocking" or "electron_blocking".
    series_ohm
        Resistance in series, >= 0: wires, and separators if there are.
    thickness_um, area_cm2, inductance
        As in `partial_conductivities`.

    Raises
    ------
    FitError
        If `series_ohm` is None: then nothing is determined; or as in
        `partial_conductivities`.
    SpecError, DataError
        As in `partial_conductivities`.
    """
    if role not in BOTH:
        raise SpecError(
            f"{role!r} is no blocking cell",
            where="role",
            remedy=f"one of {', '.join(BOTH)}",
        )
    if series_ohm is None:
        raise FitError(
            "one blocking cell with an unknown resistance in series determines neither "
            "conductivity: more in series and better rails give the same spectrum",
            where=spectrum.label,
            remedy="measure the other blocking cell and fit both together "
            "(partial_conductivities), or give series_ohm",
        )
    (area,) = _areas(area_cm2, (spectrum,))
    cell = _cell(role, thickness_um, area, spectrum, series_ohm)
    seen = glance(spectrum)
    refuse_no_arc((cell,), (seen,))
    model = BlockingModel((cell,), Variant(inductance=inductance))
    found = rank([candidate(model, best_of(model, single_starts(model, seen)))])
    _judge(found[0], (cell,))
    note = (
        f"from one cell with {series_ohm:g} ohm in series taken as known: the result "
        "is as good as that number, and the intervals do not contain an error of it"
    )
    return conclude(found, (seen,), notes=(note,))


def _fit_pair(
    cells: tuple[BlockedCell, ...],
    seen: tuple[Glance, Glance],
    base: Variant,
    *,
    alone: bool,
) -> list[Candidate]:
    """Fit the plain model from its limits and all others from what it found."""
    plain = Variant(base.own_interfaces, inductance=base.inductance)
    model = BlockingModel(cells, plain)
    first = best_of(model, pair_starts(model, seen))
    wanted = [base] if alone else _all(base.inductance)
    found: list[Candidate] = []
    for variant in wanted:
        if variant == plain:
            found.append(candidate(model, first))
            continue
        other = BlockingModel(cells, variant)
        starts = extended_starts(model, first.parameters, other)
        found.append(candidate(other, best_of(other, starts)))
    return rank(found)


def _exchanged(
    best: Candidate, cells: tuple[BlockedCell, ...], seen: tuple[Glance, Glance]
) -> list[str]:
    """Fit with the spectra exchanged; cells alike fit as well either way."""
    alike = abs(cells[0].volume_cm3 / cells[1].volume_cm3 - 1.0) < SAME_VOLUME
    if alike:
        return []
    first, second = cells
    other = (
        replace(first, spectrum=second.spectrum),
        replace(second, spectrum=first.spectrum),
    )
    model = BlockingModel(other, Variant(inductance=best.model.variant.inductance))
    starts = pair_starts(model, (seen[1], seen[0]))
    return exchanged_note(best, candidate(model, best_of(model, starts)))


def _all(inductance: bool) -> list[Variant]:
    return [
        Variant(own, arc, ends, inductance)
        for own in (False, True)
        for arc, ends in ((False, False), (True, False), (False, True))
    ]


def _judge(best: Candidate, cells: tuple[BlockedCell, ...]) -> None:
    """Refuse or warn of a fit that is off."""
    where = " and ".join(c.spectrum.label for c in cells)
    remedy = (
        "check that the first file is the cell between metals and the second the one "
        "between electrolytes, the range of frequencies (cut contacts and loops with "
        "Spectrum.between) and the Kramers-Kronig residuals"
    )
    misfit = best.misfit_percent
    if misfit > USELESS_MISFIT_PERCENT:
        raise FitError(
            f"no line of two rails describes this: the best of the models is "
            f"{misfit:.0f} % off",
            where=where,
            remedy=remedy,
        )
    if misfit > WARNED_MISFIT_PERCENT:
        warnings.warn(
            f"{where}: the best of the models is {misfit:.1f} % off; {remedy}",
            EquipoiseWarning,
            stacklevel=3,
        )


def _cell(
    role: Role, thickness: float, area: float, spectrum: Spectrum, ohm: float | None
) -> BlockedCell:
    for name, value in (("thickness_um", thickness), ("area_cm2", area)):
        if not 0.0 < value < float("inf"):
            raise SpecError(
                f"{name} = {value:g}", where=spectrum.label, remedy="give it, > 0"
            )
    if ohm is not None and not 0.0 <= ohm < float("inf"):
        raise SpecError(
            f"series_ohm = {ohm:g}",
            where=spectrum.label,
            remedy="a resistance >= 0, or None to fit it",
        )
    spectrum.require_points(LEAST_POINTS, "a line of two rails")
    cell = BlockedCell(role, thickness, area, spectrum, ohm)
    refuse_what_cannot_work(cell)
    return cell


def _two(value: float | tuple[float, float], name: str) -> tuple[float, float]:
    if isinstance(value, int | float):
        return float(value), float(value)
    if len(value) != 2:
        raise SpecError(
            f"{len(value)} values for {name}",
            where="partial_conductivities",
            remedy="one for both cells, or two: ion-blocking, electron-blocking",
        )
    return float(value[0]), float(value[1])


def _areas(
    area_cm2: float | tuple[float, float] | None, spectra: tuple[Spectrum, ...]
) -> tuple[float, ...]:
    if area_cm2 is not None:
        return _two(area_cm2, "area_cm2")[: len(spectra)]
    missing = [s.label for s in spectra if s.area_cm2 is None]
    if missing:
        raise SpecError(
            "the geometric area is not known",
            where=" and ".join(missing),
            remedy="give area_cm2, such as 0.785 for a diameter of 10 mm",
        )
    return tuple(s.area_cm2 or 0.0 for s in spectra)
