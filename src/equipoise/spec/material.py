"""A material: density, capacities, open-circuit curves, volume change."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from equipoise.spec.frozen import Finite, Frozen, NonNegative, Positive
from equipoise.spec.provenance import Evidence, Sourced

Axis = Literal["delithiated", "lithiated"]
"""What the capacity axis of a curve counts, in mAh per gram of the material:
lithium taken out of, or put into, the material as it is built into the cell."""


class Branch(Frozen):
    """One direction of an open-circuit curve, as knots.

    The capacity rises strictly. Joined by a monotone cubic (PCHIP).
    """

    capacity_mah_per_g: tuple[Finite, ...] = Field(min_length=4)
    potential_vs_li_volt: tuple[Finite, ...] = Field(min_length=4)
    measured_from_mah_per_g: Finite
    measured_to_mah_per_g: Finite

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        n, m = len(self.capacity_mah_per_g), len(self.potential_vs_li_volt)
        if n != m:
            msg = f"{n} capacities but {m} potentials"
            raise ValueError(msg)
        q = self.capacity_mah_per_g
        if any(b <= a for a, b in pairwise(q)):
            msg = "capacity_mah_per_g must rise strictly"
            raise ValueError(msg)
        return self


class CurveBase(Frozen):
    """What every form of open-circuit curve carries."""

    axis: Axis
    source: str = Field(min_length=3)
    evidence: Evidence
    note: str = ""


class TableCurve(CurveBase):
    """Knots per direction; one direction may stand for both (no hysteresis)."""

    form: Literal["table"]
    delithiation: Branch | None = None
    lithiation: Branch | None = None

    @model_validator(mode="after")
    def _one_branch(self) -> Self:
        if self.delithiation is None and self.lithiation is None:
            msg = "a table needs a delithiation or a lithiation branch"
            raise ValueError(msg)
        return self


class TailVariant(Frozen):
    """Another reading of the tail, for the band of the answer."""

    name: str
    tail_height_volt: Positive
    tail_width_fraction: Positive
    source: str = Field(min_length=3)
    evidence: Evidence


class TailedPlateau(CurveBase):
    """Plateau with exponential ends, e.g. LTO.

    ``U(y) = plateau + head exp(-y / head_width) - tail exp((y - 1) / tail_width)``
    with ``y = capacity / capacity_mah_per_g`` the lithiation fraction.
    """

    form: Literal["tailed_plateau"]
    capacity_mah_per_g: Positive
    plateau_vs_li_volt: Finite
    head_height_volt: NonNegative
    head_width_fraction: Positive
    tail_height_volt: NonNegative
    tail_width_fraction: Positive
    variants: tuple[TailVariant, ...] = ()


class ConstantCurve(CurveBase):
    """A metal or two-phase counter electrode: one potential at any lithium content."""

    form: Literal["constant"]
    capacity_mah_per_g: Positive
    potential_vs_li_volt: Finite


class TanhTerm(Frozen):
    """``height * tanh(steepness * (x - centre))``."""

    height_volt: Finite
    steepness: Finite
    centre: Finite


class TanhCurve(CurveBase):
    """Polynomial of degree one plus hyperbolic tangents in the lithium content x.

    ``U(x) = offset + slope x + sum_j height_j tanh(steepness_j (x - centre_j))``,
    ``x = 1 - q / capacity_mah_per_g`` for a delithiated axis; valid between
    `measured_from_mah_per_g` and `measured_to_mah_per_g` on that axis.
    """

    form: Literal["tanh"]
    capacity_mah_per_g: Positive
    offset_vs_li_volt: Finite
    slope_volt: Finite
    terms: tuple[TanhTerm, ...]
    measured_from_mah_per_g: Finite
    measured_to_mah_per_g: Finite


class MsmrTerm(Frozen):
    """One reaction of a multi-site multi-reaction curve."""

    standard_potential_vs_li_volt: Finite
    occupancy_fraction: Positive
    omega: Positive = Field(description="width: omega * R T / F")


class MsmrBranch(Frozen):
    """The reactions of one direction and the potentials they are valid between."""

    terms: tuple[MsmrTerm, ...] = Field(min_length=1)
    valid_from_vs_li_volt: Finite
    valid_to_vs_li_volt: Finite
    rmse_millivolt: NonNegative


class MsmrCurve(CurveBase):
    """Multi-site multi-reaction: ``x(U) = sum X_j / (1 + exp(F (U - U_j)/(R T w_j)))``.

    `x` is the lithium content: ``1 - q / capacity_mah_per_g`` on a delithiated,
    ``q / capacity_mah_per_g`` on a lithiated axis.
    """

    form: Literal["msmr"]
    capacity_mah_per_g: Positive
    temperature_celsius: Finite
    delithiation: MsmrBranch
    lithiation: MsmrBranch | None = None


OpenCircuit = Annotated[
    TableCurve | TailedPlateau | ConstantCurve | TanhCurve | MsmrCurve,
    Field(discriminator="form"),
]


class VolumeChange(Frozen):
    """Unit-cell volume change against capacity taken out of the pristine material.

    Percent of the pristine volume, negative is contraction.
    """

    name: str
    capacity_mah_per_g: tuple[Finite, ...] = Field(min_length=2)
    volume_change_percent: tuple[Finite, ...] = Field(min_length=2)
    measured_to_mah_per_g: Finite
    source: str = Field(min_length=3)
    evidence: Evidence
    note: str = ""

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        n, m = len(self.capacity_mah_per_g), len(self.volume_change_percent)
        if n != m:
            msg = f"{n} capacities but {m} volume changes"
            raise ValueError(msg)
        return self


class Material(Frozen):
    """A material of the library, or one a user declares; numbers carry sources."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    kind: Literal["positive", "negative", "counter", "electrolyte", "carbon", "binder"]
    caveats: tuple[str, ...] = ()
    density_g_per_cm3: Sourced
    theoretical_capacity_mah_per_g: Sourced | None = None
    balancing_capacity_mah_per_g: Sourced | None = Field(
        default=None, description="for Eq. 1: reversible capacity used for balancing"
    )
    one_c_ma_per_g: Sourced | None = None
    locked_capacity_mah_per_g: Sourced | None = Field(
        default=None,
        description="positive only: lithium that does not return on first discharge",
    )
    locked_at_vs_li_volt: Sourced | None = Field(
        default=None,
        description="potential at which the locked capacity was seen; default: the "
        "lower end of the measured discharge branch",
    )
    first_lithiation_loss_mah_per_g: Sourced | None = Field(
        default=None,
        description="negative only: lithium consumed on the first lithiation (SEI)",
    )
    h2h3_onset_vs_li_volt: Sourced | None = None
    ionic_conductivity_millisiemens_per_cm: Sourced | None = None
    open_circuit: OpenCircuit | None = None
    alternative_open_circuit: dict[str, OpenCircuit] = Field(default_factory=dict)
    volume_change: tuple[VolumeChange, ...] = ()
