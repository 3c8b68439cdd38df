"""All that the cycles of one cell say: life, fade, efficiency, rates, drift."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from equipoise.analysis.check_ups import check_ups
from equipoise.analysis.rate import RateRecovery, rate_recovery, rate_table
from equipoise.analysis.retention import (
    CycleLife,
    EfficiencyStatistics,
    FadeRate,
    cycle_life,
    efficiency_statistics,
    fade_rate,
)
from equipoise.analysis.three_electrode import ThreeElectrode, three_electrode
from equipoise.core.errors import DataError, EquipoiseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

    from equipoise.analysis.retention import Reference
    from equipoise.study.measured_cell import CellData

Found = TypeVar("Found")
POTENTIALS = ("positive_electrode_potential_volt", "negative_electrode_potential_volt")


@dataclass(frozen=True, slots=True)
class CellStatistics:
    """What was computed, and why the rest was not.

    Attributes
    ----------
    life, fade, efficiency, rates, recovery, check_ups, electrodes
        None where the cycles do not allow it.
    reasons
        Name of what is missing -> why.
    """

    life: CycleLife | None
    fade: FadeRate | None
    efficiency: EfficiencyStatistics | None
    rates: pl.DataFrame | None
    recovery: RateRecovery | None
    check_ups: pl.DataFrame | None
    electrodes: ThreeElectrode | None
    reasons: Mapping[str, str]

    def as_dict(self) -> dict[str, object]:
        """Fit for JSON."""
        single = {
            "life": self.life,
            "fade": self.fade,
            "efficiency": self.efficiency,
            "recovery": self.recovery,
        }
        content: dict[str, object] = {
            name: None if found is None else asdict(found)
            for name, found in single.items()
        }
        if self.life is not None:
            content["life_rule"] = self.life.rule
        content["rates"] = None if self.rates is None else self.rates.to_dicts()
        content["check_ups"] = (
            None if self.check_ups is None else self.check_ups.to_dicts()
        )
        content["electrode_drift"] = (
            None if self.electrodes is None else self.electrodes.drift.to_dicts()
        )
        content["electrode_notes"] = (
            [] if self.electrodes is None else list(self.electrodes.notes)
        )
        content["reasons"] = dict(self.reasons)
        return content


def cell_statistics(
    data: CellData,
    *,
    threshold_retention: float = 0.8,
    reference: Reference = "auto",
    consecutive_count: int = 3,
) -> CellStatistics:
    """Compute everything that the cycles of a cell allow.

    Parameters
    ----------
    threshold_retention, reference, consecutive_count
        As in `analysis.retention.cycle_life`.

    Raises
    ------
    SpecError
        If one of them is not what it may be.
    """
    cycles = data.cycles
    reasons: dict[str, str] = {}

    def tried(name: str, compute: Callable[[], Found]) -> Found | None:
        try:
            return compute()
        except DataError as error:
            reasons[name] = error.message
            return None

    rates = tried("rates", lambda: rate_table(cycles))
    ageing = _ageing_cycles(cycles)
    return CellStatistics(
        life=tried(
            "life",
            lambda: cycle_life(
                cycles,
                threshold_retention=threshold_retention,
                reference=reference,
                consecutive_count=consecutive_count,
            ),
        ),
        fade=tried("fade", lambda: fade_rate(cycles, reference=reference)),
        efficiency=tried("efficiency", lambda: efficiency_statistics(cycles)),
        rates=rates,
        recovery=None
        if rates is None
        else tried("recovery", lambda: rate_recovery(rates)),
        check_ups=tried("check_ups", lambda: check_ups(cycles)),
        electrodes=_electrodes(data, ageing, reasons),
        reasons=reasons,
    )


def _electrodes(
    data: CellData, ageing: list[int], reasons: dict[str, str]
) -> ThreeElectrode | None:
    """End potentials; their drift only over like cycles, for they go with the rate."""
    if data.table is None or not all(p in data.table.columns for p in POTENTIALS):
        reasons["electrodes"] = "there are no potentials of the two electrodes"
        return None
    try:
        found = three_electrode(data.table, record=data.record, cycles=ageing or None)
    except EquipoiseError as error:
        reasons["electrodes"] = error.message
        return None
    if len(ageing) > 1:
        return found
    reasons["electrode_drift"] = "there are no two ageing cycles to compare"
    return replace(found, drift=found.drift.clear(), notes=found.notes[:1])


def _ageing_cycles(cycles: pl.DataFrame) -> list[int]:
    import polars as pl

    return cycles.filter(pl.col("cycle_kind") == "ageing")["cycle_count"].to_list()
