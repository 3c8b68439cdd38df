"""Which circuit does a spectrum support: AICc and BIC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from equipoise.analysis.eis.circuits.circuit import Circuit
from equipoise.analysis.eis.circuits.fit import fit_circuit
from equipoise.core.errors import FitError, SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from equipoise.analysis.eis.circuits.problem import Weighting
    from equipoise.spec.spectrum import Spectrum


ORDER = (
    *("circuit", "parameters_count", "rms_percent", "reduced_chi_square"),
    *("aicc", "aicc_difference", "aicc_weight", "bic", "bic_difference"),
    *("notes", "failure"),
)


def compare_circuits(
    spectrum: Spectrum,
    circuits: Sequence[str | Circuit],
    *,
    weighting: Weighting = "modulus",
) -> pl.DataFrame:
    """Fit several circuits to one spectrum and rank them.

    Parameters
    ----------
    circuits
        Texts.

    Returns
    -------
    pl.DataFrame
        One row per circuit, the lowest AICc first: `circuit`, `parameters_count`,
        `rms_percent`, `reduced_chi_square`, `aicc`, `aicc_difference`, `aicc_weight`
        (Akaike weight, the sum is 1), `bic`, `bic_difference`, `notes`, and `failure`,
        empty if it was fitted.

    Raises
    ------
    SpecError
        If none is given or one cannot be read.

    References
    ----------
    Burnham and Anderson, Model Selection and Multimodel Inference (2002), chapter 2.

    Notes
    -----
    The criteria take residuals for independent noise. Residuals of a smooth misfit are
    not, and favour too many elements: look at the notes as well.
    """
    import polars as pl

    if not circuits:
        raise SpecError(
            "no circuit was given", where="compare_circuits", remedy="give two or more"
        )
    parsed = [Circuit.of(c) for c in circuits]
    table = pl.DataFrame([_row(spectrum, circuit, weighting) for circuit in parsed])
    usable = pl.col("aicc").fill_nan(None)
    difference = pl.col("aicc") - usable.min()
    weight = (-0.5 * difference.fill_nan(None)).exp()
    ranked = table.with_columns(
        aicc_difference=difference,
        aicc_weight=(weight / weight.sum()).fill_null(0.0),
        bic_difference=pl.col("bic") - pl.col("bic").fill_nan(None).min(),
    )
    return ranked.select(ORDER).sort(usable, nulls_last=True)


def _row(
    spectrum: Spectrum, circuit: Circuit, weighting: Weighting
) -> dict[str, str | float]:
    """One circuit; NaN if it cannot be fitted."""
    row: dict[str, str | float] = {
        "circuit": str(circuit),
        "parameters_count": len(circuit.parameters),
    }
    try:
        fit = fit_circuit(spectrum, circuit, weighting=weighting)
    except FitError as error:
        blank = ("rms_percent", "reduced_chi_square", "aicc", "bic")
        row.update(dict.fromkeys(blank, np.nan))
        return {**row, "notes": "", "failure": error.message}
    return {
        **row,
        "rms_percent": fit.rms_percent,
        "reduced_chi_square": fit.reduced_chi_square,
        "aicc": fit.aicc,
        "bic": fit.bic,
        "notes": "; ".join(fit.notes),
        "failure": "",
    }
