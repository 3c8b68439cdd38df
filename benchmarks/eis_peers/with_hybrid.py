"""hybrid-drt: hierarchical Bayesian distribution, as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hybdrt.models import DRT

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES = ("eisyfit-hybrid-drt", "cvxopt")


def drt(f: np.ndarray, z: np.ndarray, *, phasance: bool = False) -> Callable[[], dict]:
    """`phasance`: with its distribution of phasances, which takes up tails."""
    model = DRT(fit_dop=True) if phasance else DRT()
    model.fit_eis(f, z)
    tau = np.geomspace(1e-8, 1e2, 2001)
    gamma = model.predict_distribution(tau=tau)
    return lambda: {
        "tau_second": tau,
        "gamma_ohm": gamma,
        "series_resistance_ohm": model.predict_r_inf(),
    }


def interval(f: np.ndarray, z: np.ndarray) -> Callable[[], dict]:
    """99 % interval of its Gaussian approximation, without the bound at zero."""
    model = DRT()
    model.fit_eis(f, z)
    tau = np.geomspace(1e-8, 1e2, 501)
    lower, upper = model.predict_distribution_ci(tau=tau, quantiles=[0.005, 0.995])
    return lambda: {"tau_second": tau, "lower_ohm": lower, "upper_ohm": upper}


TASKS = {"drt": drt, "interval": interval}
