"""PyDRT: non-negative least squares with Gaussian basis functions.

It calls np.trapz, which numpy 2.4 has no more; the new name is put in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if not hasattr(np, "trapz"):
    np.trapz = np.trapezoid  # noqa: NPY201

from pydrt import GaussDRT

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES = ("PyDRT",)


def drt(
    f: np.ndarray, z: np.ndarray, *, strength: float = 1e-3, offset: int = 0
) -> Callable[[], dict]:
    """Time constants 1/(2 pi f); with its default of 1e-6 to 1e6 s all goes wrong.

    A sum of peaks: neighbours are merged into one. offset: see its diffusion_offset.
    """
    low, high = 0.5 / np.pi / f.max(), 0.5 / np.pi / f.min()
    found = GaussDRT(
        f,
        z,
        epsilon=strength,
        diffusion_offset=offset or False,
        tau_range_min_s=low,
        tau_range_max_s=high,
        tau_min_s=low,
        tau_max_s=high,
    )
    return lambda: {
        "tau_second": found.tau_s,
        "gamma_ohm": found.gamma_hat_Ohm,
        "series_resistance_ohm": found.R_offset_Ohm,
    }


TASKS = {"drt": drt}
