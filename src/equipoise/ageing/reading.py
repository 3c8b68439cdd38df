"""What a mechanism may read at the end of a cycle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.constants import GAS_CONSTANT_J_PER_MOL_K, ZERO_CELSIUS_KELVIN
from equipoise.core.errors import SpecError
from equipoise.kernels.wear import swing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from equipoise.ageing.wear import Side

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Exposure:
    """A request: the time an interface spends at which potential.

    ``integral of exp((u - reference) / width) dt`` in s, per node, with u the local
    potential of the electrode against the electrolyte. `width_volt` None: plain time.
    Negative widths grow as the potential falls.
    """

    side: Side
    reference_vs_li_volt: float
    width_volt: float | None


@dataclass(frozen=True, slots=True)
class SideReaction:
    """A request: a current that takes no part in (de)lithiation.

    Attributes
    ----------
    at
        Electrode whose lithium it concerns; "both": a shuttle or a leak, which
        discharges the cell without moving one electrode against the other.
    current_ampere
        Of the whole cell, at the reference potential, > 0: on the positive an
        oxidation, on the negative a reduction, of something else than the electrode.
        Without a width: A per V of (potential - reference).
    reads
        Whose mean interface potential it depends on; "cell": their difference.
    """

    at: Side | str
    current_ampere: float
    reads: Side | str
    reference_vs_li_volt: float
    width_volt: float | None


@dataclass(frozen=True, slots=True, eq=False)
class ElectrodeReading:
    """One electrode over a cycle; arrays have shape (K,), as in `Wear`.

    Attributes
    ----------
    weight_fraction
        Share of the columns in the capacity as built; adds up to 1.
    lowest_fraction, highest_fraction
        Lithium fractions (mean of a particle) between which the cycle ran, seen at
        the ends of its steps.
    capacity_mah_per_g
        Between lithium fractions 0 and 1.
    active_mass_g
        As built.
    volume_percent
        Volume change against lithium fraction: table over [0, 1], percent of the
        volume as built, or None where the material has no data.
    h2h3_onset_fraction
        Lithium fraction below which the H2-H3 transition runs, at rest; nan: unknown.
    """

    weight_fraction: Array
    lowest_fraction: Array
    highest_fraction: Array
    capacity_mah_per_g: float
    active_mass_g: float
    volume_percent: Array | None = None
    h2h3_onset_fraction: float = math.nan

    @property
    def swing_fraction(self) -> Array:
        """How far the lithium fraction went within the cycle."""
        return self.highest_fraction - self.lowest_fraction

    def volume_at_percent(self, lithium_fraction: Array) -> Array:
        """Volume change at lithium fractions, percent; < 0 is contraction.

        Raises
        ------
        SpecError
            If the material has no volume data.
        """
        table = self._volume_table
        top = table.size - 1
        s = np.minimum(np.maximum(lithium_fraction, 0.0), 1.0) * top
        i = np.minimum(s.astype(np.int64), top - 1)
        low = table[i]
        return low + (s - i) * (table[i + 1] - low)

    def volume_swing_percent(
        self, lowest_fraction: Array, highest_fraction: Array
    ) -> Array:
        """How far the volume is apart at two lithium fractions, percent, >= 0.

        Raises
        ------
        SpecError
            If the material has no volume data.
        """
        out = np.empty(lowest_fraction.size)
        swing(self._volume_table, lowest_fraction, highest_fraction, out)
        return out

    @property
    def _volume_table(self) -> Array:
        if self.volume_percent is None:
            raise SpecError(
                "a mechanism asks for the volume change of an electrode whose material "
                "has no volume data",
                where="ageing",
                remedy="give the material volume_change data, or leave the mechanism "
                "out",
            )
        return self.volume_percent


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A cycle, as the mechanisms see it at its end.

    Attributes
    ----------
    duration_second
        Of the cycle.
    one_c_ampere
        Current of 1C.
    positive_side_coulomb, negative_side_coulomb
        Charge of side reactions in this cycle, > 0.
    exposures
        What was asked for, per column, s.
    """

    cycle_count: int
    duration_second: float
    temperature_celsius: float
    stack_pressure_mpa: float | None
    one_c_ampere: float
    positive: ElectrodeReading
    negative: ElectrodeReading
    positive_side_coulomb: float
    negative_side_coulomb: float
    exposures: Mapping[Exposure, Array]

    def of(self, side: Side) -> ElectrodeReading:
        """One electrode."""
        return self.positive if side == "positive" else self.negative


def warming_ratio(
    energy_kj_per_mol: float, temperature_celsius: float, reference_celsius: float
) -> float:
    """Arrhenius factor from the reference temperature to another one."""
    inverse = 1.0 / (temperature_celsius + ZERO_CELSIUS_KELVIN) - 1.0 / (
        reference_celsius + ZERO_CELSIUS_KELVIN
    )
    return math.exp(-energy_kj_per_mol * 1e3 / GAS_CONSTANT_J_PER_MOL_K * inverse)
