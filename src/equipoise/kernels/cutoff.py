"""Where does a charge or discharge stop? One bracketed root per cell.

symbol  meaning                                                  unit
q       lithium taken out of the positive                        mAh per g positive
z       lithium in the negative, z = a + b q                     mAh per g negative
U_p     positive potential vs Li+/Li on q, rising                V
U_n     negative potential vs Li+/Li on z, falling               V
V       cell voltage to reach, polarisation already taken off    V
lo, hi  where to look for q                                      mAh per g positive

U_p(q) - U_n(a + b q) rises with q for b > 0, so the bracket is safe. The root is
found with Chandrupatla's method (Adv. Eng. Softw. 28 (1997) 145): inverse
quadratic interpolation where it is safe, bisection elsewhere; 8-12 look-ups
instead of the 45 of a bisection.
"""

import numpy as np

from equipoise.core.status import Status
from equipoise.kernels._jit import kernel
from equipoise.kernels.table import at

_OK = int(Status.OK)
_ABOVE = int(Status.CUTOFF_ABOVE_CURVES)
_BELOW = int(Status.CUTOFF_BELOW_CURVES)
_NAN = int(Status.NOT_FINITE)
_TOLERANCE = 1e-11  # of q, in mAh/g: far below any weighing
_MOST_STEPS = 100


@kernel
def _fraction(x1, x2, x3, g1, g2, g3, smallest):
    """Where to look next between x1 (0) and x2 (1)."""
    t = 0.5
    xi = (x1 - x2) / (x3 - x2) if x3 != x2 else 1.0
    phi = (g1 - g2) / (g3 - g2) if g3 != g2 else 1.0
    if phi * phi < xi and (1.0 - phi) * (1.0 - phi) < 1.0 - xi:
        t = g1 / (g2 - g1) * g3 / (g2 - g3) + (x3 - x1) / (x2 - x1) * g1 / (
            g3 - g1
        ) * g2 / (g3 - g2)
    return min(max(t, smallest), 1.0 - smallest)


@kernel
def cutoff(
    U_p, p_start, p_per_step, U_n, n_start, n_per_step, a, b, V, lo, hi, q, status
):
    """Fill `q` and `status`, shape (m,), from `a`, `b`, `V`, `lo`, `hi`, shape (m,).

    Where the status is not 0, q is NaN.
    """
    for i in range(a.size):
        q[i] = np.nan
        below, above = lo[i], hi[i]
        if not np.isfinite(a[i] + b[i] + V[i] + below + above):
            status[i] = _NAN
            continue
        g_lo = at(U_p, p_start, p_per_step, below) - at(
            U_n, n_start, n_per_step, a[i] + b[i] * below
        )
        g_hi = at(U_p, p_start, p_per_step, above) - at(
            U_n, n_start, n_per_step, a[i] + b[i] * above
        )
        if g_lo > V[i]:
            status[i] = _BELOW
            continue
        if g_hi < V[i]:
            status[i] = _ABOVE
            continue
        if g_lo == V[i] or g_hi == V[i]:
            q[i] = below if g_lo == V[i] else above
            status[i] = _OK
            continue
        x1, x2, g1, g2 = above, below, g_hi - V[i], g_lo - V[i]
        x3, g3, t = x2, g2, 0.5
        for _ in range(_MOST_STEPS):
            x = x1 + t * (x2 - x1)
            g = (
                at(U_p, p_start, p_per_step, x)
                - at(U_n, n_start, n_per_step, a[i] + b[i] * x)
                - V[i]
            )
            if (g > 0.0) == (g1 > 0.0):
                x3, g3 = x1, g1
            else:
                x3, x2, g3, g2 = x2, x1, g2, g1
            x1, g1 = x, g
            width = abs(x2 - x1)
            if g == 0.0 or width <= _TOLERANCE * max(1.0, abs(x)):
                break
            t = _fraction(x1, x2, x3, g1, g2, g3, _TOLERANCE / width)
        q[i] = x1 if abs(g1) < abs(g2) else x2
        status[i] = _OK


@kernel
def stand(
    U_p,
    S_p,
    p_start,
    p_per_step,
    U_n,
    S_n,
    n_start,
    n_per_step,
    range_p,
    range_n,
    a,
    b,
    q,
    out,
) -> None:
    """Fill `out`, shape (6, m), with where both electrodes stand at `q`, shape (m,).

    Rows: z, U_p, U_n, the slopes of both tables (S: slope tables, held at the ends),
    and by how much q, or z counted in q, lies outside the measured range of its curve
    (`range_p`, `range_n`: from, to). NaN where q is NaN.
    """
    p_end = p_start + (U_p.size - 1) / p_per_step
    n_end = n_start + (U_n.size - 1) / n_per_step
    for i in range(q.size):
        if not np.isfinite(q[i]):
            for row in range(6):
                out[row, i] = np.nan
            continue
        z = a[i] + b[i] * q[i]
        out[0, i] = z
        out[1, i] = at(U_p, p_start, p_per_step, q[i])
        out[2, i] = at(U_n, n_start, n_per_step, z)
        out[3, i] = at(S_p, p_start, p_per_step, min(max(q[i], p_start), p_end))
        out[4, i] = at(S_n, n_start, n_per_step, min(max(z, n_start), n_end))
        beyond_p = max(range_p[0] - q[i], q[i] - range_p[1])
        beyond_n = max(range_n[0] - z, z - range_n[1]) / b[i]
        out[5, i] = max(beyond_p, beyond_n, 0.0)
