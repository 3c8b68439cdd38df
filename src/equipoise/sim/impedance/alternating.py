"""What a cell is for alternating current, beyond its rates for direct current."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from equipoise.spec.kinetics import CellKinetics, ElectrodeKinetics


@dataclass(frozen=True, slots=True)
class Alternating:
    """Capacitances, inductance, and the arc of the separator.

    Attributes
    ----------
    positive_double_layer_uf_per_cm2, negative_double_layer_uf_per_cm2
        Per area of active interface.
    positive_film_uf_per_cm2, negative_film_uf_per_cm2
        The same, parallel to the film resistance.
    positive_separator_ohm, negative_separator_ohm
        Resistance of the separator from the electrode to the reference electrode.
    grain_boundary_fraction, grain_boundary_second
        Share of the separator's resistance that is an arc, and its time constant.
    positive_hysteresis, negative_hysteresis
        What the response of a hysteresis rests on, with its evidence, for notes.
    """

    positive_double_layer_uf_per_cm2: float = 0.0
    positive_film_uf_per_cm2: float = 0.0
    negative_double_layer_uf_per_cm2: float = 0.0
    negative_film_uf_per_cm2: float = 0.0
    inductance_henry: float = 0.0
    positive_separator_ohm: float = 0.0
    negative_separator_ohm: float = 0.0
    grain_boundary_fraction: float = 0.0
    grain_boundary_second: float = 0.0
    positive_hysteresis: str = ""
    negative_hysteresis: str = ""

    @classmethod
    def of(
        cls,
        rates: CellKinetics,
        positive: ElectrodeKinetics,
        negative: ElectrodeKinetics | None,
        separator_ohm: tuple[float, float],
    ) -> Alternating:
        """Those of a cell; without a negative where the counter electrode is ideal."""
        other = negative
        second = rates.separator_grain_boundary_second
        return cls(
            positive.double_layer_capacitance_uf_per_cm2.value,
            positive.film_capacitance_uf_per_cm2.value,
            0.0 if other is None else other.double_layer_capacitance_uf_per_cm2.value,
            0.0 if other is None else other.film_capacitance_uf_per_cm2.value,
            rates.inductance_henry.value,
            *separator_ohm,
            rates.separator_grain_boundary_fraction.value,
            0.0 if second is None else second.value,
            _hysteresis(positive),
            "" if other is None else _hysteresis(other),
        )


def _hysteresis(rates: ElectrodeKinetics) -> str:
    key, found = "hysteresis_capacity_mah_per_g", rates.hysteresis_capacity_mah_per_g
    if found is None:
        return f"the default of {key}, a thousandth of the lithium capacity (assumed)"
    return f"{key} = {found.value:g} ({found.evidence})"
