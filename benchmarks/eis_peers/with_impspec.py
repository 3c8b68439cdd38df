"""pyimpspec: distribution (TR-RBF is pyDRTtools' code), Kramers-Kronig, circuits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyimpspec

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES = ("pyimpspec", "cvxopt", "lmfit")
CIRCUIT = "R{R=0.01}(R{R=0.01}C{C=100})([R{R=0.01}Wo{Y=200,B=10}]C{C=1})"
"""Of impedance.py's tutorial, with the same guess; Y = sqrt(tau)/Z0, B = sqrt(tau)."""


def _data(f: np.ndarray, z: np.ndarray) -> pyimpspec.DataSet:
    return pyimpspec.DataSet(frequencies=f, impedances=z)


def drt(
    f: np.ndarray,
    z: np.ndarray,
    *,
    inductance: int = 1,
    strength: float = 1e-4,
    coefficient: float = 0.5,
) -> Callable[[], dict]:
    """Gaussian, FWHM, first derivative, both parts."""
    found = pyimpspec.calculate_drt(
        _data(f, z),
        method="tr-rbf",
        mode="complex",
        lambda_value=strength,
        cross_validation="",
        shape_coeff=coefficient,
        inductance=bool(inductance),
        num_procs=1,
    )
    return lambda: {
        "tau_second": found.get_time_constants(),
        "gamma_ohm": found.get_gammas().real,
        "strength": found.lambda_value,
    }


def interval(
    f: np.ndarray, z: np.ndarray, *, inductance: int = 1, strength: float = 1e-4
) -> Callable[[], dict]:
    """Credible intervals, 2000 samples; it gives up after ten minutes."""
    found = pyimpspec.calculate_drt(
        _data(f, z),
        method="tr-rbf",
        mode="complex",
        lambda_value=strength,
        cross_validation="",
        inductance=bool(inductance),
        credible_intervals=True,
        timeout=600,
        num_procs=1,
    )
    return lambda: {
        "tau_second": found.get_time_constants(),
        "gamma_ohm": found.get_gammas().real,
    }


def kramers_kronig(
    f: np.ndarray, z: np.ndarray, *, test: str = "real", extensions: int = 20
) -> Callable[[], dict]:
    """Its default; extensions=0: one range of time constants only."""
    found = pyimpspec.perform_kramers_kronig_test(
        _data(f, z), test=test, num_F_ext_evaluations=extensions, num_procs=1
    )
    return lambda: {
        "elements_count": found.num_RC,
        "pseudo_chisqr": found.pseudo_chisqr,
        "residual_real": found.residuals.real,
        "residual_imaginary": found.residuals.imag,
    }


def fit(
    f: np.ndarray,
    z: np.ndarray,
    *,
    circuit: str = CIRCUIT,
    method: str = "leastsq",
    weight: str = "unity",
) -> Callable[[], dict]:
    """From the values of the text; method and weight "auto" are its defaults."""
    found = pyimpspec.fit_circuit(
        pyimpspec.parse_cdc(circuit),
        _data(f, z),
        method=method,
        weight=weight,
        num_procs=1,
    )
    off = found.circuit.get_impedances(f) - z
    return lambda: {
        "rms_ohm": np.sqrt(np.mean(np.abs(off) ** 2)),
        "relative_rms": np.sqrt(np.mean(np.abs(off / z) ** 2)),
        "values": [p.value for e in found.parameters.values() for p in e.values()],
    }


TASKS = {
    "drt": drt,
    "interval": interval,
    "kramers_kronig": kramers_kronig,
    "fit": fit,
}
