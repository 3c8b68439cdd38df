"""Partial conductivities and what they rest on: intervals, models, residuals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

    from equipoise.analysis.eis.lines.blocking_cells import Role

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class Conductivity:
    """One conductivity with its intervals, mS/cm.

    Attributes
    ----------
    value_millisiemens_per_cm
        Of the chosen model.
    interval_low_millisiemens_per_cm, interval_high_millisiemens_per_cm
        95 % by profile likelihood under the chosen model; 0 and infinity if the data
        leave that side open.
    linear_low_millisiemens_per_cm, linear_high_millisiemens_per_cm
        95 % from the Jacobian at the minimum; symmetric on a logarithmic scale.
    low_millisiemens_per_cm, high_millisiemens_per_cm
        Band: the interval, and the values of all other models that the data support.
    determined
        Whether the interval is closed and narrower than a factor of 3.
    """

    value_millisiemens_per_cm: float
    interval_low_millisiemens_per_cm: float
    interval_high_millisiemens_per_cm: float
    linear_low_millisiemens_per_cm: float
    linear_high_millisiemens_per_cm: float
    low_millisiemens_per_cm: float
    high_millisiemens_per_cm: float
    determined: bool


@dataclass(frozen=True, slots=True)
class FittedParameter:
    """A parameter of the chosen model.

    Attributes
    ----------
    value, standard_error
        In `unit`; NaN for the error of a parameter that is fixed or at its bound.
    """

    name: str
    value: float
    standard_error: float
    unit: str


@dataclass(frozen=True, slots=True)
class PairModel:
    """One of the models that were fitted.

    Attributes
    ----------
    ionic_conductivity_millisiemens_per_cm, electronic_conductivity_millisiemens_per_cm
        What it gives.
    misfit_percent
        Root mean square of |model - measured| / |measured|, per real or imaginary part.
    worse_by_aicc
        Difference of the corrected Akaike criterion to the lowest of all models, with
        as many observations as the residuals are independent.
    supported
        Whether that difference is at most 10 and both conductivities are determined
        within 20 % under it: it then counts in the bands.
    chosen
        Whether the values are those of this model: the simplest within 10.
    """

    name: str
    ionic_conductivity_millisiemens_per_cm: float
    electronic_conductivity_millisiemens_per_cm: float
    misfit_percent: float
    parameters_count: int
    worse_by_aicc: float
    supported: bool
    chosen: bool


@dataclass(frozen=True, slots=True, eq=False)
class FittedCell:
    """A measured cell and the chosen model.

    Attributes
    ----------
    frequency_hertz, measured_ohm, fitted_ohm
        Shape (N,), the impedances complex.
    series_ohm
        Everything in series: wires, separators.
    rail_ohm
        Of the rail that passes this cell: electronic if ions are blocked.
    direct_current_ohm
        Read off the spectrum where it has reached its low-frequency plateau; NaN if
        not.
    """

    name: str
    role: Role
    thickness_um: float
    area_cm2: float
    frequency_hertz: Array = field(repr=False)
    measured_ohm: ComplexArray = field(repr=False)
    fitted_ohm: ComplexArray = field(repr=False)
    series_ohm: float
    rail_ohm: float
    direct_current_ohm: float

    @property
    def residual_percent(self) -> ComplexArray:
        """(fitted - measured) / |measured| in percent, complex, shape (N,)."""
        off = self.fitted_ohm - self.measured_ohm
        return 100.0 * off / np.abs(self.measured_ohm)

    @property
    def direct_current_off_percent(self) -> float:
        """Plateau against series + rail of the fit; NaN without a plateau."""
        return 100.0 * (self.direct_current_ohm / (self.series_ohm + self.rail_ohm) - 1)


@dataclass(frozen=True, slots=True)
class PartialConductivities:
    """Ionic and electronic conductivity of a composite.

    Attributes
    ----------
    ionic, electronic
        Values, intervals and bands.
    correlation_ratio
        Between the logarithms of the two, -1 to 1.
    misfit_percent
        Of the chosen model, per real or imaginary part; the noise if the model holds.
    residual_correlation_ratio
        Of neighbouring residuals: 0 for noise, near 1 for a model that misses a
        feature. The intervals are wider by it.
    cells
        One or two; measured and fitted spectra.
    models
        All that were fitted, the chosen one first.
    parameters
        Of the chosen model.
    series_assumed
        Whether this is from one cell with a series resistance taken as known.
    identifiability
        One sentence on what the data determine.
    notes
        What to look at: a swap, a missed feature, an open interval.
    """

    ionic: Conductivity
    electronic: Conductivity
    correlation_ratio: float
    misfit_percent: float
    residual_correlation_ratio: float
    cells: tuple[FittedCell, ...]
    models: tuple[PairModel, ...]
    parameters: tuple[FittedParameter, ...]
    series_assumed: bool
    identifiability: str
    notes: tuple[str, ...]

    @property
    def ionic_conductivity_millisiemens_per_cm(self) -> float:
        """Value of `ionic`."""
        return self.ionic.value_millisiemens_per_cm

    @property
    def electronic_conductivity_millisiemens_per_cm(self) -> float:
        """Value of `electronic`."""
        return self.electronic.value_millisiemens_per_cm

    def as_dict(self) -> dict[str, object]:
        """Numbers and words without the spectra, for JSON."""
        found: dict[str, object] = {}
        for name, c in (("ionic", self.ionic), ("electronic", self.electronic)):
            key, unit = f"{name}_conductivity", "millisiemens_per_cm"
            found |= {
                f"{key}_{unit}": c.value_millisiemens_per_cm,
                f"{key}_low_{unit}": c.low_millisiemens_per_cm,
                f"{key}_high_{unit}": c.high_millisiemens_per_cm,
                f"{key}_interval_low_{unit}": c.interval_low_millisiemens_per_cm,
                f"{key}_interval_high_{unit}": c.interval_high_millisiemens_per_cm,
                f"{key}_determined": c.determined,
            }
        return found | {
            "correlation_ratio": self.correlation_ratio,
            "misfit_percent": self.misfit_percent,
            "residual_correlation_ratio": self.residual_correlation_ratio,
            "series_assumed": self.series_assumed,
            "identifiability": self.identifiability,
            "notes": list(self.notes),
            "cells": [
                {
                    "name": c.name,
                    "role": c.role,
                    "thickness_um": c.thickness_um,
                    "area_cm2": c.area_cm2,
                    "series_ohm": c.series_ohm,
                    "rail_ohm": c.rail_ohm,
                    "direct_current_ohm": c.direct_current_ohm,
                }
                for c in self.cells
            ],
            "models": [
                {k: getattr(m, k) for k in PairModel.__dataclass_fields__}
                for m in self.models
            ],
            "parameters": [
                {k: getattr(p, k) for k in FittedParameter.__dataclass_fields__}
                for p in self.parameters
            ],
        }

    def table(self) -> pl.DataFrame:
        """Measured and fitted spectra, one row per point.

        Returns
        -------
        polars.DataFrame
            role, frequency_hertz, real_impedance_ohm, imaginary_impedance_ohm,
            fitted_real_impedance_ohm, fitted_imaginary_impedance_ohm,
            real_residual_percent, imaginary_residual_percent.
        """
        import polars as pl

        return pl.concat(
            pl.DataFrame(
                {
                    "role": [c.role] * c.frequency_hertz.size,
                    "frequency_hertz": c.frequency_hertz,
                    "real_impedance_ohm": c.measured_ohm.real,
                    "imaginary_impedance_ohm": c.measured_ohm.imag,
                    "fitted_real_impedance_ohm": c.fitted_ohm.real,
                    "fitted_imaginary_impedance_ohm": c.fitted_ohm.imag,
                    "real_residual_percent": c.residual_percent.real,
                    "imaginary_residual_percent": c.residual_percent.imag,
                }
            )
            for c in self.cells
        )
