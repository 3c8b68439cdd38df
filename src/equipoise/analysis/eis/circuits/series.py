"""Fit one circuit to a series of spectra: every arc stays what it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from equipoise.analysis.eis.circuits.arcs import arrangement_like
from equipoise.analysis.eis.circuits.circuit import Circuit
from equipoise.analysis.eis.circuits.fit import fit_circuit
from equipoise.analysis.eis.circuits.problem import (
    CircuitProblem,
    Weighting,
    problem_of,
)
from equipoise.analysis.eis.circuits.search import (
    SAME,
    arranged,
    finished,
    is_good,
    minimum_from,
    search,
)
from equipoise.analysis.eis.circuits.start import sketch
from equipoise.core.errors import FitError, SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from equipoise.analysis.eis.circuits.result import CircuitFit
    from equipoise.spec.spectrum import Spectrum


@dataclass(frozen=True, slots=True, eq=False)
class SeriesFit:
    """One circuit fitted to a series of spectra.

    Attributes
    ----------
    circuit
        The circuit.
    fits
        One per spectrum; None where it failed.
    failures
        Why it failed, one per spectrum; empty where it did not.
    """

    circuit: Circuit
    fits: tuple[CircuitFit | None, ...]
    failures: tuple[str, ...]

    def table(self) -> pl.DataFrame:
        """One row per spectrum: parameters and standard errors; NaN if failed."""
        import polars as pl

        columns: dict[str, list[float]] = {
            name: [] for n in self.circuit.names for name in (n, f"{n}_error")
        }
        for fit in self.fits:
            for i, name in enumerate(self.circuit.names):
                found = fit.parameters[i] if fit else None
                columns[name].append(found.value if found else np.nan)
                columns[f"{name}_error"].append(
                    found.standard_error if found else np.nan
                )
        rms = [fit.rms_percent if fit else np.nan for fit in self.fits]
        index = list(range(len(self.fits)))
        return pl.DataFrame(
            {
                "spectrum_index": index,
                **columns,
                "rms_percent": rms,
                "failure": list(self.failures),
            }
        )


def fit_series(
    spectra: Sequence[Spectrum],
    circuit: str | Circuit,
    *,
    start: Mapping[str, float] | None = None,
    weighting: Weighting = "modulus",
    fixed: Mapping[str, float] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
) -> SeriesFit:
    """Fit one circuit to spectra in their order, keeping every arc what it is.

    Each fit begins where the one before ended; where this does not reach the residual
    of relaxation lines, starts from the spectrum are tried as well. Arcs of one shape
    are then assigned to those of the spectrum before, so that R1 stays R1 even if its
    arc becomes slower than another.

    Parameters
    ----------
    spectra
        In the order of ageing, state of charge or temperature.
    circuit, weighting, fixed, bounds
        As in `fit_circuit`.
    start
        For the first spectrum.

    Raises
    ------
    SpecError
        If the circuit cannot be read, a name or value is wrong, or there is no
        spectrum. A spectrum that cannot be fitted is a row of `failures`.
    """
    parsed = Circuit.of(circuit)
    if not spectra:
        raise SpecError(
            "no spectrum was given", where="fit_series", remedy="give at least one"
        )
    fits: list[CircuitFit | None] = []
    failures: list[str] = []
    last: CircuitFit | None = None
    for spectrum in spectra:
        try:
            if last is None:
                fit = fit_circuit(
                    spectrum,
                    parsed,
                    start=start,
                    weighting=weighting,
                    fixed=fixed,
                    bounds=bounds,
                )
            else:
                problem = problem_of(
                    spectrum,
                    parsed,
                    weighting=weighting,
                    fixed=fixed or {},
                    bounds=bounds or {},
                )
                fit = _followed(problem, last, weighting)
        except FitError as error:
            fits.append(None)
            failures.append(error.message)
            continue
        fits.append(fit)
        failures.append("")
        last = fit
    return SeriesFit(parsed, tuple(fits), tuple(failures))


def _followed(
    problem: CircuitProblem, last: CircuitFit, weighting: Weighting
) -> CircuitFit:
    """A fit that begins with the one before."""
    earlier = np.array([p.value for p in last.parameters])
    look = sketch(problem.spectrum, problem.circuit, weight_ohm=problem.weight_ohm)
    minimum, count = finished(problem, minimum_from(problem, earlier)), 1
    if not is_good(minimum, look):
        other, tried = search(problem, look, {}, None)
        count += tried
        other = finished(problem, other)
        # the same minimum reached from elsewhere is no reason to move
        if other.rms_ratio < (1.0 - SAME) * minimum.rms_ratio:
            minimum = other
    values = problem.all_values(minimum.theta)
    order = arrangement_like(
        problem.circuit, values, earlier, pinned=problem.pinned_index
    )
    return arranged(problem, minimum, order, weighting, look, count)
