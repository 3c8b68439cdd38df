"""How finely a cell is resolved, and how exactly a run is stepped."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from equipoise.spec.frozen import Frozen, Positive

ModelName = Literal["dfn", "spm", "quasi-static"]
Count = Annotated[int, Field(ge=1, le=400, strict=True)]


class Mesh(Frozen):
    """Nodes through each electrode, shells in each particle.

    `shell_grading` 1 is uniform in the radius; above, shells are thinner towards
    the surface.
    """

    positive_nodes_count: Count = 20
    negative_nodes_count: Count = 20
    shells_count: Count = 20
    shell_grading: Annotated[float, Field(ge=1.0, le=4.0, strict=True)] = 2.0


class Stepping(Frozen):
    """Control of the step size.

    Attributes
    ----------
    tolerance_volt
        Local error of both electrode potentials in one substep.
    first_fraction, most_fraction
        First and longest substep, of one hour over the C-rate.
    sample_fraction
        Longest time between two samples of a trace, of one hour over the C-rate;
        longer substeps are interpolated (quadratic, as the time stepping itself).
    most_substeps_count
        After so many substeps a step of the protocol is given up.
    """

    tolerance_volt: Positive = 1e-3
    first_fraction: Positive = 1e-3
    most_fraction: Positive = 0.1
    sample_fraction: Positive = 0.01
    most_substeps_count: Annotated[int, Field(ge=10, strict=True)] = 20_000
