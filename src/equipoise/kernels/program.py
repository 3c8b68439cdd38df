"""Columns of the arrays that a simulation reads (its program) and writes.

One row of the program is one step; everything is SI and of the whole cell. A limit
that does not exist is +inf or -inf. Currents: charge > 0.
"""

from enum import IntEnum


class Mode(IntEnum):
    """What a step holds constant."""

    CURRENT = 0
    VOLTAGE = 1
    IMPEDANCE = 2  # nothing: measured between the steps, takes no time


class Ask(IntEnum):
    """Columns of the program, shape (steps, len(Ask))."""

    MODE = 0
    VALUE = 1  # ampere, or volt for Mode.VOLTAGE
    UPPER_VOLT = 2
    LOWER_VOLT = 3
    POSITIVE_UPPER_VOLT = 4  # potential of the positive vs Li+/Li
    POSITIVE_LOWER_VOLT = 5
    NEGATIVE_UPPER_VOLT = 6
    NEGATIVE_LOWER_VOLT = 7
    LEAST_AMPERE = 8  # ends a hold when |I| has fallen to it; -inf: never
    MOST_COULOMB = 9  # |charge| passed in this step
    MOST_SECOND = 10
    CYCLE = 11  # counts from 1
    STEP = 12  # counts from 1 over the protocol as written out


class Reason(IntEnum):
    """Why a step ended."""

    TIME = 0
    VOLTAGE = 1
    POSITIVE_POTENTIAL = 2
    NEGATIVE_POTENTIAL = 3
    CURRENT = 4
    CAPACITY = 5
    FAILED = 6  # the status of the run says why
    MEASURED = 7  # an impedance


class End(IntEnum):
    """Columns of the step results, shape (steps, len(End))."""

    CYCLE = 0
    STEP = 1
    REASON = 2
    START_SECOND = 3
    END_SECOND = 4
    COULOMB = 5  # signed, charge > 0
    JOULE = 6  # signed, charge > 0
    AMPERE = 7  # at the end
    VOLT = 8
    POSITIVE_VOLT = 9  # vs Li+/Li at the reference electrode
    NEGATIVE_VOLT = 10
    POSITIVE_LITHIATION = 11  # mean lithium fraction of the active material
    NEGATIVE_LITHIATION = 12
    POSITIVE_SURFACE_LITHIATION = 13  # of the node next to the separator
    NEGATIVE_SURFACE_LITHIATION = 14
    SUBSTEPS = 15
    POSITIVE_SIDE_COULOMB = 16  # of side reactions, > 0: did not delithiate
    NEGATIVE_SIDE_COULOMB = 17  # > 0: did not lithiate


class Sample(IntEnum):
    """Columns of the trace, shape (samples, len(Sample))."""

    CYCLE = 0
    STEP = 1
    SECOND = 2  # since the start of the test
    AMPERE = 3
    VOLT = 4
    POSITIVE_VOLT = 5
    NEGATIVE_VOLT = 6
    COULOMB = 7  # since the start of the step, signed
    JOULE = 8  # since the start of the step, signed
