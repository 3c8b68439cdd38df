"""Where does a charge or discharge stop? One bisection per cell.

symbol  meaning                                                  unit
q       lithium taken out of the positive                        mAh per g positive
z       lithium in the negative, z = a + b q                     mAh per g negative
U_p     positive potential vs Li+/Li on q, rising                V
U_n     negative potential vs Li+/Li on z, falling               V
V       cell voltage to reach, polarisation already taken off    V
lo, hi  where to look for q                                      mAh per g positive

U_p(q) - U_n(a + b q) rises with q for b > 0, so the bracket is safe.
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


@kernel
def cutoff(U_p, p_start, p_per_step, U_n, n_start, n_per_step, a, b, V, lo, hi, q, status):
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
        while above - below > _TOLERANCE * max(1.0, abs(below)):
            middle = 0.5 * (below + above)
            if middle <= below or middle >= above:
                break
            g = at(U_p, p_start, p_per_step, middle) - at(
                U_n, n_start, n_per_step, a[i] + b[i] * middle
            )
            if g > V[i]:
                above = middle
            else:
                below = middle
        q[i] = 0.5 * (below + above)
        status[i] = _OK
