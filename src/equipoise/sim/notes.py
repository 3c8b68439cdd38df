"""What a reader of a run should know: steps that ended at once, or by the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from equipoise.kernels.program import Ask, End, Mode, Reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from equipoise.protocol.expand import Program
    from equipoise.sim.lower import Lowered

AT_ONCE_SECOND = 1e-6


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
    by_limit = results[:, End.REASON] != float(Reason.TIME)
    at_once = flows & by_limit & (seconds < AT_ONCE_SECOND)
    never = ~by_limit & program.by_safety[step]
    notes: list[str] = []
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
    if lowered.bypass_coulomb > 0.0:
        taken = lowered.bypass_coulomb / 3.6 / lowered.positive_mass_g
        notes.append(
            f"the first {taken:.1f} mAh/g are consumed by the first lithiation of the "
            "negative"
        )
    return tuple(notes)


def _text(
    hit: NDArray[np.bool_], results: NDArray[np.float64], program: Program, what: str
) -> str:
    first = results[int(np.argmax(hit))]
    label = program.labels[int(first[End.STEP]) - 1]
    more = int(hit.sum()) - 1
    return f"cycle {int(first[End.CYCLE])}, {label}: the step {what}" + (
        f" (and {more} more)" if more else ""
    )
