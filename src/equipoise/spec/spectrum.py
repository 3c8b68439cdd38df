"""An impedance spectrum: what readers give, the simulation gives, analyses take."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Spectrum:
    """Impedance over frequency, from the highest frequency to the lowest.

    Attributes
    ----------
    frequency_hertz
        Shape (N,), falling; repeated frequencies are kept, each is a measurement.
    impedance_ohm
        Shape (N,), complex, of the whole cell; a capacitance has Im Z < 0.
    area_cm2
        Geometric area for area-specific results; None: not known.
    name
        Label of figures and tables.
    where
        How messages name the file, or the simulation.
    notes
        What was found and changed on the way: sorted, scaled, turned.

    Notes
    -----
    Make one with `Spectrum.of`, which checks and sorts. The arrays are read-only.
    """

    frequency_hertz: Array
    impedance_ohm: ComplexArray
    area_cm2: float | None = None
    name: str = ""
    where: str = ""
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        frequency_hertz: ArrayLike,
        impedance_ohm: ArrayLike,
        *,
        area_cm2: float | None = None,
        name: str = "",
        where: str = "",
        notes: tuple[str, ...] = (),
    ) -> Self:
        """Check and sort a spectrum.

        Parameters
        ----------
        frequency_hertz
            Shape (N,), > 0, in any order.
        impedance_ohm
            Shape (N,), complex, in the same order.

        Raises
        ------
        DataError
            If lengths differ, nothing is there, a frequency is not > 0, a value is
            not finite, or the area is not > 0.
        """
        label = where or name or "spectrum"
        try:
            if np.iscomplexobj(frequency_hertz):
                msg = "complex frequencies"
                raise TypeError(msg)
            frequency = np.atleast_1d(np.array(frequency_hertz, dtype=np.float64))
            impedance = np.atleast_1d(np.array(impedance_ohm, dtype=np.complex128))
        except (TypeError, ValueError) as error:
            raise DataError(
                f"frequency or impedance is not made of numbers ({error})",
                where=label,
                remedy="give real frequencies in Hz and complex impedances in ohm",
            ) from None
        _check(frequency, impedance, label)
        if area_cm2 is not None and not _is_area(area_cm2):
            raise DataError(
                f"area_cm2 = {area_cm2!r} must be a number > 0 and finite",
                where=label,
                remedy="give the geometric area of the electrode in cm2",
            )
        steps = np.sign(np.diff(frequency))
        order = np.argsort(-frequency, kind="stable")
        said = list(notes)
        if steps.size and steps.min() < 0.0 < steps.max():
            said.append(
                "the frequencies were in no order and have been sorted; if the "
                "spectrum was swept up and down, the halves may differ by drift"
            )
        repeated = int(frequency.size - np.unique(frequency).size)
        if repeated:
            verb = "is" if repeated == 1 else "are"
            said.append(f"{repeated} of the points {verb} at a repeated frequency")
        frequency, impedance = frequency[order], impedance[order]
        frequency.flags.writeable = impedance.flags.writeable = False
        return cls(frequency, impedance, area_cm2, name, where, tuple(said))

    def __repr__(self) -> str:
        """Name, number of points and range."""
        f = self.frequency_hertz
        return (
            f"<Spectrum {self.name or self.where}: {f.size} points, "
            f"{f[0]:.4g} to {f[-1]:.4g} Hz>"
        )

    @property
    def points_count(self) -> int:
        """Number of points."""
        return int(self.frequency_hertz.size)

    @property
    def angular_frequency(self) -> Array:
        """2 pi f, rad/s, shape (N,)."""
        return 2.0 * math.pi * self.frequency_hertz

    @property
    def label(self) -> str:
        """How messages name it."""
        return self.where or self.name or "spectrum"

    @property
    def decades_count(self) -> float:
        """How many decades of frequency it covers."""
        f = self.frequency_hertz
        return float(np.log10(f[0]) - np.log10(f[-1]))

    def between(self, lowest_hertz: float, highest_hertz: float) -> Spectrum:
        """Only the points within a range of frequency, ends included.

        Raises
        ------
        DataError
            If no point lies in the range.
        """
        f = self.frequency_hertz
        # a frequency printed with six digits still belongs to its decade
        inside = (f >= lowest_hertz * (1.0 - 1e-6)) & (f <= highest_hertz * (1 + 1e-6))
        if not inside.any():
            raise DataError(
                f"no point between {lowest_hertz:g} and {highest_hertz:g} Hz",
                where=self.label,
                remedy=f"the spectrum covers {f[-1]:g} to {f[0]:g} Hz",
            )
        return self.only(inside)

    def only(self, points: NDArray[np.bool_]) -> Spectrum:
        """Only the chosen points; `points` has shape (N,).

        Raises
        ------
        DataError
            If none is chosen.
        """
        if not points.any():
            raise DataError(
                "no point of the spectrum is left",
                where=self.label,
                remedy="choose at least one",
            )
        frequency = self.frequency_hertz[points]
        impedance = self.impedance_ohm[points]
        frequency.flags.writeable = impedance.flags.writeable = False
        return replace(self, frequency_hertz=frequency, impedance_ohm=impedance)

    def minus(self, impedance_ohm: ComplexArray) -> Spectrum:
        """What is left after an impedance in series, shape (N,), is taken off."""
        left = self.impedance_ohm - impedance_ohm
        left.flags.writeable = False
        return replace(self, impedance_ohm=left)

    def with_area(self, area_cm2: float | None) -> Spectrum:
        """The same with another geometric area."""
        return Spectrum.of(
            self.frequency_hertz,
            self.impedance_ohm,
            area_cm2=area_cm2,
            name=self.name,
            where=self.where,
            notes=tuple(n for n in self.notes if "repeated frequency" not in n),
        )

    def require_points(self, least_count: int, needed_for: str) -> None:
        """Refuse a spectrum with too few points.

        Raises
        ------
        DataError
            If there are fewer than `least_count` different frequencies.
        """
        found = int(np.unique(self.frequency_hertz).size)
        if found < least_count:
            raise DataError(
                f"{found} frequencies; {needed_for} needs at least {least_count}",
                where=self.label,
                remedy="measure more points per decade, or a wider range",
            )


def _is_area(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, float | int):
        return False
    return value > 0.0 and math.isfinite(value)


def _check(frequency: Array, impedance: ComplexArray, where: str) -> None:
    if frequency.ndim != 1 or frequency.shape != impedance.shape:
        raise DataError(
            f"frequencies of shape {frequency.shape}, impedances of shape "
            f"{impedance.shape}",
            where=where,
            remedy="give two lists of one length",
        )
    if frequency.size == 0:
        raise DataError(
            "there is no point in this spectrum",
            where=where,
            remedy="check that the file holds an impedance measurement",
        )
    bad = ~np.isfinite(frequency) | ~np.isfinite(impedance)
    if bad.any():
        first = int(np.argmax(bad))
        raise DataError(
            f"point {first + 1} is not a number: f = {frequency[first]:g} Hz, "
            f"Z = {impedance[first]:g} ohm ({int(bad.sum())} such points)",
            where=where,
            remedy="remove these points from the file",
        )
    if frequency.min() <= 0.0:
        first = int(np.argmin(frequency > 0.0))
        raise DataError(
            f"point {first + 1} has the frequency {frequency[first]:g} Hz; "
            "frequencies are > 0",
            where=where,
            remedy="a direct-current point belongs elsewhere; check that the column "
            "is the frequency, in Hz, not its logarithm",
        )
