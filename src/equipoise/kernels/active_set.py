"""Non-negative least squares by block principal pivoting, on normal equations.

symbol    meaning                                                     unit
H, c      minimise x' H x / 2 - c' x over x >= 0; H (n, n) definite   -
y         H x - c: multiplier of x >= 0, not negative at the solution -
free      whether x_i may differ from 0 (the passive set)             -
U         upper Cholesky factor of the free part of H                 -

Judice and Pires, Comput. Oper. Res. 21 (1994) 587; Kim and Park, SIAM J. Sci. Comput.
33 (2011) 3261: all variables of the wrong sign change sides at once; when their
number has not fallen for three rounds, only the last one does (Murty), which ends.
"""

import numpy as np

from equipoise.core.status import Status
from equipoise.kernels._jit import inner_kernel, kernel

_OK = int(Status.OK)
_NAN = int(Status.NOT_FINITE)
_NO_CONVERGENCE = int(Status.STEP_NOT_SOLVED)
_PATIENCE = 3
_MOST_ROUNDS = 200  # times n
_LEAST_PIVOT = 1e-13  # of a unit diagonal: less is rounding


@inner_kernel
def _factor(U, n):
    """Cholesky factor of U[:n, :n] in its upper half; False: not definite."""
    for k in range(n):
        pivot = U[k, k]
        if not pivot > _LEAST_PIVOT:
            return False
        root = 1.0 / np.sqrt(pivot)
        for j in range(k, n):
            U[k, j] *= root
        for i in range(k + 1, n):
            w = U[k, i]
            for j in range(i, n):
                U[i, j] -= w * U[k, j]
    return True


@inner_kernel
def _substitute(U, n, b):
    """Solve U' U z = b in place."""
    for i in range(n):
        b[i] /= U[i, i]
        for j in range(i + 1, n):
            b[j] -= U[i, j] * b[i]
    for i in range(n - 1, -1, -1):
        s = b[i]
        for j in range(i + 1, n):
            s -= U[i, j] * b[j]
        b[i] = s / U[i, i]


@inner_kernel
def _solve_free(H, c, free, x, U, z, where):
    """Fill x with the solution on the free set, 0 elsewhere; False: not definite."""
    n = 0
    for i in range(c.size):
        x[i] = 0.0
        if free[i]:
            where[n] = i
            n += 1
    for a in range(n):
        z[a] = c[where[a]]
        for b in range(a, n):
            U[a, b] = H[where[a], where[b]]
    if not _factor(U, n):
        return False
    _substitute(U, n, z)
    for a in range(n):
        x[where[a]] = z[a]
    for a in range(n):  # once more for the rest that rounding left
        s = c[where[a]]
        for b in range(n):
            s -= H[where[a], where[b]] * x[where[b]]
        z[a] = s
    _substitute(U, n, z)
    for a in range(n):
        x[where[a]] += z[a]
    return True


@inner_kernel
def _multipliers(H, c, x, y):
    for i in range(c.size):
        y[i] = -c[i]
    for j in range(c.size):
        if x[j] != 0.0:
            for i in range(c.size):
                y[i] += H[j, i] * x[j]


@inner_kernel
def _exchange(free, x, y, x_close, y_close, only_last):
    """Change sides where the sign is wrong; how many were wrong."""
    wrong, last = 0, -1
    for i in range(free.size):
        bad = x[i] < -x_close if free[i] else y[i] < -y_close
        if bad:
            wrong += 1
            last = i
            if not only_last:
                free[i] = not free[i]
    if only_last and last >= 0:
        free[last] = not free[last]
    return wrong


@inner_kernel
def _wrong(free, x, y, x_close, y_close):
    wrong = 0
    for i in range(free.size):
        if x[i] < -x_close if free[i] else y[i] < -y_close:
            wrong += 1
    return wrong


@kernel
def nonnegative(H, c, close, free, x, y, U, z, where):
    """Minimise one quadratic over x >= 0; fill x, y; returns a status.

    `free` is the first guess of the passive set, and the answer. H has a unit
    diagonal; `close` is the tolerance on the multipliers, of max |c|. U (n, n), z (n,)
    and where (n,) int64 are working memory.
    """
    n = c.size
    scale = 0.0
    for i in range(n):
        if not abs(c[i]) < 1e300:
            return _NAN
        scale = max(scale, abs(c[i]))
    if scale == 0.0:
        x[:] = 0.0
        y[:] = 0.0
        free[:] = False
        return _OK
    fewest, patience = n + 1, _PATIENCE
    for _ in range(_MOST_ROUNDS * n):
        if not _solve_free(H, c, free, x, U, z, where):
            return _NO_CONVERGENCE
        _multipliers(H, c, x, y)
        largest = 0.0
        for i in range(n):
            largest = max(largest, abs(x[i]))
        x_close, y_close = 1e-12 * largest, close * scale
        wrong = _wrong(free, x, y, x_close, y_close)
        if wrong == 0:
            for i in range(n):
                x[i] = max(x[i], 0.0)
            return _OK
        if wrong < fewest:
            fewest, patience = wrong, _PATIENCE
        else:
            patience -= 1
        _exchange(free, x, y, x_close, y_close, patience < 0)
    return _NO_CONVERGENCE


@kernel
def nonnegative_series(H, C, close, free, X, Y, U, z, where, status):
    """`nonnegative` for the rows of C (S, n), each from the answer before it."""
    for s in range(C.shape[0]):
        status[s] = nonnegative(H, C[s], close, free, X[s], Y[s], U, z, where)
