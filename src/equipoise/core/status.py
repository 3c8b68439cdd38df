"""Outcome codes of the kernels. The members carry the advice."""

from enum import IntEnum


class Status(IntEnum):
    """What a kernel found for one cell; 0 is success."""

    OK = 0
    CUTOFF_ABOVE_CURVES = 1
    CUTOFF_BELOW_CURVES = 2
    NOT_FINITE = 3
    NOTHING_TO_DISCHARGE = 4
    STEP_NOT_SOLVED = 5
    TOO_MANY_SUBSTEPS = 6
    TRACE_FULL = 7
    BEYOND_LITHIUM = 8
    WEAR_NOT_FINITE = 9

    def __str__(self) -> str:
        """The name, not the number."""
        return self.name

    @property
    def advice(self) -> str:
        """What a user can do about it."""
        return _ADVICE[self]


_ADVICE = {
    Status.OK: "",
    Status.CUTOFF_ABOVE_CURVES: (
        "the half-cell curves end before the cell reaches this voltage: lower "
        "the cut-off, or give curves measured over a wider range"
    ),
    Status.CUTOFF_BELOW_CURVES: (
        "the cell is already past this voltage where the curves begin: check the "
        "window, the direction of the curves and their reference electrode"
    ),
    Status.NOTHING_TO_DISCHARGE: (
        "when charged, the cell is already at its lower cut-off: raise the upper or "
        "lower the lower cut-off"
    ),
    Status.STEP_NOT_SOLVED: (
        "the equations of a step have no solution that can be found: a conductivity, "
        "a diffusivity or an exchange current may be absurdly small"
    ),
    Status.TOO_MANY_SUBSTEPS: (
        "the step did not end within the allowed number of substeps: give it a time "
        "or voltage limit, or loosen the tolerance"
    ),
    Status.TRACE_FULL: "more samples than the trace holds: trace fewer cycles",
    Status.BEYOND_LITHIUM: (
        "an electrode would have to hold less than no lithium, or more than it can: "
        "the window lies beyond what the electrodes can give; narrow it"
    ),
    Status.WEAR_NOT_FINITE: (
        "a mechanism's parameters explode: a film, a loss, a diffusion length or a "
        "side current grew beyond all numbers; check its rates, exponents and widths"
    ),
    Status.NOT_FINITE: "an input is NaN or infinite: check masses and fractions",
}
