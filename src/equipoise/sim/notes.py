"""What a reader of a run should know: steps that ended at once, or by the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from equipoise.kernels.program import Ask, End, Mode, Reason
from equipoise.sim.tables import AT_ONCE_SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from equipoise.protocol.expand import Program
    from equipoise.sim.impedance.cell_impedance import CellImpedance
    from equipoise.sim.lower import Lowered

BEYOND_FRACTION = 0.003
"""Use outside a curve that is worth a note: 0.8 mAh/g of an NCM."""
SURFACE_BEYOND_FRACTION = 0.02
"""The same at a surface, which runs ahead at every end of discharge."""


def notes_of(
    results: NDArray[np.float64], program: Program, lowered: Lowered
) -> tuple[str, ...]:
    """Notes on finished steps, the first of each kind with how many follow.

    Parameters
    ----------
    results
        Shape (S, len(End)).
    """
    if results.shape[0] == 0:
        return ()
    step = results[:, End.STEP].astype(int) - 1
    ask = program.steps[step]
    seconds = results[:, End.END_SECOND] - results[:, End.START_SECOND]
    flows = (ask[:, Ask.MODE] == float(Mode.CURRENT)) & (ask[:, Ask.VALUE] != 0.0)
    reason = results[:, End.REASON]
    by_clock = reason == float(Reason.TIME)
    failed = reason == float(Reason.FAILED)
    at_once = flows & ~by_clock & ~failed & (seconds < AT_ONCE_SECOND)
    never = by_clock & program.by_safety[step]
    notes: list[str] = [*lowered.notes]
    if at_once.any():
        notes.append(
            _text(
                at_once,
                results,
                program,
                "was at its cut-off from the first moment and passed no charge",
            )
        )
    if never.any():
        notes.append(
            _text(never, results, program, "met no limit and was ended by the clock")
        )
    notes += _beyond(results, lowered)
    lowest = int(np.argmin(results[:, End.NEGATIVE_VOLT]))
    if results[lowest, End.NEGATIVE_VOLT] < 0.0:
        notes.append(
            f"cycle {int(results[lowest, End.CYCLE])}: the negative ends at "
            f"{results[lowest, End.NEGATIVE_VOLT]:.3f} V vs Li+/Li; below 0 V lithium "
            "is plated, which is not simulated"
        )
    if lowered.bypass_coulomb > 0.0:
        taken = lowered.bypass_coulomb / 3.6 / lowered.positive_mass_g
        notes.append(
            f"the first {taken:.1f} mAh/g are consumed by the first lithiation of the "
            "negative"
        )
    return tuple(notes)


def notes_of_spectra(impedances: Sequence[CellImpedance]) -> tuple[str, ...]:
    """Notes on the states that were measured, of the first spectrum that has some."""
    told = [found for found in impedances if found.notes]
    if not told:
        return ()
    more = f" (and {len(told) - 1} more spectra with notes)" if len(told) > 1 else ""
    return tuple(f"{told[0].name}: {note}{more}" for note in told[0].notes)


def _beyond(results: NDArray[np.float64], lowered: Lowered) -> list[str]:
    """Notes on electrodes that were used where their curves are only extended."""
    found: list[str] = []
    seconds = results[:, End.END_SECOND] - results[:, End.START_SECOND]
    moved = seconds > AT_ONCE_SECOND  # the state as built is no use of a curve
    for side, covered, mean, surface in (
        (
            "positive",
            lowered.positive_covered_fraction,
            End.POSITIVE_LITHIATION,
            End.POSITIVE_SURFACE_LITHIATION,
        ),
        (
            "negative",
            lowered.negative_covered_fraction,
            End.NEGATIVE_LITHIATION,
            End.NEGATIVE_SURFACE_LITHIATION,
        ),
    ):
        for where, column, most in (
            ("", mean, BEYOND_FRACTION),
            (" at its surface", surface, SURFACE_BEYOND_FRACTION),
        ):
            x = results[moved, column]
            if x.size == 0 or not np.isfinite(x).all():
                continue
            beyond = np.maximum(covered[0] - x, x - covered[1])
            worst = int(np.argmax(beyond))
            if beyond[worst] > most:
                cycle = int(results[moved, End.CYCLE][worst])
                found.append(
                    f"cycle {cycle}: the {side} electrode is "
                    f"used outside its curve, with a lithium fraction of "
                    f"{x[worst]:.3f}{where}; the curve covers {covered[0]:.3f} to "
                    f"{covered[1]:.3f}"
                )
                break
    return found


def _text(
    hit: NDArray[np.bool_], results: NDArray[np.float64], program: Program, what: str
) -> str:
    first = results[int(np.argmax(hit))]
    label = program.labels[int(first[End.STEP]) - 1]
    more = int(hit.sum()) - 1
    return f"cycle {int(first[End.CYCLE])}, {label}: the step {what}" + (
        f" (and {more} more)" if more else ""
    )
