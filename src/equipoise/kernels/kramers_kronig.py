"""Linear Kramers-Kronig fit: RC elements on fixed time constants, by QR.

symbol    meaning                                                      unit
Z         R + j w L + 1 / (j w C) + sum_k R_k / (1 + j w tau_k)         ohm
A         columns over |Z|, real over imaginary, (2 N, M + 3)          1 / ohm
r         (fit - data) / |data|, (N,) complex                          1
H_i       what a point contributes to its own fit, (2, 2)              1

A passive, linear, stable system obeys; a drifting or non-linear one does not, since
R_k may have any sign but tau_k > 0. Boukamp, J. Electrochem. Soc. 142 (1995) 1885.
"""

import numpy as np

_LEAST_FREE = 1e-6  # of a point that the fit follows completely


def columns(omega, tau):
    """Impedance of one unit of each element, complex, shape (N, M + 3).

    The last three are the series resistance, the inductance (per 1 / mean omega) and
    the series capacitance (per geometric mean omega).
    """
    middle = np.exp(np.mean(np.log(omega)))
    rc = 1.0 / (1.0 + 1j * omega[:, None] * tau[None, :])
    others = np.stack(
        [np.ones_like(omega) + 0j, 1j * omega / middle, middle / (1j * omega)], axis=1
    )
    return np.hstack([rc, others])


def time_constants(omega, count, beyond):
    """Logarithmic grid of `count` tau over the measured range and `beyond` decades."""
    low = -np.log10(omega.max()) - beyond
    high = -np.log10(omega.min()) + beyond
    return np.logspace(low, high, count)


def fit(omega, impedance, tau, used):
    """Relative residuals of a fit to some of the points, at all of them.

    Parameters
    ----------
    omega
        rad/s, shape (N,).
    impedance
        Complex, shape (N,).
    tau
        Time constants of the RC elements, shape (M,).
    used
        Points that are fitted, shape (N,).

    Returns
    -------
    tuple
        r at all points, complex, shape (N,); weights, shape (M + 3,); 1 - H_i of the
        points, shape (N, 2, 2), the identity where a point is not used.
    """
    size = np.abs(impedance)
    A = columns(omega, tau) / size[:, None]
    b = impedance / size
    scale = 1.0 / np.sqrt((np.abs(A[used]) ** 2).sum(axis=0))
    A = A * scale
    rows = np.vstack([A[used].real, A[used].imag])
    right = np.concatenate([b[used].real, b[used].imag])
    Q, R = np.linalg.qr(rows)
    x = np.linalg.lstsq(R, Q.T @ right, rcond=1e-12)[0]
    n = int(used.sum())
    pair = np.stack([Q[:n], Q[n:]], axis=1)  # (n, 2, M + 3)
    free = np.tile(np.eye(2), (omega.size, 1, 1))
    free[used] -= pair @ pair.transpose(0, 2, 1)
    return A @ x - b, x * scale, free


def deleted(residual, free):
    """How far each point is from the fit to all others, and what deleting it gains.

    Parameters
    ----------
    residual, free
        As from `fit`.

    Returns
    -------
    tuple
        (prediction - data) / |data| without the point, complex, shape (N,); by how
        much the sum of |r|^2 of the others is smaller, shape (N,): the closed form
        ``r' (1 - H_i)^-1 r``.
    """
    determinant = free[:, 0, 0] * free[:, 1, 1] - free[:, 0, 1] * free[:, 1, 0]
    determinant = np.maximum(determinant, _LEAST_FREE)
    re, im = residual.real, residual.imag
    first = (free[:, 1, 1] * re - free[:, 0, 1] * im) / determinant
    second = (free[:, 0, 0] * im - free[:, 1, 0] * re) / determinant
    return first + 1j * second, re * first + im * second
