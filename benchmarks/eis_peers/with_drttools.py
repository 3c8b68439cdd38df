"""pyDRTtools at its defaults, but for lambda: 1e-4, as in the paper.

Its package imports a window toolkit at once; a bare package with the same path lets
the parts that calculate be imported alone. Its Kramers-Kronig test (BHT_run) is left
out: it starts a minimiser with a column, which scipy refuses, and tries again for
ever. Every task returns a function that unpacks the answer, so that only the tool's
own work is timed.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES = ("pyDRTtools", "cvxopt")

_found = importlib.util.find_spec("pyDRTtools")
if _found is None:
    raise ModuleNotFoundError("No module named 'pyDRTtools'")
_bare = types.ModuleType("pyDRTtools")
_bare.__path__ = list(_found.submodule_search_locations)
sys.modules["pyDRTtools"] = _bare

from pyDRTtools import runs  # noqa: E402
from pyDRTtools.runs import EIS_object  # noqa: E402

runs.solvers.options["show_progress"] = False


def _entry(f: np.ndarray, z: np.ndarray, inductance: int) -> EIS_object:
    """Falling frequencies: with rising ones epsilon, and the penalty, turn negative."""
    order = np.argsort(-f, kind="stable")
    f, z = f[order], z[order]
    if inductance == 2:  # as its window does before it calls simple_run
        f, z = f[z.imag < 0.0], z[z.imag < 0.0]
    return EIS_object(f, z.real.copy(), z.imag.copy())


def drt(
    f: np.ndarray,
    z: np.ndarray,
    *,
    inductance: int = 1,
    strength: float = 1e-4,
    coefficient: float = 0.5,
    shape: str = "FWHM Coefficient",
    derivative: str = "1st order",
    selection: str = "custom",
    tolerance: float | None = None,
) -> Callable[[], dict]:
    """`tolerance`: of cvxopt, in place of its defaults 1e-7, 1e-6, 1e-7."""
    names = ("abstol", "reltol", "feastol")
    for name in names:
        runs.solvers.options.pop(name, None)
        if tolerance is not None:
            runs.solvers.options[name] = tolerance
    e = runs.simple_run(
        _entry(f, z, inductance),
        induct_used=inductance,
        der_used=derivative,
        cv_type=selection,
        reg_param=strength,
        shape_control=shape,
        coeff=coefficient,
    )
    return lambda: {
        "tau_second": e.out_tau_vec,
        "gamma_ohm": e.gamma,
        "basis_tau_second": e.tau,
        "weight_ohm": e.x,
        "epsilon": e.epsilon,
        "series_resistance_ohm": e.R,
        "inductance_henry": e.L,
        "strength": e.lambda_value,
    }


def matrices(f: np.ndarray, z: np.ndarray) -> Callable[[], dict]:
    """What it assembles, for golden numbers."""
    e = runs.simple_run(
        _entry(f, z, 0), induct_used=0, cv_type="custom", reg_param=1e-4
    )
    return lambda: {
        "real": e.A_re_temp,
        "imaginary": e.A_im_temp,
        "penalty": e.M_temp,
        "epsilon": e.epsilon,
    }


def interval(
    f: np.ndarray,
    z: np.ndarray,
    *,
    inductance: int = 1,
    strength: float = 1e-4,
    samples: int = 2000,
    seed: int = 0,
) -> Callable[[], dict]:
    """99 % credible interval from Hamiltonian Monte Carlo.

    Its bounds are the quantiles of the weights, spread over the basis functions. The
    quantiles of gamma itself, from the same samples, are given beside them.
    """
    np.random.seed(seed)  # noqa: NPY002 - its own generator
    e = runs.Bayesian_run(
        _entry(f, z, inductance),
        induct_used=inductance,
        cv_type="custom",
        reg_param=strength,
        NMC_sample=samples,
    )

    def unpacked() -> dict:
        y = np.subtract.outer(np.log(e.out_tau_vec), np.log(e.tau))
        gamma = np.exp(-((e.epsilon * y) ** 2)) @ e.Xs[:, 501:]
        low, high = np.quantile(gamma, (0.005, 0.995), axis=1)
        return {
            "tau_second": e.out_tau_vec,
            "mean_ohm": e.mean,
            "lower_ohm": e.lower_bound,
            "upper_ohm": e.upper_bound,
            "gamma_lower_ohm": low,
            "gamma_upper_ohm": high,
        }

    return unpacked


TASKS = {
    "drt": drt,
    "matrices": matrices,
    "interval": interval,
}
