"""From fits to partial conductivities: intervals, bands, and what to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.eis.lines.fits import DETERMINED_LOG, SUPPORTED_AICC
from equipoise.analysis.eis.lines.result import (
    Conductivity,
    FittedCell,
    FittedParameter,
    PairModel,
    PartialConductivities,
)
from equipoise.analysis.eis.lines.solver import (
    LineMinimum,
    minimise,
    profile_interval,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from equipoise.analysis.eis.lines.fits import Candidate
    from equipoise.analysis.eis.lines.starts import Glance

Array = NDArray[np.float64]

MILLI = 1e3
TAIL_FRACTION = 0.975
WIDEST_RATIO = 3.0
"""Of the ends of an interval, for a conductivity that is called determined."""
REFIT_ITERATIONS = 60
DIRECT_CURRENT_PERCENT = 2.0
SWAPPED_RATIO = 2.0
SWAPPED_OHM_CM2 = 5.0
"""The electrolyte of a pressed separator is 10 ohm cm2 and more."""
UNITS = {
    "coefficient": "S s^a cm^-3",
    "exponent": "1",
    "series": "ohm",
    "inductance": "uH",
    "arc_ohm": "ohm",
    "arc_second": "s",
    "arc_exponent": "1",
    "terminal": "S s^a cm^-2",
    "ionic": "mS/cm",
    "electronic": "mS/cm",
}
WORDS = {
    "ionic": "ionic conductivity",
    "electronic": "electronic conductivity",
    "coefficient": "interface, coefficient",
    "exponent": "interface, exponent",
    "series": "in series",
    "inductance": "inductance",
    "arc_ohm": "arc, resistance",
    "arc_second": "arc, time",
    "arc_exponent": "arc, exponent",
    "terminal": "blocked ends, coefficient",
}


def conclude(
    found: Sequence[Candidate], seen: Sequence[Glance], *, notes: Sequence[str]
) -> PartialConductivities:
    """Results of the first of the fits, with bands over all that are supported."""
    best = found[0]
    ionic = _conductivity(found, "ionic")
    electronic = _conductivity(found, "electronic")
    cov, at = best.unit_covariance, best.model.index
    i, e = at["ionic"], at["electronic"]
    scale = float(np.sqrt(cov[i, i] * cov[e, e]))
    correlation = float(cov[i, e]) / scale if scale > 0.0 else float("nan")
    told = [*notes, *_at_bounds(best), *_limits(best, seen)]
    told += _open_models(found)
    if best.correlation_ratio > 0.0:
        told.append(
            f"neighbouring residuals are correlated ({best.correlation_ratio:.2f}): "
            "the model misses a feature; the intervals are wider by it"
        )
    return PartialConductivities(
        ionic,
        electronic,
        correlation,
        best.misfit_percent,
        best.correlation_ratio,
        _cells(best, seen),
        _models(found),
        _parameters(best),
        series_assumed=len(best.model.cells) == 1,
        identifiability=_sentence(ionic, electronic, correlation),
        notes=tuple(told),
    )


def pair_notes(best: Candidate) -> list[str]:
    """Whether the two files look exchanged, by what is in series."""
    cells, at, p = best.model.cells, best.model.index, best.minimum.parameters
    if any(c.series_ohm is not None for c in cells):
        return []
    between_metals, between_electrolytes = (
        p[at[f"series_{k}"]] * c.area_cm2 for k, c in enumerate(cells)
    )
    notes: list[str] = []
    if (
        between_metals > SWAPPED_OHM_CM2
        and between_metals > SWAPPED_RATIO * between_electrolytes
    ):
        notes.append(
            f"the cell given as ion-blocking has {between_metals:.3g} ohm cm2 in "
            f"series, the electron-blocking one {between_electrolytes:.3g}: "
            "separators "
            "are in the latter; if the files are exchanged, so are the conductivities"
        )
    return notes


def exchanged_note(best: Candidate, exchanged: Candidate) -> list[str]:
    """Whether one shared interface fits the same spectra the other way round.

    Only the volumes of the two cells tell: for pellets alike there is no difference.
    With own interfaces the wrong order fits as well, and needs two parameters more.
    """
    rho = best.correlation_ratio
    independent = best.observations_count * (1.0 - rho) / (1.0 + rho)
    gain = independent * np.log(best.minimum.cost / exchanged.minimum.cost)
    gain += 2.0 * (best.parameters_count - exchanged.parameters_count)
    if gain < (0.0 if best.model.variant.own_interfaces else SUPPORTED_AICC):
        return []
    return [
        "with the spectra exchanged one interface for both cells fits "
        f"({exchanged.misfit_percent:.2f} %, {best.misfit_percent:.2f} % as given): is "
        "the first the cell between metals?"
    ]


def _conductivity(found: Sequence[Candidate], name: str) -> Conductivity:
    best = found[0]
    i = best.model.index[name]
    centre, error = float(best.minimum.parameters[i]), best.standard_error(name)
    quantile = _student(best.observations_count - best.parameters_count)
    low, high = _interval(best, i, quantile, error)
    value = MILLI * float(np.exp(centre))
    with np.errstate(over="ignore"):
        ends = MILLI * np.exp(np.array([low, high]))
        linear = value * np.exp(np.array([-1.0, 1.0]) * quantile * error)
    others = [end for c in found[1:] for end in _under(c, name)]
    band_low, band_high = min([float(ends[0]), *others]), max([float(ends[1]), *others])
    closed = np.isfinite(low) and np.isfinite(high)
    narrow = closed and ends[1] < WIDEST_RATIO * ends[0]
    return Conductivity(
        value,
        float(ends[0]),
        float(ends[1]),
        float(linear[0]),
        float(linear[1]),
        band_low,
        band_high,
        determined=bool(narrow and band_high < WIDEST_RATIO * band_low),
    )


def _under(other: Candidate, name: str) -> list[float]:
    """What another model says, in mS/cm: its value; where it is open, its interval.

    Without the latter a band would be the narrower the less the data say: models that
    leave a conductivity open would drop out of it.
    """
    if not other.plausible:
        return []
    i, error = other.model.index[name], other.standard_error(name)
    value = MILLI * float(np.exp(other.minimum.parameters[i]))
    if other.supported or error < DETERMINED_LOG:
        return [value]
    quantile = _student(other.observations_count - other.parameters_count)
    with np.errstate(over="ignore"):
        ends = MILLI * np.exp(np.array(_interval(other, i, quantile, error)))
    return [value, float(ends[0]), float(ends[1])]


def _student(freedom: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(max(freedom, 1), TAIL_FRACTION))


def _interval(
    best: Candidate, i: int, quantile: float, error: float
) -> tuple[float, float]:
    """95 % by profile likelihood, in the logarithm."""
    model, column = best.model, best.unit_covariance[:, i]
    if not column[i] > 0.0:
        return -np.inf, np.inf
    free = model.free.copy()
    free[i] = False

    def refit(value: float, start: Array) -> LineMinimum:
        held = start.copy()
        held[i] = value
        return minimise(
            model.residual,
            held,
            lower=model.lower,
            upper=model.upper,
            free=free,
            longest_step=model.longest_step,
            most_iterations=REFIT_ITERATIONS,
        )

    return profile_interval(
        refit,
        best.minimum,
        index=i,
        spread=column / column[i],
        rise=quantile**2 * best.variance,
        standard_error=error,
    )


def _cells(best: Candidate, seen: Sequence[Glance]) -> tuple[FittedCell, ...]:
    p, at = best.minimum.parameters, best.model.index
    cells: list[FittedCell] = []
    for k, (cell, g) in enumerate(zip(best.model.cells, seen, strict=True)):
        rail = "electronic" if cell.role == "ion_blocking" else "ionic"
        arc = 0.0
        if best.model.variant.separator_arc and cell.role == "electron_blocking":
            arc = float(np.exp(p[at["arc_ohm"]]))
        cells.append(
            FittedCell(
                cell.spectrum.name or cell.spectrum.label,
                cell.role,
                cell.thickness_um,
                cell.area_cm2,
                cell.spectrum.frequency_hertz,
                cell.spectrum.impedance_ohm,
                best.model.impedance_ohm(p, k),
                float(p[at[f"series_{k}"]]) + arc,
                cell.per_conductivity * float(np.exp(-p[at[rail]])),
                g.low_ohm if g.plateau else float("nan"),
            )
        )
    return tuple(cells)


def _models(found: Sequence[Candidate]) -> tuple[PairModel, ...]:
    models: list[PairModel] = []
    for c in found:
        p, at = c.minimum.parameters, c.model.index
        models.append(
            PairModel(
                c.model.variant.name,
                MILLI * float(np.exp(p[at["ionic"]])),
                MILLI * float(np.exp(p[at["electronic"]])),
                c.misfit_percent,
                c.parameters_count,
                float(c.worse_by_aicc),
                supported=c.supported or c is found[0],
                chosen=c is found[0],
            )
        )
    return tuple(models)


def _parameters(best: Candidate) -> tuple[FittedParameter, ...]:
    """The vector in physical units; errors of logarithms become relative ones."""
    own = best.model.variant.own_interfaces
    found: list[FittedParameter] = []
    for name, i in best.model.index.items():
        stem = name.rstrip("_0123456789")
        value, error = float(best.minimum.parameters[i]), best.standard_error(name)
        if stem in ("ionic", "electronic", "coefficient", "terminal") or stem in (
            "arc_ohm",
            "arc_second",
        ):
            value = float(np.exp(value)) * (
                MILLI if stem in ("ionic", "electronic") else 1.0
            )
            error *= value
        words = WORDS[stem]
        if stem in ("series", "inductance") or (
            own and stem in ("coefficient", "exponent")
        ):
            role = best.model.cells[int(name[-1])].role.replace("_", "-")
            words = f"{words}, {role} cell"
        found.append(FittedParameter(words, value, error, UNITS[stem]))
    return tuple(found)


def _at_bounds(best: Candidate) -> list[str]:
    notes: list[str] = []
    for name, i in best.model.index.items():
        if best.at_bound(name) and "exponent" in name:
            value = float(best.minimum.parameters[i])
            words = WORDS["arc_exponent" if name.startswith("arc") else "exponent"]
            notes.append(f"{words}: at its bound of {value:g}")
    return notes


def _open_models(found: Sequence[Candidate]) -> list[str]:
    """Models that the data do not exclude and that leave a conductivity open.

    Their intervals are part of the bands.
    """
    names = [c.model.variant.name for c in found[1:] if c.plausible and not c.supported]
    if not names:
        return []
    return [
        "not excluded by the data, and open to more than 20 %, so that the bands hold "
        f"the intervals under them: {'; '.join(names)}"
    ]


def _limits(best: Candidate, seen: Sequence[Glance]) -> list[str]:
    """What the low-frequency ends say."""
    notes: list[str] = []
    for cell, g in zip(_cells(best, seen), seen, strict=True):
        kind = cell.role.replace("_", "-")
        if not g.plateau:
            notes.append(
                f"the {kind} cell has not reached its low-frequency limit: its rail is "
                "extrapolated by the model"
            )
        elif abs(cell.direct_current_off_percent) > DIRECT_CURRENT_PERCENT:
            notes.append(
                f"the {kind} cell ends at {cell.direct_current_ohm:.4g} ohm, the fit "
                f"at {cell.series_ohm + cell.rail_ohm:.4g}"
            )
    return notes


def _sentence(ionic: Conductivity, electronic: Conductivity, correlation: float) -> str:
    parts = [
        f"{name} {_within(c)}" if c.determined else f"{name} not determined"
        for name, c in (("ionic", ionic), ("electronic", electronic))
    ]
    return f"{', '.join(parts)} (95 %); correlation {correlation:.2f}"


def _within(c: Conductivity) -> str:
    """Half the width of the interval, or its factor where that is large."""
    low = max(c.interval_low_millisiemens_per_cm, 1e-300)
    half = 50.0 * (c.interval_high_millisiemens_per_cm / low - 1.0)
    if half >= 50.0:
        return f"within a factor of {1.0 + half / 50.0:.2g} from end to end"
    return f"within {half:.0f} %" if half >= 9.95 else f"within {half:.2g} %"
