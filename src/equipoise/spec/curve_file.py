"""A user's half-cell curves, declared in TOML: what was measured, and where it is.

::

    name = "my_ncm"
    role = "positive"
    reference = "in_inli"
    active_mass_mg = 5.41
    like = "ncm85"
    source = "our cycler, cell 12"
    [delithiation]
    file = "charge.csv"
    capacity_column = "Q / mAh"
    capacity_unit = "mah"
    potential_column = "E / V"
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from equipoise.spec.frozen import Finite, Frozen, NonNegative, Positive
from equipoise.spec.material import Axis
from equipoise.spec.treatment import Direction

CapacityUnit = Literal["ah", "mah", "mah_per_g", "normalised"]
PotentialUnit = Literal["volt", "millivolt"]


class BranchFile(Frozen):
    """One direction of a half cell: a file, its columns and their units.

    Without column names the file is read as Battery Data Format (BDF), which
    names its own.
    """

    file: str = Field(min_length=1, description="path, relative to the declaration")
    capacity_column: str | None = Field(
        default=None, description='name; or "1", "2", ... in a table without header'
    )
    capacity_unit: CapacityUnit | None = Field(
        default=None, description="required with capacity_column; BDF is in Ah"
    )
    potential_column: str | None = None
    potential_unit: PotentialUnit = "volt"
    separator: str | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description='"," ";" "\\t" or " " (any blanks); default: seen',
    )
    decimal: Literal[".", ","] | None = Field(default=None, description="default: seen")
    struct: str | None = Field(default=None, description=".mat with several structs")
    cycle: int | None = Field(default=None, ge=0, description="BDF: which cycle")
    capacity_span_mah_per_g: Positive | None = Field(
        default=None, description='what 0 to 1 stands for; only for "normalised"'
    )
    capacity_counts: Direction | None = Field(
        default=None,
        description="what a rising capacity in the file means; default: the branch",
    )
    capacity_offset_mah_per_g: Finite | None = Field(
        default=None, description="common-axis capacity at the file's zero"
    )
    align_to_mah_per_g: Finite | None = Field(
        default=None,
        description="common-axis capacity at which the branch begins, followed in "
        "its own direction",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.capacity_column is None) != (self.potential_column is None):
            msg = "give both capacity_column and potential_column, or neither (BDF)"
            raise ValueError(msg)
        if self.capacity_column is None and self.file.lower().endswith(".mat"):
            msg = (
                "a .mat file needs capacity_column, capacity_unit and "
                "potential_column: two fields of its struct and the unit of one"
            )
            raise ValueError(msg)
        if self.capacity_column is None and self.capacity_unit not in (None, "ah"):
            msg = "without columns the file is BDF, whose capacity_unit is 'ah'"
            raise ValueError(msg)
        if self.capacity_column is not None and self.capacity_unit is None:
            msg = "capacity_unit is missing: 'ah', 'mah', 'mah_per_g' or 'normalised'"
            raise ValueError(msg)
        if self.capacity_column is not None and self.cycle is not None:
            msg = "cycle selects from BDF files; here the columns are given"
            raise ValueError(msg)
        return self._consistent_axis()

    def _consistent_axis(self) -> Self:
        normalised = self.capacity_unit == "normalised"
        if normalised and self.capacity_span_mah_per_g is None:
            msg = "a normalised capacity needs capacity_span_mah_per_g"
            raise ValueError(msg)
        if not normalised and self.capacity_span_mah_per_g is not None:
            msg = "capacity_span_mah_per_g is only for capacity_unit = 'normalised'"
            raise ValueError(msg)
        if self.capacity_offset_mah_per_g is not None and (
            self.align_to_mah_per_g is not None
        ):
            msg = "give capacity_offset_mah_per_g or align_to_mah_per_g, not both"
            raise ValueError(msg)
        return self

    @property
    def needs_mass(self) -> bool:
        """Whether the capacities are not per gram yet."""
        return self.capacity_unit in (None, "ah", "mah")


class CurveFile(Frozen):
    """A material known by its half-cell curves, as a user declares it."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    role: Literal["positive", "negative"]
    reference: str = Field(
        description="counter or reference electrode measured against"
    )
    source: str = Field(min_length=3)
    like: str | None = Field(
        default=None, description="library material that supplies what is not given"
    )
    active_mass_mg: Positive | None = None
    density_g_per_cm3: Positive | None = None
    balancing_capacity_mah_per_g: Positive | None = None
    one_c_ma_per_g: Positive | None = None
    locked_capacity_mah_per_g: NonNegative | None = None
    delithiation: BranchFile | None = None
    lithiation: BranchFile | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.branches:
            msg = "a table [delithiation] or [lithiation] is needed"
            raise ValueError(msg)
        if self.active_mass_mg is None:
            for direction, branch in self.branches.items():
                if branch.needs_mass:
                    msg = (
                        f"active_mass_mg is needed: the capacity of [{direction}] is "
                        f"in {branch.capacity_unit or 'ah'}, not per gram"
                    )
                    raise ValueError(msg)
        return self

    @property
    def axis(self) -> Axis:
        """What the common capacity axis counts for this role."""
        return "delithiated" if self.role == "positive" else "lithiated"

    @property
    def branches(self) -> dict[Direction, BranchFile]:
        """The declared branches, the one that runs up the common axis first."""
        both: dict[Direction, BranchFile | None] = {
            "delithiation": self.delithiation,
            "lithiation": self.lithiation,
        }
        order: tuple[Direction, Direction] = ("delithiation", "lithiation")
        if self.role == "negative":
            order = ("lithiation", "delithiation")
        return {d: b for d in order if (b := both[d]) is not None}
