"""Rates of a cell: transport, kinetics and resistances of both electrodes.

Numbers belong to `reference_temperature_celsius`; activation energies carry them to
the temperature of the cell. A bare number in a user's file is evidence "user".
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from equipoise.core.errors import SpecError
from equipoise.spec.frozen import Finite, Fraction, Frozen, Name, NonNegative, Positive
from equipoise.spec.material import OpenCircuit
from equipoise.spec.provenance import Evidence, Sourced


def _sourced(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"value": value, "source": "given by the user", "evidence": "user"}
    if not isinstance(value, dict | Sourced):
        msg = f"found {value!r}; a number, or a table that sources it, was expected"
        raise ValueError(msg)
    return value


def _positive(number: Sourced) -> Sourced:
    if not number.value > 0.0:
        msg = f"{number.value:g} must be > 0"
        raise ValueError(msg)
    return number


def _not_negative(number: Sourced) -> Sourced:
    if not number.value >= 0.0:
        msg = f"{number.value:g} must be >= 0"
        raise ValueError(msg)
    return number


PositiveNumber = Annotated[
    Sourced, BeforeValidator(_sourced), AfterValidator(_positive)
]
NonNegativeNumber = Annotated[
    Sourced, BeforeValidator(_sourced), AfterValidator(_not_negative)
]


def zero() -> Sourced:
    """Nothing, and said so."""
    return Sourced(value=0.0, source="neglected", evidence=Evidence.ASSUMED)


def _one() -> Sourced:
    return Sourced(value=1.0, source="full contact", evidence=Evidence.ASSUMED)


def _double_layer() -> Sourced:
    return Sourced(
        value=20.0,
        low=5.0,
        high=100.0,
        source="our choice; textbooks give some ten uF per cm2 of true interface",
        evidence=Evidence.ASSUMED,
    )


def _film_capacitance() -> Sourced:
    return Sourced(
        value=1.0,
        low=0.1,
        high=10.0,
        source="our choice: a layer of 10 nm with a relative permittivity of 10",
        evidence=Evidence.ASSUMED,
    )


class Dependence(Frozen):
    """A positive quantity against the lithium fraction; its logarithm is linear.

    The end values are held outside. `lithiation_fraction` is 1 for a material
    that is full of lithium.
    """

    lithiation_fraction: tuple[Finite, ...] = Field(min_length=2)
    values: tuple[Positive, ...] = Field(min_length=2)
    low: tuple[Positive, ...] | None = None
    high: tuple[Positive, ...] | None = None
    source: str = Field(default="given by the user", min_length=3)
    evidence: Evidence = Evidence.USER
    note: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        x = self.lithiation_fraction
        for name in ("values", "low", "high"):
            given = getattr(self, name)
            if given is not None and len(given) != len(x):
                msg = f"{len(x)} lithium fractions but {len(given)} in {name}"
                raise ValueError(msg)
        if any(b <= a for a, b in pairwise(x)):
            msg = "lithiation_fraction must rise strictly"
            raise ValueError(msg)
        return self


def _number_or_dependence(value: object) -> object:
    if isinstance(value, dict) and not {"value", "lithiation_fraction"} & set(value):
        msg = (
            "a number has the key 'value', a dependence 'lithiation_fraction'; found "
            f"{', '.join(map(repr, value)) or 'an empty table'}"
        )
        raise ValueError(msg)
    return value


def _branch(value: object) -> str:
    """Which of the two a value is; brackets: no key of the user's file."""
    table = isinstance(value, dict) and "lithiation_fraction" in value
    return "[dependence]" if table or isinstance(value, Dependence) else "[number]"


NumberOrDependence = Annotated[
    Annotated[Dependence, Tag("[dependence]")]
    | Annotated[PositiveNumber, Tag("[number]")],
    Discriminator(_branch),
    BeforeValidator(_number_or_dependence),
]


class ParticleClass(Frozen):
    """A share of the active material that is slower, or worse connected."""

    name: Name
    share_fraction: Annotated[float, Field(gt=0.0, le=1.0, strict=True)]
    radius_ratio: Positive = Field(
        default=1.0, description="diffusion length over particle_radius_um"
    )
    exchange_ratio: Positive = Field(
        default=1.0, description="exchange current over that of the electrode"
    )
    film_resistance_ohm_cm2: NonNegative = Field(
        default=0.0, description="on top of the electrode's, per active interface"
    )


def _an_energy(value: float) -> float:
    if value > MOST_KJ_PER_MOL:
        msg = f"{value:g} kJ/mol looks like J/mol; typical are 20 to 60"
        raise ValueError(msg)
    return value


MOST_KJ_PER_MOL = 500.0
Energy = Annotated[NonNegative, AfterValidator(_an_energy)]


class ActivationEnergies(Frozen):
    """Arrhenius energies; 0 is no dependence on temperature."""

    diffusivity_kj_per_mol: Energy = 0.0
    exchange_kj_per_mol: Energy = 0.0
    film_kj_per_mol: Energy = 0.0
    ionic_kj_per_mol: Energy = 0.0
    electronic_kj_per_mol: Energy = 0.0
    source: str = ""


class ElectrodeKinetics(Frozen):
    """One electrode: particles, reaction, conductivities.

    Kinetics: ``j = i0 (exp(alpha_a F eta/RT) - exp(-alpha_c F eta/RT))`` with
    ``eta = phi_s - phi_e - U - j R_film`` and
    ``i0 = exchange_current * 2 sqrt(x (1-x))`` for equal transfer coefficients (in
    general ``x**alpha_c (1-x)**alpha_a``, scaled to 1 at x = 1/2), x the lithium
    fraction at the surface.
    """

    material: Name | None = Field(
        default=None, description="the active material that these rates belong to"
    )
    particle_radius_um: PositiveNumber
    diffusivity_cm2_per_s: NumberOrDependence
    exchange_current_ma_per_cm2: PositiveNumber = Field(
        description="at half filling, per area of active interface"
    )
    anodic_transfer_fraction: Annotated[float, Field(gt=0.0, lt=1.0, strict=True)] = 0.5
    film_resistance_ohm_cm2: NonNegativeNumber = Field(
        default_factory=zero, description="per area of active interface"
    )
    double_layer_capacitance_uf_per_cm2: NonNegativeNumber = Field(
        default_factory=_double_layer,
        description="per area of active interface; only impedances depend on it",
    )
    film_capacitance_uf_per_cm2: NonNegativeNumber = Field(
        default_factory=_film_capacitance,
        description="parallel to the film resistance, per area of active interface; "
        "only impedances depend on it",
    )
    contact_area_fraction: PositiveNumber = Field(
        default_factory=_one, description="of the particle surface"
    )
    lithium_capacity_mah_per_g: PositiveNumber | None = Field(
        default=None,
        description="between lithium fractions 0 and 1; default: the material's "
        "theoretical capacity, else the length of its curve",
    )
    ionic_conductivity_millisiemens_per_cm: PositiveNumber | None = Field(
        default=None, description="effective; default: that of the cell file"
    )
    electronic_conductivity_millisiemens_per_cm: NumberOrDependence | None = Field(
        default=None, description="effective; default: that of the cell file"
    )
    hysteresis_capacity_mah_per_g: PositiveNumber | None = Field(
        default=None,
        description="charge after which the branch has changed to 63 %; default: a "
        "thousandth of the lithium capacity",
    )
    open_circuit: OpenCircuit | None = Field(
        default=None, description="instead of the material's curve"
    )
    open_circuit_stretch_ratio: Annotated[
        float, Field(ge=0.8, le=1.25, strict=True)
    ] = Field(
        default=1.0,
        description="capacity axis of the curve at rest over that of the curve given, "
        "which was mapped to data at a finite rate",
    )
    particle_classes: tuple[ParticleClass, ...] = ()
    activation: ActivationEnergies = ActivationEnergies()

    @model_validator(mode="after")
    def _shares(self) -> Self:
        total = sum(c.share_fraction for c in self.particle_classes)
        if self.particle_classes and abs(total - 1.0) > 1e-6:
            msg = f"share_fraction of the particle classes add up to {total:g}, not 1"
            raise ValueError(msg)
        if self.contact_area_fraction.value > 1.0:
            msg = f"contact_area_fraction = {self.contact_area_fraction.value:g} > 1"
            raise ValueError(msg)
        return self


def fitting(
    rates: ElectrodeKinetics, material: str, *, where: str
) -> tuple[ElectrodeKinetics, str]:
    """Rates for a material, and a note if they belong to another one.

    A curve at rest or a capacity of another material would be simulated in place of
    this one: that is refused. The stretch of a curve is not applied to another curve.

    Raises
    ------
    SpecError
        If the rates bring the curve or the capacity of another material.
    """
    own = rates.material
    if own is None or own == material:
        return rates, ""
    brought = [
        key
        for key in ("open_circuit", "lithium_capacity_mah_per_g", "particle_classes")
        if getattr(rates, key)
    ]
    if brought:
        raise SpecError(
            f"these rates belong to {own!r} and bring its {', '.join(brought)}; the "
            f"electrode is of {material!r}",
            where=f"{where}: kinetics",
            remedy=f'give rates of its own with material = "{material}" '
            "(docs/reference/kinetics-file.md)",
        )
    changed = rates.model_copy(update={"open_circuit_stretch_ratio": 1.0})
    return changed, f"the rates of {own} stand for those of {material}: an assumption"


class CellKinetics(Frozen):
    """All rates of one cell.

    The reference electrode sits at `reference_position_fraction` of the separator,
    0 at the negative, 1 at the positive electrode.
    """

    name: Name = "given by the user"
    title: str = ""
    reference_temperature_celsius: Finite = Field(default=25.0, ge=-60.0, le=200.0)
    positive: ElectrodeKinetics
    negative: ElectrodeKinetics
    separator_conductivity_millisiemens_per_cm: PositiveNumber
    separator_activation_kj_per_mol: Energy = 0.0
    contact_resistance_ohm_cm2: NonNegativeNumber = Field(
        default_factory=zero, description="all contacts, on the area of the positive"
    )
    positive_contact_share_fraction: Fraction = Field(
        default=0.5, description="of the contact resistance; matters with a reference"
    )
    reference_position_fraction: Fraction = 0.5
    inductance_henry: NonNegativeNumber = Field(
        default_factory=zero,
        description="of cell and cables; only impedances depend on it",
    )
    separator_grain_boundary_fraction: NonNegativeNumber = Field(
        default_factory=zero,
        description="of the separator's resistance; an arc of its impedance",
    )
    separator_grain_boundary_second: PositiveNumber | None = Field(
        default=None, description="time constant of that arc"
    )
    caveats: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _arc(self) -> Self:
        share = self.separator_grain_boundary_fraction.value
        if share > 1.0:
            msg = f"separator_grain_boundary_fraction = {share:g} > 1"
            raise ValueError(msg)
        if share > 0.0 and self.separator_grain_boundary_second is None:
            msg = (
                f"separator_grain_boundary_fraction = {share:g} needs the time "
                "constant separator_grain_boundary_second, e.g. 1e-7"
            )
            raise ValueError(msg)
        return self


ONLY_FOR_IMPEDANCE = frozenset(
    {
        "double_layer_capacitance_uf_per_cm2",
        "film_capacitance_uf_per_cm2",
        "inductance_henry",
        "separator_grain_boundary_fraction",
        "separator_grain_boundary_second",
    }
)
"""Keys of the rates that no direct current depends on."""
