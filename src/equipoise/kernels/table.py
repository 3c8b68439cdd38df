"""Uniform tables: linear inside, linear with the end slope outside.

symbol    meaning                                   unit
U         table values at the nodes                 V
x         where to look up                          mAh per gram
start     x of the first node                       mAh per gram
per_step  1 / spacing of the nodes                  gram per mAh
"""

from math import floor

import numpy as np

from equipoise.kernels._jit import kernel


@kernel
def at(U, start, per_step, x):
    """Value of the table at one `x`."""
    s = (x - start) * per_step
    i = min(max(int(floor(s)), 0), U.size - 2)
    return U[i] + (s - i) * (U[i + 1] - U[i])


@kernel
def lookup(U, start, per_step, x, out):
    """Fill `out` with values of the table at `x`, both shape (m,); NaN stays NaN."""
    for k in range(x.size):
        out[k] = at(U, start, per_step, x[k]) if np.isfinite(x[k]) else np.nan


@kernel
def lookup_held(U, start, per_step, x, out):
    """As `lookup`, but the end values are held outside the table."""
    end = (U.size - 1) / per_step
    for k in range(x.size):
        inside = min(max(x[k], start), start + end)
        out[k] = at(U, start, per_step, inside) if np.isfinite(x[k]) else np.nan


@kernel
def lookup_integral(U, C, start, per_step, x, out):
    """Fill `out` with the integral of the table from `start` to `x`.

    C: the integral at the nodes (trapezoids of U), shape of U.
    """
    for k in range(x.size):
        if not np.isfinite(x[k]):
            out[k] = np.nan
            continue
        s = (x[k] - start) * per_step
        i = min(max(int(floor(s)), 0), U.size - 2)
        t = s - i
        part = t * U[i] + 0.5 * t * t * (U[i + 1] - U[i])
        out[k] = C[i] + part / per_step
