"""Outcome codes of the kernels. The members carry the advice."""

from enum import IntEnum


class Status(IntEnum):
    """What a kernel found for one cell; 0 is success."""

    OK = 0
    CUTOFF_ABOVE_CURVES = 1
    CUTOFF_BELOW_CURVES = 2
    NOT_FINITE = 3
    NOTHING_TO_DISCHARGE = 4

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
    Status.NOT_FINITE: "an input is NaN or infinite: check masses and fractions",
}
