"""Linear Kramers-Kronig fit: RC elements on fixed time constants, by QR.

symbol    meaning                                                      unit
Z         R + j w L + 1 / (j w C) + sum_k R_k / (1 + j w tau_k)         ohm
W         1 / |Z|: residuals are relative                              1 / ohm
A         columns (real over imaginary), weighted, (2 N, M + 3)        -

A passive, linear, stable system obeys; a drifting or non-linear one does not, since
R_k may have any sign but tau_k > 0. Boukamp, J. Electrochem. Soc. 142 (1995) 1885.
"""

import numpy as np


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


def fit(omega, impedance, count, beyond):
    """Relative residuals of a fit, and its weights.

    Parameters
    ----------
    omega
        rad/s, shape (N,).
    impedance
        Complex, shape (N,).
    count
        Number of RC elements.
    beyond
        Decades by which their time constants exceed 1 / omega on either side.

    Returns
    -------
    tuple
        (fit - data) / |data|, complex, shape (N,); weights, shape (M + 3,); leverage,
        the share of each datum in its own fit, real and imaginary, shape (2 N,).
    """
    tau = time_constants(omega, count, beyond)
    size = np.abs(impedance)
    A = columns(omega, tau) / size[:, None]
    A = np.vstack([A.real, A.imag])
    b = np.concatenate([impedance.real / size, impedance.imag / size])
    scale = 1.0 / np.linalg.norm(A, axis=0)
    Q, R = np.linalg.qr(A * scale)
    projected = Q.T @ b
    residual = Q @ projected - b
    x = np.linalg.lstsq(R, projected, rcond=1e-12)[0] * scale
    N = omega.size
    return residual[:N] + 1j * residual[N:], x, (Q * Q).sum(axis=1)
