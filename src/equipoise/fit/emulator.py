"""A fast stand-in for a slow model: one Gaussian process per output.

``y(x) = linear(x) + g(x) + scatter``: a straight-line part with a vague prior, a smooth
deviation with a length per input (squared-exponential covariance), and scatter of its
own, so that the noise which step control or cycle jumps leave in a number is not taken
for a slope. Lengths, amplitude and scatter maximise the marginal likelihood.

References
----------
Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), eqs. 2.25, 5.9,
5.1 (likelihood and its gradient), 5.12 (leave-one-out error), sec. 2.7 (linear part).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import SpecError

Array = NDArray[np.float64]
_LINEAR_VARIANCE = 9.0  # of a slope: outputs scaled to 1, inputs to their width
_LENGTH = (1.1, 1.0)  # mean and SD of ln(length over the width of an input)
_SCATTER = (1e-4, 0.5)  # least and most, outputs scaled to 1
_MOST_ITERATIONS = 30


@dataclass(frozen=True, slots=True, eq=False)
class _Process:
    """One output: settings and what prediction needs."""

    hyper: Array  # ln amplitude, ln scatter, ln lengths
    mean: float
    scale: float
    solved: Array  # K^-1 y
    slope: Array
    left_out: Array  # predicted without the point itself, minus the point


@dataclass(frozen=True, slots=True, eq=False)
class Emulator:
    """Gaussian processes over the same inputs.

    Attributes
    ----------
    inputs
        Shape (points, n), centred and over `width`.
    """

    inputs: Array
    centre: Array
    width: Array
    processes: tuple[_Process, ...]

    @classmethod
    def fit(
        cls,
        inputs: Array,
        outputs: Array,
        width: Array,
        *,
        before: Emulator | None = None,
    ) -> Emulator:
        """Learn outputs of shape (points, m) at inputs of shape (points, n).

        Parameters
        ----------
        width
            Scale of each input, shape (n,), such as the width of its prior.
        before
            An emulator of the same outputs; its settings are where the search starts.

        Raises
        ------
        SpecError
            If shapes do not fit, a number is not finite, or there are fewer than
            three points.
        """
        if inputs.ndim != 2 or outputs.ndim != 2 or len(inputs) != len(outputs):
            raise SpecError(
                f"inputs have shape {inputs.shape}, outputs {outputs.shape}",
                remedy="give (points, n) and (points, m)",
            )
        if len(inputs) < 3 or not (
            np.all(np.isfinite(inputs)) and np.all(np.isfinite(outputs))
        ):
            raise SpecError(
                f"{len(inputs)} points to learn from, or some not finite",
                remedy="at least three points, all finite, are needed",
            )
        centre = inputs.mean(axis=0)
        scaled = (inputs - centre) / width
        found: list[_Process] = []
        for k, column in enumerate(outputs.T):
            start = None if before is None else before.processes[k].hyper
            found.append(_learn(scaled, column, start))
        return cls(scaled, centre, np.asarray(width, np.float64), tuple(found))

    def predict(self, points: Array) -> Array:
        """Outputs at points of shape (k, n); shape (k, m)."""
        x = (points - self.centre) / self.width
        out = np.empty((x.shape[0], len(self.processes)))
        for k, p in enumerate(self.processes):
            smooth = np.exp(2.0 * p.hyper[0]) * _smooth(x, self.inputs, p.hyper)
            value = smooth @ p.solved + x @ p.slope + _LINEAR_VARIANCE * p.solved.sum()
            out[:, k] = p.mean + p.scale * value
        return out

    def left_out_error(self) -> Array:
        """Root mean square of the leave-one-out errors, shape (m,)."""
        return np.array(
            [np.sqrt(np.mean(np.square(p.left_out))) for p in self.processes]
        )


def _smooth(x: Array, y: Array, hyper: Array) -> Array:
    """Squared-exponential correlation, shape (len(x), len(y))."""
    length = np.exp(hyper[2:])
    a, b = x / length, y / length
    square = np.sum(a * a, 1)[:, None] + np.sum(b * b, 1)[None, :] - 2.0 * (a @ b.T)
    return np.exp(-0.5 * np.maximum(square, 0.0))


def _learn(x: Array, column: Array, start: Array | None) -> _Process:
    from scipy.linalg import cho_factor, cho_solve
    from scipy.optimize import minimize

    mean, scale = float(column.mean()), float(column.std())
    scale = scale if scale > 1e-12 * (1.0 + abs(mean)) else 1.0
    y = (column - mean) / scale
    linear = _LINEAR_VARIANCE * (1.0 + x @ x.T)
    if start is None:
        start = np.concatenate([[-0.7, -3.0], np.full(x.shape[1], _LENGTH[0])])
    bounds = [(-4.0, 2.0), tuple(np.log(_SCATTER))] + [(-1.5, 5.0)] * x.shape[1]
    found = minimize(
        _misfit,
        start,
        args=(x, y, linear),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": _MOST_ITERATIONS},
    )
    hyper = np.asarray(found.x, np.float64)
    factor = cho_factor(_covariance(hyper, x, linear)[0], lower=True)
    inverse = np.asarray(cho_solve(factor, np.eye(y.size)), np.float64)
    solved = inverse @ y
    left_out = scale * solved / np.diag(inverse)
    slope = _LINEAR_VARIANCE * (solved @ x)
    return _Process(hyper, mean, scale, solved, slope, left_out)


def _covariance(hyper: Array, x: Array, linear: Array) -> tuple[Array, Array]:
    smooth = np.exp(2.0 * hyper[0]) * _smooth(x, x, hyper)
    whole = linear + smooth
    whole[np.diag_indices_from(whole)] += np.exp(2.0 * hyper[1])
    return whole, smooth


def _misfit(hyper: Array, x: Array, y: Array, linear: Array) -> tuple[float, Array]:
    """Minus the logarithm of the marginal likelihood (with priors), and its slope."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    whole, smooth = _covariance(hyper, x, linear)
    try:
        factor = cho_factor(whole, lower=True)
    except LinAlgError:
        return 1e25, np.zeros_like(hyper)
    inverse = np.asarray(cho_solve(factor, np.eye(y.size)), np.float64)
    solved = inverse @ y
    off = (hyper[2:] - _LENGTH[0]) / _LENGTH[1]
    value = 0.5 * y @ solved + np.sum(np.log(np.diag(factor[0]))) + 0.5 * off @ off
    pull = inverse - np.outer(solved, solved)  # twice the slope by each entry of K
    weighted = pull * smooth
    slope = np.empty_like(hyper)
    slope[0] = np.sum(weighted)
    slope[1] = np.trace(pull) * np.exp(2.0 * hyper[1])
    square = np.square(x).T @ weighted.sum(axis=1) - np.einsum(
        "ij,ij->j", x, weighted @ x
    )
    slope[2:] = square * np.exp(-2.0 * hyper[2:]) + off / _LENGTH[1]
    return float(value), slope
