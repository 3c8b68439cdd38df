"""Open-circuit curves as uniform tables, and the two directions of a material."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.core.errors import SpecError
from equipoise.kernels.table import lookup, lookup_held, lookup_integral
from equipoise.spec.pchip import pchip

if TYPE_CHECKING:
    from collections.abc import Callable

    from equipoise.spec.material import Axis
    from equipoise.spec.treatment import Treatment

Array = NDArray[np.float64]
NODES = 8193
"""Nodes of a table: 0.03 mAh/g for an NCM, far below the spacing of any data."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One open-circuit curve on a uniform grid of its capacity axis.

    Rising for a "delithiated" axis, falling for a "lithiated" one. Beyond the
    table it goes on with the end slope; `measured_from/to` say what was measured.

    Attributes
    ----------
    axis
        What the capacity counts: lithium taken out ("delithiated") or in.
    start_mah_per_g, step_mah_per_g
        First node and spacing.
    potential_vs_li_volt
        Values at the nodes, shape (n,).
    """

    axis: Axis
    start_mah_per_g: float
    step_mah_per_g: float
    potential_vs_li_volt: Array
    measured_from_mah_per_g: float
    measured_to_mah_per_g: float
    slope_volt_g_per_mah: Array = field(repr=False)
    integral_volt_mah_per_g: Array = field(repr=False)

    @classmethod
    def sampled(
        cls,
        function: Callable[[Array], Array],
        start_mah_per_g: float,
        stop_mah_per_g: float,
        *,
        axis: Axis,
        measured_mah_per_g: tuple[float, float] | None = None,
        nodes: int = NODES,
    ) -> Curve:
        """Sample a function of the capacity, shape (n,) -> (n,), on a uniform grid.

        Raises
        ------
        SpecError
            If the curve is not finite, or runs against its axis.
        """
        x = np.linspace(start_mah_per_g, stop_mah_per_g, nodes)
        u = np.ascontiguousarray(function(x), dtype=np.float64)
        if not np.isfinite(u).all():
            raise SpecError("the curve is not finite over its whole range")
        step = float(x[1] - x[0])
        sign = 1.0 if axis == "delithiated" else -1.0
        against = float(np.min(np.diff(u) * sign))
        if against < -1e-9:
            raise SpecError(
                f"the potential must {'rise' if sign > 0 else 'fall'} with the "
                f"{axis} capacity; it runs the other way by {-against * 1e3:.3g} mV "
                "between neighbouring nodes",
                remedy="check the declared direction, or let the treatment of "
                "measured curves make it monotone",
            )
        cumulative = np.concatenate(([0.0], np.cumsum(0.5 * step * (u[1:] + u[:-1]))))
        return cls(
            axis,
            float(x[0]),
            step,
            u,
            *(measured_mah_per_g or (float(x[0]), float(x[-1]))),
            np.gradient(u, step),
            cumulative,
        )

    @classmethod
    def through(
        cls,
        capacity_mah_per_g: ArrayLike,
        potential_vs_li_volt: ArrayLike,
        *,
        axis: Axis,
        measured_mah_per_g: tuple[float, float] | None = None,
    ) -> Curve:
        """Monotone cubic through knots; the capacity rises strictly."""
        x = np.asarray(capacity_mah_per_g, dtype=np.float64)
        u = np.asarray(potential_vs_li_volt, dtype=np.float64)
        return cls.sampled(
            lambda at: pchip(x, u, at),
            float(x[0]),
            float(x[-1]),
            axis=axis,
            measured_mah_per_g=measured_mah_per_g,
        )

    @property
    def stop_mah_per_g(self) -> float:
        """Capacity of the last node."""
        return self.start_mah_per_g + self.step_mah_per_g * (
            self.potential_vs_li_volt.size - 1
        )

    @property
    def capacity_mah_per_g(self) -> Array:
        """Capacity at the nodes, shape (n,)."""
        return np.linspace(
            self.start_mah_per_g, self.stop_mah_per_g, self.potential_vs_li_volt.size
        )

    def potential(self, capacity_mah_per_g: ArrayLike) -> Array:
        """Potential vs Li+/Li, volt, at capacities of any shape; NaN stays NaN."""
        return self._looked_up(lookup, (self.potential_vs_li_volt,), capacity_mah_per_g)

    def slope(self, capacity_mah_per_g: ArrayLike) -> Array:
        """dU/d(capacity), V per (mAh/g); the end slope beyond the table."""
        return self._looked_up(
            lookup_held, (self.slope_volt_g_per_mah,), capacity_mah_per_g
        )

    def smooth_slope(
        self, capacity_mah_per_g: ArrayLike, *, width_mah_per_g: float
    ) -> Array:
        """`slope` after a Gaussian whose standard deviation is the width.

        For differential capacities of measured curves, whose slope has kinks at
        the knots. A width of 0 is `slope` itself.
        """
        if width_mah_per_g <= 0.0:
            return self.slope(capacity_mah_per_g)
        table = _smoothed(self, width_mah_per_g)
        return self._looked_up(lookup_held, (table,), capacity_mah_per_g)

    def integral(self, capacity_mah_per_g: ArrayLike) -> Array:
        """Integral of U over the capacity from the first node, V mAh/g (= mWh/g)."""
        tables = (self.potential_vs_li_volt, self.integral_volt_mah_per_g)
        return self._looked_up(lookup_integral, tables, capacity_mah_per_g)

    def _looked_up(
        self, kernel: Callable[..., None], tables: tuple[Array, ...], at: ArrayLike
    ) -> Array:
        x = np.ascontiguousarray(at, dtype=np.float64)
        out = np.empty(x.size)
        kernel(*tables, self.start_mah_per_g, 1.0 / self.step_mah_per_g, x.ravel(), out)
        return out.reshape(np.shape(at))

    def capacity_at(self, potential_vs_li_volt: ArrayLike) -> Array:
        """Capacity where the curve passes a potential; the table's ends beyond it."""
        u, x = self.potential_vs_li_volt, self.capacity_mah_per_g
        if self.axis == "lithiated":
            u, x = u[::-1], x[::-1]
        return np.interp(np.asarray(potential_vs_li_volt, np.float64), u, x)

    def beyond_mah_per_g(self, capacity_mah_per_g: ArrayLike) -> Array:
        """By how much capacities lie outside the measured range; 0 inside."""
        x = np.asarray(capacity_mah_per_g, dtype=np.float64)
        low, high = self.measured_from_mah_per_g, self.measured_to_mah_per_g
        return np.maximum(np.maximum(low - x, x - high), 0.0)

    def stretched(
        self, new_start_mah_per_g: float, *, at_vs_li_volt: float | None = None
    ) -> Curve:
        """Squeeze the capacity axis so that it begins at a new start, same end.

        Models a discharge that ends early because the last lithium does not
        return (kinetic lock): every potential keeps its share of the way. The new
        start lies where the curve passes `at_vs_li_volt`; default: where its
        measured part begins.
        """
        old, stop = self.measured_from_mah_per_g, self.stop_mah_per_g
        if at_vs_li_volt is not None:
            old = float(self.capacity_at(at_vs_li_volt))
        if not new_start_mah_per_g < stop:
            raise SpecError(
                f"a locked capacity of {new_start_mah_per_g:g} mAh/g leaves nothing "
                f"of a curve that ends at {stop:g} mAh/g",
                remedy="locked_capacity_mah_per_g is a loss, typically 10-30 mAh/g",
            )
        k = (stop - new_start_mah_per_g) / (stop - old)
        return replace(
            self,
            start_mah_per_g=stop - k * (stop - self.start_mah_per_g),
            step_mah_per_g=k * self.step_mah_per_g,
            measured_from_mah_per_g=stop - k * (stop - self.measured_from_mah_per_g),
            measured_to_mah_per_g=stop - k * (stop - self.measured_to_mah_per_g),
            slope_volt_g_per_mah=self.slope_volt_g_per_mah / k,
            integral_volt_mah_per_g=self.integral_volt_mah_per_g * k,
        )


@lru_cache(maxsize=64)
def _smoothed(curve: Curve, width_mah_per_g: float) -> Array:
    """Slope table after a Gaussian; the ends are held."""
    reach = max(1, round(4.0 * width_mah_per_g / curve.step_mah_per_g))
    offsets = np.arange(-reach, reach + 1) * curve.step_mah_per_g
    weights = np.exp(-0.5 * (offsets / width_mah_per_g) ** 2)
    padded = np.pad(curve.slope_volt_g_per_mah, reach, mode="edge")
    smooth = np.convolve(padded, weights / weights.sum(), mode="valid")
    return np.asarray(smooth, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class HalfCell:
    """The two directions of one electrode material, on one axis.

    `delithiation` is followed when lithium leaves the material (charging a
    positive), `lithiation` when it enters. Without hysteresis they are the same.
    """

    name: str
    delithiation: Curve
    lithiation: Curve
    source: str
    evidence: str
    treatments: tuple[Treatment, ...] = ()

    @property
    def axis(self) -> Axis:
        """What the capacity axis counts."""
        return self.delithiation.axis

    @property
    def branches(self) -> dict[str, Curve]:
        """The different branches by direction; one if it stands for both."""
        if self.has_hysteresis:
            return {"delithiation": self.delithiation, "lithiation": self.lithiation}
        measured = [t.direction for t in self.treatments] or ["delithiation"]
        return {measured[0]: self.delithiation}

    @property
    def has_hysteresis(self) -> bool:
        """Whether the two directions differ."""
        return self.delithiation is not self.lithiation
