"""impedance.py: linear Kramers-Kronig test and circuit fits. It has no distribution.

Its test writes numbers into a text that it evaluates; numpy 2 prints them as
np.float64(...), which fails there. The old way of printing is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from impedance.models.circuits import CustomCircuit
from impedance.validation import linKK

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES = ("impedance",)
np.set_printoptions(legacy="1.25")

CIRCUIT = "R0-p(R1,C1)-p(R2-Wo1,C2)"
"""Of its tutorial, with the guess given there."""
GUESS = (0.01, 0.01, 100.0, 0.01, 0.05, 100.0, 1.0)


def kramers_kronig(
    f: np.ndarray,
    z: np.ndarray,
    *,
    most: int = 100,
    limit: float | None = 0.85,
    part: str = "complex",
    capacitance: bool = True,
) -> Callable[[], dict]:
    """Of its tutorial: c = .85, max_M = 100, complex, with a capacitance."""
    m, mu, fitted, real, imaginary = linKK(
        f, z, c=limit, max_M=most, fit_type=part, add_cap=capacitance
    )
    return lambda: {
        "elements_count": m,
        "mu": mu,
        "fitted_real_ohm": fitted.real,
        "fitted_imaginary_ohm": fitted.imag,
        "residual_real": real,
        "residual_imaginary": imaginary,
    }


def fit(
    f: np.ndarray,
    z: np.ndarray,
    *,
    circuit: str = CIRCUIT,
    guess: tuple[float, ...] = GUESS,
) -> Callable[[], dict]:
    """Unweighted least squares from the guess."""
    model = CustomCircuit(circuit, initial_guess=list(guess))
    model.fit(f, z)
    off = model.predict(f) - z
    return lambda: {
        "values": model.parameters_,
        "deviations": model.conf_,
        "rms_ohm": np.sqrt(np.mean(np.abs(off) ** 2)),
        "relative_rms": np.sqrt(np.mean(np.abs(off / z) ** 2)),
    }


TASKS = {"kramers_kronig": kramers_kronig, "fit": fit}
