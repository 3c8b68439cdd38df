"""A full cell as a user writes it (TOML), and as it is resolved for computing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from equipoise.core.errors import SpecError
from equipoise.spec import library
from equipoise.spec.electrode import Electrode, ElectrodeSpec, disc_area_cm2
from equipoise.spec.frozen import (
    Finite,
    Fraction,
    Frozen,
    Name,
    NonNegative,
    Positive,
)
from equipoise.spec.validation import validated

if TYPE_CHECKING:
    from equipoise.spec.kinetics import CellKinetics
    from equipoise.spec.material import Material


def _name_or_table(given: object) -> object:
    if given is None or isinstance(given, str | dict):
        return given
    msg = f"found {given!r}; a library name, a .toml file or a table was expected"
    raise ValueError(msg)


def _not_kelvin(given: object) -> object:
    if isinstance(given, int | float) and COLDEST_K <= given <= WARMEST_K:
        msg = (
            f"{given:g} looks like kelvin; degrees Celsius, -60 to 200, were "
            f"expected: write {given - 273.15:g}"
        )
        raise ValueError(msg)
    return given


COLDEST_K, WARMEST_K = 213.15, 473.15
"""What is possible, -60 to 200 degrees Celsius, in kelvin."""
Temperature = Annotated[Finite, Field(ge=-60.0, le=200.0), BeforeValidator(_not_kelvin)]
KineticsGiven = Annotated[str | dict[str, Any] | None, BeforeValidator(_name_or_table)]
"""Rates as they stand in a cell file; `equipoise.io.kinetics` resolves them."""
AgeingGiven = KineticsGiven
"""Ageing as it stands in a cell file; `equipoise.io.ageing` resolves it."""

SAME_INPUT = 1e-9
"""Relative: the calibrated input itself, not a neighbour."""


class Window(Frozen):
    """Cut-off voltages of the cell (positive minus negative electrode)."""

    lower_volt: Finite
    upper_volt: Finite

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.upper_volt <= self.lower_volt:
            msg = (
                f"upper_volt = {self.upper_volt:g} must lie above "
                f"lower_volt = {self.lower_volt:g}"
            )
            raise ValueError(msg)
        if self.upper_volt > 10.0:
            msg = (
                f"upper_volt = {self.upper_volt:g} looks like millivolt, volt expected"
            )
            raise ValueError(msg)
        return self


class Balance(Frozen):
    """Eq. 1 of the paper: ``m_n = np_ratio * m_p * q_p / q_n``."""

    np_ratio: Positive | None = None
    positive_capacity_mah_per_g: Positive | None = Field(
        default=None, description="reversible, default: the material's"
    )
    negative_capacity_mah_per_g: Positive | None = Field(
        default=None, description="reversible, default: the material's"
    )


class Component(Frozen):
    """A component of a composite that the library does not have."""

    density_g_per_cm3: Positive


class Separator(Frozen):
    """The electrolyte layer."""

    material: str = "lpscl"
    mass_mg: Positive
    diameter_mm: Positive
    porosity_fraction: Fraction = Field(default=0.15, lt=1.0)


class Collectors(Frozen):
    """Current collectors that count towards the stack.

    Each collector is shared with the next cell of a stack: half of it counts. The
    defaults are assumed: aluminium foil (2.70 g/cm3, textbook) of a common gauge.
    """

    positive_thickness_um: NonNegative = 12.0
    negative_thickness_um: NonNegative = 12.0
    positive_density_g_per_cm3: Positive = 2.70
    negative_density_g_per_cm3: Positive = 2.70


class InventorySpec(Frozen):
    """State of the cell as built, or aged: what is active, where the lithium is."""

    positive_active_fraction: Fraction = Field(default=1.0, gt=0.0)
    negative_active_fraction: Fraction = Field(default=1.0, gt=0.0)
    lithium_loss_mah_per_g_positive: Finite = 0.0
    positive_start_mah_per_g: NonNegative = 0.0
    negative_start_mah_per_g: NonNegative = 0.0
    positive_isolated_at_mah_per_g: NonNegative | None = Field(
        default=None, description="state of what is not active; default: as built"
    )
    negative_isolated_at_mah_per_g: NonNegative | None = Field(
        default=None, description="state of what is not active; default: as built"
    )


class Polarisation(Frozen):
    """An effective resistance for quasi-static answers at a finite rate."""

    resistance_ohm_cm2: NonNegative = 0.0
    c_rate_ratio: NonNegative = 0.0


class CalibratedAt(Frozen):
    """The inputs under which the calibrated outputs are calibrated.

    Only what is given is compared. Change one, and all outputs are predictions.
    """

    np_ratio: Positive | None = None
    lower_volt: Finite | None = None
    upper_volt: Finite | None = None
    positive: str | None = None
    negative: str | None = None
    positive_capacity_mah_per_g: Positive | None = None
    negative_capacity_mah_per_g: Positive | None = None
    locked_capacity_mah_per_g: NonNegative | None = None
    volume_variant: str | None = None


class CalibratedRuns(Frozen):
    """What the rates of the library were made to meet, and with which cell.

    With anything in the cell different from that one (but its name), with other
    rates, and in every other protocol or column, all numbers of a simulation are
    predictions.
    """

    bundled: Name = Field(description="library name of the cell they were made with")
    columns: dict[str, tuple[str, ...]] = Field(
        description="protocol = columns of its cycles"
    )


class Origin(Frozen):
    """Where the cell is from and which of its computed numbers were calibrated."""

    source: str = ""
    calibrated: tuple[str, ...] = Field(
        default=(),
        description="names of outputs that the bundled curves were made to meet",
    )
    calibrated_at: CalibratedAt = CalibratedAt()
    runs: CalibratedRuns | None = None

    @model_validator(mode="after")
    def _conditions(self) -> Self:
        if self.calibrated and self.calibrated_at.np_ratio is None:
            msg = (
                "calibrated outputs need [origin.calibrated_at] with an np_ratio: "
                "without it, a changed copy would go on calling them calibrated"
            )
            raise ValueError(msg)
        return self

    def holds(self, inputs: dict[str, object]) -> bool:
        """Whether all inputs that `calibrated_at` names are the same."""
        for name, wanted in self.calibrated_at.model_dump(exclude_none=True).items():
            found = inputs.get(name)
            if isinstance(wanted, float) and isinstance(found, float):
                if abs(found - wanted) > SAME_INPUT * max(abs(wanted), 1.0):
                    return False
            elif found != wanted:
                return False
        return True


class CellSpec(Frozen):
    """A full cell; see docs/reference/cell-file.md for every key."""

    name: Name
    temperature_celsius: Temperature = 25.0
    stack_pressure_mpa: NonNegative | None = None
    window: Window
    positive: ElectrodeSpec
    negative: ElectrodeSpec
    balance: Balance = Balance()
    separator: Separator
    collectors: Collectors = Collectors()
    components: dict[str, Component] = Field(default_factory=dict)
    inventory: InventorySpec = InventorySpec()
    polarisation: Polarisation = Polarisation()
    origin: Origin = Origin()
    one_c_ma_per_g_positive: Positive | None = Field(
        default=None, description="current of 1C; default: the positive material's"
    )
    kinetics: KineticsGiven = Field(
        default=None, description="rates: library name, .toml file, or that table"
    )
    ageing: AgeingGiven = Field(
        default=None, description="mechanisms: library name, .toml file, or that table"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.positive.has_mass:
            msg = (
                "positive: loading_mg_per_cm2 or composite_mass_mg is missing; "
                "the positive electrode sets the scale of the cell"
            )
            raise ValueError(msg)
        has_mass = self.negative.has_mass
        if has_mass == (self.balance.np_ratio is not None):
            msg = (
                "give balance.np_ratio or the mass of the negative "
                "(negative.loading_mg_per_cm2 or negative.composite_mass_mg): "
                + ("both are given" if has_mass else "neither is given")
            )
            raise ValueError(msg)
        for name, electrode in (
            ("positive", self.positive),
            ("negative", self.negative),
        ):
            if electrode.diameter_mm > self.separator.diameter_mm:
                msg = (
                    f"{name}.diameter_mm = {electrode.diameter_mm:g} is larger than "
                    f"separator.diameter_mm = {self.separator.diameter_mm:g}: "
                    "the electrodes would touch around the separator"
                )
                raise ValueError(msg)
        return self


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell with its materials and curves looked up; what the computing needs.

    Masses are of the whole cell; the two electrodes may differ in area. `folder` is
    that of the cell file, which paths not yet resolved are relative to; "": none.
    """

    spec: CellSpec
    positive: Electrode
    negative: Electrode
    separator_material: Material
    where: str = ""
    kinetics: CellKinetics | None = None
    folder: str = ""

    @property
    def name(self) -> str:
        """Name of the cell."""
        return self.spec.name

    @property
    def positive_mass_mg(self) -> float:
        """Active mass of the positive electrode."""
        mass = self.positive.spec.active_mass_mg
        assert mass is not None  # the specification demands it
        return mass

    @property
    def np_ratio(self) -> float:
        """n/p ratio: given, or from the mass of the negative."""
        if self.spec.balance.np_ratio is not None:
            return self.spec.balance.np_ratio
        mass = self.negative.spec.active_mass_mg
        assert mass is not None  # the specification demands it
        return mass / self.positive_mass_mg / self.mass_per_np_ratio

    @property
    def mass_per_np_ratio(self) -> float:
        """Gram of negative per gram of positive active material at n/p = 1."""
        return self.positive_capacity_mah_per_g / self.negative_capacity_mah_per_g

    @property
    def positive_capacity_mah_per_g(self) -> float:
        """Capacity of the positive used in Eq. 1."""
        return _capacity(
            self.spec.balance.positive_capacity_mah_per_g, self.positive, "positive"
        )

    @property
    def negative_capacity_mah_per_g(self) -> float:
        """Capacity of the negative used in Eq. 1, and scale of its lithiation."""
        return _capacity(
            self.spec.balance.negative_capacity_mah_per_g, self.negative, "negative"
        )

    @property
    def one_c_ma_per_g_positive(self) -> float | None:
        """Specific current of 1C, per gram of positive active material."""
        if self.spec.one_c_ma_per_g_positive is not None:
            return self.spec.one_c_ma_per_g_positive
        known = self.positive.material.one_c_ma_per_g
        return None if known is None else known.value

    @property
    def locked_capacity_mah_per_g(self) -> float | None:
        """Lithium of the positive that does not return on the first discharge.

        None: not known; the discharge branch is used as it was measured.
        """
        if self.positive.spec.locked_capacity_mah_per_g is not None:
            return self.positive.spec.locked_capacity_mah_per_g
        known = self.positive.material.locked_capacity_mah_per_g
        return None if known is None else known.value

    @property
    def first_lithiation_loss_mah_per_g(self) -> float:
        """Lithium the negative consumes once, per gram of negative."""
        if self.negative.spec.first_lithiation_loss_mah_per_g is not None:
            return self.negative.spec.first_lithiation_loss_mah_per_g
        known = self.negative.material.first_lithiation_loss_mah_per_g
        return 0.0 if known is None else known.value

    @property
    def calibrated(self) -> tuple[str, ...]:
        """Outputs that are calibrated, empty once an input differs from then."""
        spec = self.spec
        inputs: dict[str, object] = {
            "np_ratio": self.np_ratio,
            "lower_volt": spec.window.lower_volt,
            "upper_volt": spec.window.upper_volt,
            "positive": self.positive.material.name,
            "negative": self.negative.material.name,
            "positive_capacity_mah_per_g": self.positive_capacity_mah_per_g,
            "negative_capacity_mah_per_g": self.negative_capacity_mah_per_g,
            "locked_capacity_mah_per_g": self.locked_capacity_mah_per_g,
            "volume_variant": spec.positive.volume_variant,
        }
        as_built = spec.inventory == InventorySpec()
        thermodynamic = spec.polarisation == Polarisation()
        bundled = all(_is_bundled(e.material) for e in (self.positive, self.negative))
        no_other_loss = spec.negative.first_lithiation_loss_mah_per_g is None
        same = (
            as_built
            and thermodynamic
            and bundled
            and no_other_loss
            and spec.origin.holds(inputs)
        )
        return spec.origin.calibrated if same else ()

    @property
    def separator_area_cm2(self) -> float:
        """Area of the separator."""
        return disc_area_cm2(self.spec.separator.diameter_mm)

    def with_np_ratio(self, np_ratio: float) -> Cell:
        """The same cell with another n/p ratio; the negative's mass follows.

        Raises
        ------
        SpecError
            If the ratio is not > 0 and finite.
        """
        if not (np_ratio > 0.0 and isfinite(np_ratio)):
            raise SpecError(
                f"np_ratio = {np_ratio:g} must be > 0 and finite",
                where="balance.np_ratio",
                remedy="n/p is capacity of the negative / capacity of the positive",
            )
        negative = self.spec.negative.model_copy(
            update={"loading_mg_per_cm2": None, "composite_mass_mg": None}
        )
        balance = self.spec.balance.model_copy(update={"np_ratio": float(np_ratio)})
        spec = self.spec.model_copy(update={"negative": negative, "balance": balance})
        return replace(self, spec=spec, negative=replace(self.negative, spec=negative))

    def with_temperature(self, temperature_celsius: float) -> Cell:
        """The same cell at another temperature; its rates follow (Arrhenius).

        Raises
        ------
        SpecError
            If it is not a temperature in Celsius that a cell can have.
        """
        content = self.spec.model_dump(exclude_unset=True)
        content["temperature_celsius"] = float(temperature_celsius)
        spec = validated(CellSpec, content, where=f"{self.name}: temperature_celsius")
        return replace(self, spec=spec)

    def with_kinetics(self, kinetics: CellKinetics) -> Cell:
        """The same cell with other rates, e.g. from `load_kinetics`."""
        return replace(self, kinetics=kinetics)

    def with_window(
        self, *, lower_volt: float | None = None, upper_volt: float | None = None
    ) -> Cell:
        """The same cell between other cut-off voltages.

        Raises
        ------
        SpecError
            If they are not finite or not in order.
        """
        old = self.spec.window
        new = {
            "lower_volt": old.lower_volt if lower_volt is None else float(lower_volt),
            "upper_volt": old.upper_volt if upper_volt is None else float(upper_volt),
        }
        window = validated(Window, new, where=f"{self.name}: window")
        spec = self.spec.model_copy(update={"window": window})
        return replace(self, spec=spec)


def _is_bundled(material: Material) -> bool:
    """Whether this is the library's material itself, not one that shares its name."""
    return (
        material.name in library.names("materials")
        and library.material(material.name) is material
    )


def _capacity(given: float | None, electrode: Electrode, side: str) -> float:
    if given is not None:
        return given
    known = electrode.material.balancing_capacity_mah_per_g
    if known is None:
        raise SpecError(
            f"the material {electrode.material.name!r} carries no balancing capacity",
            where=f"balance.{side}_capacity_mah_per_g",
            remedy="give the reversible capacity of a formation cycle in mAh/g",
        )
    return known.value
