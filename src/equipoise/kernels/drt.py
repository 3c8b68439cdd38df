"""Matrices of the distribution of relaxation times on Gaussian basis functions.

symbol    meaning                                                          unit
gamma     Z = R + j w L + int gamma / (1 + j w tau) d ln tau               ohm
phi_m     exp(-(eps (ln tau - ln tau_m))^2): gamma = sum of x_m phi_m      1
eps       shape factor; FWHM of phi = 2 sqrt(ln 2) / eps in ln tau         1
u         ln(2 pi f tau_m)                                                 1
A', A''   real and imaginary part of the impedance of one phi_m, (N, M)    1
M         penalty: int phi_l^(d) phi_m^(d) d ln tau, d = 1 or 2, (M, M)    1

Wan, Saccoccio, Chen, Ciucci, Electrochim. Acta 184 (2015) 483; Saccoccio et al. 147
(2014) 470. The integrals over y = ln tau - ln tau_m are analytic and decay as a
Gaussian: the trapezoid rule is exact to rounding with some 25 nodes::

    A'  = int exp(-(eps y)^2) (1 - tanh(u + y)) / 2 dy
    A'' = -1/2 int exp(-(eps y)^2) / cosh(u + y) dy
"""

from math import ceil, cosh, exp, pi, sqrt, tanh

import numpy as np

from equipoise.kernels._jit import kernel

_REACH = 6.2  # exp(-6.2^2) = 2e-17
_WIDEST_STEP = 0.25  # poles of the integrands lie at +- pi/2: error exp(-pi^2 / h)


def quadrature(eps):
    """Nodes y and weights exp(-(eps y)^2) dy, both shape (K,)."""
    h = min(_WIDEST_STEP, 0.5 / eps)
    count = ceil(_REACH / eps / h)
    y = h * np.arange(-count, count + 1)
    return y, h * np.exp(-((eps * y) ** 2))


@kernel
def basis(log_omega, log_tau, y, weight, real, imaginary):
    """Fill A' and A'', shape (N, M). Equal u next to each other are computed once."""
    for n in range(log_omega.size):
        for m in range(log_tau.size):
            u = log_omega[n] + log_tau[m]
            if n > 0 and m > 0:
                before = log_omega[n - 1] + log_tau[m - 1]
                if abs(u - before) < 1e-12:  # both grids are uniform: Toeplitz
                    real[n, m] = real[n - 1, m - 1]
                    imaginary[n, m] = imaginary[n - 1, m - 1]
                    continue
            a = b = 0.0
            for k in range(y.size):
                v = u + y[k]
                a += weight[k] * (1.0 - tanh(v))
                b += weight[k] * (1.0 / cosh(v) if abs(v) < 700.0 else 0.0)
            real[n, m], imaginary[n, m] = 0.5 * a, -0.5 * b


@kernel
def penalty(log_tau, eps, order, out):
    """Fill M, shape (M, M)."""
    scale = eps * sqrt(0.5 * pi)
    for i in range(log_tau.size):
        for j in range(log_tau.size):
            a = eps * (log_tau[i] - log_tau[j])
            a2 = a * a
            bell = exp(-0.5 * a2)
            if order == 1:
                out[i, j] = scale * (1.0 - a2) * bell
            else:
                out[i, j] = scale * eps * eps * (3.0 - 6.0 * a2 + a2 * a2) * bell
