"""What each mechanism does to a given wear, against closed forms written here."""

import math

import numpy as np
import pytest
from pydantic import ValidationError

from equipoise.ageing.active_fade import ActiveFade
from equipoise.ageing.ageing import MECHANISMS, Ageing
from equipoise.ageing.interphase_growth import InterphaseGrowth
from equipoise.ageing.lattice_contraction import LatticeContraction, survivors
from equipoise.ageing.parasitic_current import ParasiticCurrent
from equipoise.ageing.reading import (
    ElectrodeReading,
    Exposure,
    Reading,
    SideReaction,
    warming_ratio,
)
from equipoise.ageing.stack_pressure import StackPressure
from equipoise.ageing.wear import LEAST_FRACTION, Row, Wear
from equipoise.core.errors import SpecError
from equipoise.spec.provenance import Evidence

COLUMNS = 3
PERCENT = np.linspace(0.0, 10.0, 11)  # of a volume that rises as a straight line


def electrode(low=0.2, high=0.9, **keys):
    ones = np.ones(COLUMNS)
    return ElectrodeReading(
        ones / COLUMNS,
        low * ones,
        high * ones,
        keys.get("capacity", 275.0),
        keys.get("mass", 2.0),
        keys.get("volume", PERCENT),
        keys.get("onset", math.nan),
    )


def reading(positive=None, negative=None, **keys):
    return Reading(
        keys.get("cycle", 1),
        keys.get("second", 7200.0),
        keys.get("celsius", 45.0),
        keys.get("pressure", 81.0),
        0.01,
        positive or electrode(),
        negative or electrode(),
        keys.get("positive_side", 0.0),
        keys.get("negative_side", 0.0),
        keys.get("exposures", {}),
    )


def lattice(**keys):
    return LatticeContraction.model_validate(
        {"hazard_per_cycle_fraction": 0.01, "exponent": 2.0} | keys
    )


def worn(mechanism, times, found):
    wear = Wear(COLUMNS, COLUMNS)
    for _ in range(times):
        wear.lose_charged()
        mechanism.advance(found, wear)
    wear.lose_charged()
    return wear


# --- the wear


def test_a_new_cell_is_not_worn():
    wear = Wear(3, 5)
    for side, columns in (("positive", 3), ("negative", 5)):
        rows = wear.of(side)
        assert rows.shape == (4, columns)
        assert np.all(rows[[Row.ACTIVE, Row.CONTACT, Row.PATH]] == 1.0)
        assert np.all(rows[Row.FILM] == 0.0)
    assert not wear.waits
    wear.negative[Row.FILM, 4] = 7.0
    assert wear.vector[-1 - 5] == 7.0, "views into one vector"


def test_losses_of_a_cycle_are_split_between_its_two_ends():
    wear = Wear(2, 2)
    share = np.array([0.1, 0.2])
    wear.lose("positive", share, charged_fraction=0.25)
    assert wear.positive[Row.ACTIVE] == pytest.approx(1.0 - 0.75 * share)
    assert wear.charged_loss["positive"] == pytest.approx(0.25 * share)
    assert wear.waits
    wear.lose_charged()
    assert wear.positive[Row.ACTIVE] == pytest.approx(
        (1.0 - 0.75 * share) * (1.0 - 0.25 * share)
    )
    assert not wear.waits
    assert np.all(wear.negative[Row.ACTIVE] == 1.0)
    before = wear.vector.copy()
    wear.lose_charged()
    assert wear.vector.tobytes() == before.tobytes()


def test_charged_losses_of_several_mechanisms_add():
    wear = Wear(1, 1)
    for share in (0.1, 0.02):
        wear.lose("negative", np.array([share]), charged_fraction=1.0)
    assert np.all(wear.negative[Row.ACTIVE] == 1.0)
    assert wear.charged_loss["negative"] == pytest.approx([0.12])


def test_something_is_always_left():
    wear = Wear(1, 1)
    wear.lose("positive", np.array([1.0]))
    assert wear.positive[Row.ACTIVE, 0] == LEAST_FRACTION
    wear.lose("negative", np.array([1.0]), charged_fraction=1.0)
    wear.lose_charged()
    assert wear.negative[Row.ACTIVE, 0] == LEAST_FRACTION


# --- lattice contraction


@pytest.mark.parametrize("frailty", [0.3, 1.0, 4.0])
def test_survivors_solve_the_equation_of_gamma_frailty(frailty):
    """Runge-Kutta on dS/dH = -S**(1 + frailty), in many small steps."""
    H, steps = 3.0, 2000
    h, S = H / steps, 1.0

    def slope(s):
        return -(s ** (1.0 + frailty))

    for _ in range(steps):
        k1 = slope(S)
        k2 = slope(S + 0.5 * h * k1)
        k3 = slope(S + 0.5 * h * k2)
        k4 = slope(S + h * k3)
        S += h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    one = float(survivors(np.array([1.0]), np.array([H]), frailty)[0])
    assert one == pytest.approx(S, rel=1e-9)
    assert one == pytest.approx((1.0 + frailty * H) ** (-1.0 / frailty), rel=1e-12)
    left = np.array([1.0])
    for part in np.full(30, H / 30):  # in portions: the same
        left = left * survivors(left, np.array([part]), frailty)
    assert left[0] == pytest.approx(one, rel=1e-12)


def test_survivors_are_the_mean_over_gamma_distributed_hazards():
    """The origin of the law: exp(-z H) averaged over z of mean 1, variance frailty."""
    frailty, H = 0.7, 1.3
    shape = 1.0 / frailty
    z = np.linspace(1e-9, 60.0, 2_000_001)
    density = z ** (shape - 1.0) * np.exp(-z * shape)
    mean = np.trapezoid(density * np.exp(-z * H), z) / np.trapezoid(density, z)
    assert survivors(np.array([1.0]), np.array([H]), frailty)[0] == pytest.approx(
        mean, rel=1e-5
    )


def test_without_frailty_the_decay_is_exponential_and_the_limit_is_smooth():
    left, hazard = np.array([1.0, 0.5]), np.array([0.2, 1.5])
    plain = survivors(left, hazard, 0.0)
    assert plain == pytest.approx(np.exp(-hazard), rel=1e-14)
    assert survivors(left, hazard, 1e-6) == pytest.approx(plain, rel=3e-6)
    assert survivors(left, hazard, 1e-9) == pytest.approx(plain, rel=1e-6)


def test_many_cycles_follow_the_closed_form():
    found, n, frailty = reading(), 200, 2.0
    mechanism = lattice(
        frailty_ratio=frailty, contact_ratio=0.5, path_ratio=0.1, exponent=2.0
    )
    hazard = 0.01 * (7.0 / 5.0) ** 2  # a swing of 0.7 on 10 %
    wear = worn(mechanism, n, found)
    assert wear.positive[Row.ACTIVE] == pytest.approx(
        np.full(COLUMNS, (1.0 + frailty * n * hazard) ** (-1.0 / frailty)), rel=1e-10
    )
    assert wear.positive[Row.CONTACT] == pytest.approx(
        np.full(COLUMNS, (1.0 + frailty * 0.5 * n * hazard) ** (-1.0 / frailty)),
        rel=1e-10,
    )
    assert wear.positive[Row.PATH] == pytest.approx(
        np.full(COLUMNS, math.exp(0.1 * n * hazard)), rel=1e-10
    )
    assert np.all(wear.positive[Row.FILM] == 0.0)
    assert np.all(wear.negative[Row.ACTIVE] == 1.0)


@pytest.mark.parametrize("fraction", [0.0, 0.5, 1.0])
def test_what_is_lost_does_not_depend_on_when_in_the_cycle(fraction):
    wear = worn(lattice(charged_fraction=fraction), 50, reading())
    assert wear.positive[Row.ACTIVE] == pytest.approx(
        np.full(COLUMNS, math.exp(-50 * 0.01 * 1.4**2)), rel=0.01 * 0.02 * 50
    )


def test_the_electrode_is_the_named_one():
    wear = worn(lattice(electrode="negative"), 1, reading())
    assert np.all(wear.positive[Row.ACTIVE] == 1.0)
    assert np.all(wear.negative[Row.ACTIVE] < 1.0)


def test_h2h3_driver_counts_only_the_strain_beyond_the_onset():
    beyond = lattice(driver="h2-h3")
    assert beyond.strain_percent(electrode(0.2, 0.9, onset=0.3)) == pytest.approx(
        np.full(COLUMNS, 1.0)
    )
    assert beyond.strain_percent(electrode(0.35, 0.9, onset=0.3)) == pytest.approx(
        np.zeros(COLUMNS), abs=0.0
    )
    assert beyond.strain_percent(electrode(0.1, 0.2, onset=0.3)) == pytest.approx(
        np.full(COLUMNS, 1.0)
    )
    whole = lattice()
    assert whole.strain_percent(electrode(0.2, 0.9, onset=0.3)) == pytest.approx(
        np.full(COLUMNS, 7.0)
    )
    wear = worn(beyond, 5, reading(electrode(0.35, 0.9, onset=0.3)))
    assert np.all(wear.vector == Wear(COLUMNS, COLUMNS).vector)


def test_the_threshold_is_taken_off_the_strain_and_off_its_reference():
    mechanism = lattice(threshold_strain_percent=2.0, exponent=3.0)
    strain = np.array([0.0, 1.0, 2.0, 3.5, 5.0, 8.0])
    expected = 0.01 * np.array([0.0, 0.0, 0.0, 0.5, 1.0, 2.0]) ** 3
    assert mechanism.hazard(strain) == pytest.approx(expected, rel=1e-13)
    assert mechanism.hazard(np.array([5.0]))[0] == pytest.approx(0.01, rel=1e-14)


def test_a_contraction_counts_like_an_expansion():
    falling = electrode(0.2, 0.9, volume=-PERCENT)
    assert lattice().strain_percent(falling) == pytest.approx(np.full(COLUMNS, 7.0))


def test_an_electrode_without_volume_data_is_refused():
    with pytest.raises(SpecError, match="volume"):
        worn(lattice(), 1, reading(electrode(volume=None)))


def test_volume_beyond_the_table_is_that_of_its_ends():
    found = electrode().volume_at_percent(np.array([-0.1, 0.0, 0.55, 1.0, 1.1]))
    assert found == pytest.approx([0.0, 0.0, 5.5, 10.0, 10.0])


def test_h2h3_driver_without_an_onset_is_refused():
    """Not a strain of nan that ends the life with "not finite"."""
    with pytest.raises(SpecError, match=r"[Hh]2"):
        lattice(driver="h2-h3").check(reading(electrode(onset=math.nan)))


def test_a_reference_strain_below_the_threshold_is_refused():
    """There the hazard would be that of a strain of 1e-9 %."""
    with pytest.raises(ValidationError):
        lattice(reference_strain_percent=2.0, threshold_strain_percent=3.0)


# --- stack pressure


def test_the_hazard_falls_with_a_power_of_the_pressure():
    law = StackPressure.model_validate({"exponent": 0.5})
    assert law.hazard_ratio(81.0) == pytest.approx(1.0)
    assert law.hazard_ratio(81.0 / 4.0) == pytest.approx(2.0)
    assert law.hazard_ratio(4.0 * 81.0) == pytest.approx(0.5)
    none = StackPressure.model_validate({"exponent": 0.0})
    assert none.hazard_ratio(None) == none.hazard_ratio(1.0) == 1.0
    for missing in (None, 0.0, -1.0):
        with pytest.raises(SpecError, match="stack_pressure_mpa"):
            law.hazard_ratio(missing)


def test_the_pressure_scales_isolation_contact_and_cracks_alike():
    keys = {"contact_ratio": 0.5, "path_ratio": 0.2}
    held = lattice(stack_pressure={"exponent": 1.0}, **keys)
    wear = worn(held, 1, reading(pressure=40.5))
    twice = worn(lattice(**keys), 2, reading(pressure=40.5))
    assert wear.vector == pytest.approx(twice.vector, rel=1e-12)


# --- films


@pytest.mark.parametrize("portions", [1, 7, 1000])
def test_the_film_is_parabolic(portions):
    """R = R_1000 sqrt(t / 1000 h), however the time is cut."""
    mechanism = InterphaseGrowth(film_after_1000_hour_ohm_cm2=50.0)
    (exposure,) = mechanism.exposures()
    assert exposure == Exposure("positive", 4.2, None)
    hours = 250.0
    second = hours * 3600.0 / portions * np.ones(COLUMNS)
    wear = worn(mechanism, portions, reading(exposures={exposure: second}))
    assert wear.positive[Row.FILM] == pytest.approx(
        np.full(COLUMNS, 50.0e-4 * 0.5), rel=1e-10
    )
    assert np.all(wear.negative[Row.FILM] == 0.0)


def test_two_films_add_in_squares():
    first = InterphaseGrowth(film_after_1000_hour_ohm_cm2=30.0)
    second = InterphaseGrowth(film_after_1000_hour_ohm_cm2=40.0, width_volt=0.1)
    wear = Wear(COLUMNS, COLUMNS)
    for m in (first, second):
        (exposure,) = m.exposures()
        m.advance(reading(exposures={exposure: np.full(COLUMNS, 3.6e6)}), wear)
    assert wear.positive[Row.FILM] == pytest.approx(np.full(COLUMNS, 50e-4), rel=1e-12)


def test_on_the_negative_the_film_grows_faster_at_lower_potential():
    mechanism = InterphaseGrowth(
        electrode="negative",
        film_after_1000_hour_ohm_cm2=50.0,
        width_volt=0.1,
        reference_vs_li_volt=1.5,
    )
    assert mechanism.exposures() == (Exposure("negative", 1.5, -0.1),)


def test_films_grow_with_an_arrhenius_factor():
    mechanism = InterphaseGrowth(
        film_after_1000_hour_ohm_cm2=50.0, activation_kj_per_mol=60.0
    )
    (exposure,) = mechanism.exposures()
    found = reading(celsius=25.0, exposures={exposure: np.full(COLUMNS, 3.6e6)})
    ratio = math.exp(-60e3 / 8.314462618 * (1 / 298.15 - 1 / 318.15))
    assert warming_ratio(60.0, 25.0, 45.0) == pytest.approx(ratio, rel=1e-9)
    assert ratio < 0.3
    wear = worn(mechanism, 1, found)
    assert wear.positive[Row.FILM] == pytest.approx(
        np.full(COLUMNS, 50e-4 * math.sqrt(ratio)), rel=1e-9
    )


# --- fade in proportion to charge


def test_lto_keeps_97_per_cent_after_200_full_cycles():
    rate = -math.log(0.97) / 200.0
    mechanism = ActiveFade(loss_per_full_cycle_fraction=rate)
    wear = worn(mechanism, 200, reading(negative=electrode(0.0, 1.0)))
    assert wear.negative[Row.ACTIVE] == pytest.approx(np.full(COLUMNS, 0.97), rel=1e-12)
    half = worn(mechanism, 400, reading(negative=electrode(0.3, 0.8)))
    assert half.negative[Row.ACTIVE] == pytest.approx(np.full(COLUMNS, 0.97), rel=1e-12)
    assert np.all(wear.positive[Row.ACTIVE] == 1.0)


# --- side reactions


def parasitic(**keys):
    reference = {"reference_vs_li_volt": 1.5} if keys.get("at") == "negative" else {}
    return ParasiticCurrent.model_validate(
        {"current_ma_per_g_positive": 0.5, "width_volt": 0.05} | reference | keys
    )


def test_currents_are_of_the_whole_cell_at_the_reference_potential():
    wear = Wear(COLUMNS, COLUMNS)
    (found,) = parasitic().side_reactions(wear, reading())
    assert found == SideReaction("positive", pytest.approx(1e-3), "positive", 4.3, 0.05)
    (found,) = parasitic(at="both").side_reactions(wear, reading())
    assert (found.at, found.reads, found.width_volt) == ("both", "positive", 0.05)
    (found,) = parasitic(at="negative").side_reactions(wear, reading())
    assert found == SideReaction(
        "negative", pytest.approx(1e-3), "negative", 1.5, -0.05
    )


def test_at_the_negative_the_reference_potential_must_be_given():
    """4.3 V is one of a positive: at a negative the law overflows."""
    keys = {"current_ma_per_g_positive": 0.5, "width_volt": 0.05}
    with pytest.raises(ValidationError, match="needs reference_vs_li_volt"):
        ParasiticCurrent.model_validate(keys | {"at": "negative"})
    for at in ("positive", "both"):
        mechanism = ParasiticCurrent.model_validate(keys | {"at": at})
        assert mechanism.reference_vs_li_volt == 4.3
    given = ParasiticCurrent.model_validate(
        keys | {"at": "negative", "reference_vs_li_volt": 4.3}
    )
    again = ParasiticCurrent.model_validate(given.model_dump())
    assert again == given.scaled(1.0) == given


def test_a_film_on_the_negative_needs_its_reference_potential():
    keys = {"film_after_1000_hour_ohm_cm2": 50.0, "electrode": "negative"}
    with pytest.raises(ValidationError, match="needs reference_vs_li_volt"):
        InterphaseGrowth.model_validate(keys | {"width_volt": 0.1})
    InterphaseGrowth.model_validate(keys)  # any potential: there is no reference


@pytest.mark.parametrize("at", ["positive", "negative", "both"])
def test_products_halve_the_current_after_the_halving_charge(at):
    mechanism = parasitic(at=at, halving_mah_per_g_positive=2.0)
    wear, mass = Wear(COLUMNS, COLUMNS), 2.0
    half = 2.0 * mass * 3.6  # C
    sides = {
        "positive_side": half if at != "negative" else 0.0,
        "negative_side": half if at != "positive" else 0.0,
    }
    for times in (1, 2, 3):
        mechanism.advance(reading(**sides), wear)
        (found,) = mechanism.side_reactions(wear, reading())
        assert found.current_ampere == pytest.approx(1e-3 / (1.0 + times), rel=1e-12)


def test_without_a_halving_charge_nothing_is_remembered():
    wear = Wear(COLUMNS, COLUMNS)
    parasitic().advance(reading(positive_side=5.0), wear)
    assert wear.memory == {}
    (found,) = parasitic().side_reactions(wear, reading())
    assert found.current_ampere == pytest.approx(1e-3)


@pytest.mark.parametrize("at", ["positive", "both"])
def test_a_passivating_current_is_alone_at_its_electrode(at):
    """Else the charge of a vanishing current would passivate a large one."""
    passivating = parasitic(halving_mah_per_g_positive=2.0)
    other = parasitic(at=at, width_volt=0.2)
    with pytest.raises(ValidationError, match="not told apart"):
        Ageing(mechanisms=(passivating, other))
    apart = parasitic(at="negative", halving_mah_per_g_positive=3.0)
    assert len(Ageing(mechanisms=(passivating, apart)).mechanisms) == 2


# --- all together


def test_every_mechanism_can_be_named_in_a_file():
    assert set(MECHANISMS) == {
        "lattice-contraction",
        "interphase-growth",
        "parasitic-current",
        "active-fade",
    }
    for kind, mechanism in MECHANISMS.items():
        assert kind == mechanism.KIND
        assert mechanism.STRENGTH in mechanism.model_fields


FULL = {
    "name": "test",
    "mechanisms": [
        {
            "kind": "lattice-contraction",
            "hazard_per_cycle_fraction": {
                "value": 0.01,
                "low": 0.005,
                "high": 0.02,
                "source": "a test",
                "evidence": "assumed",
            },
            "exponent": 3,
        },
        {"kind": "interphase-growth", "film_after_1000_hour_ohm_cm2": 50},
        {
            "kind": "parasitic-current",
            "current_ma_per_g_positive": 0.1,
            "width_volt": 0.05,
        },
        {"kind": "active-fade", "loss_per_full_cycle_fraction": 1e-4},
    ],
}


def test_a_table_becomes_the_mechanisms_in_their_order():
    ageing = Ageing.model_validate(FULL)
    kinds = [m.KIND for m in ageing.mechanisms]
    assert kinds == [m["kind"] for m in FULL["mechanisms"]]
    assert Ageing.model_validate(ageing.model_dump()) == ageing
    assert (
        ageing.mechanisms[3].loss_per_full_cycle_fraction.evidence is Evidence.USER
    ), "a bare number is the user's own"
    first = ageing.mechanisms[0]
    assert first.hazard_per_cycle_fraction.evidence is Evidence.ASSUMED


def test_a_number_in_a_table_needs_its_source():
    for broken in (
        {"value": 1e-4, "evidence": "assumed"},
        {"value": 1e-4, "source": "a test"},
        {"value": 1e-4, "source": "", "evidence": "assumed"},
        {"value": -1e-4, "source": "a test", "evidence": "assumed"},
        {"value": math.nan, "source": "a test", "evidence": "assumed"},
        "much",
    ):
        with pytest.raises(ValidationError):
            ActiveFade.model_validate({"loss_per_full_cycle_fraction": broken})


def test_an_unknown_kind_is_refused_with_the_nearest_one():
    table = {"mechanisms": [{"kind": "lattice-contractoin"}]}
    with pytest.raises(ValidationError, match="lattice-contraction"):
        Ageing.model_validate(table)
    with pytest.raises(ValidationError, match="kind"):
        Ageing.model_validate({"mechanisms": [{"exponent": 3}]})
    with pytest.raises(ValidationError, match="kind"):
        Ageing.model_validate({"mechanisms": [3]})


def test_an_unknown_key_is_refused():
    part = FULL["mechanisms"][3] | {"loss": 1}
    with pytest.raises(ValidationError, match="loss"):
        Ageing.model_validate({"mechanisms": [part]})


def test_no_mechanism_at_all_is_refused():
    with pytest.raises(ValidationError):
        Ageing.model_validate({"mechanisms": []})


@pytest.mark.parametrize("index", range(4))
def test_scaled_scales_the_strength_and_its_range_and_nothing_else(index):
    ageing = Ageing.model_validate(FULL)
    twice = ageing.scaled(index, 2.0)
    for i, (before, after) in enumerate(
        zip(ageing.mechanisms, twice.mechanisms, strict=True)
    ):
        if i != index:
            assert after == before
            continue
        name = before.STRENGTH
        old, new = getattr(before, name), getattr(after, name)
        assert new.value == 2.0 * old.value
        assert new.low == (None if old.low is None else 2.0 * old.low)
        assert new.high == (None if old.high is None else 2.0 * old.high)
        assert new.source == old.source
        rest = before.model_dump(exclude={name})
        assert after.model_dump(exclude={name}) == rest
    assert ageing == Ageing.model_validate(FULL), "the original stays"


@pytest.mark.parametrize("index", range(4))
def test_without_leaves_one_out(index):
    ageing = Ageing.model_validate(FULL)
    fewer = ageing.without(index)
    kept = [m for i, m in enumerate(ageing.mechanisms) if i != index]
    assert list(fewer.mechanisms) == kept


def test_without_the_only_one_or_one_that_is_not_there_is_refused():
    """Not an ageing without mechanisms, which a file may not be either."""
    one = Ageing.model_validate({"mechanisms": FULL["mechanisms"][3:]})
    with pytest.raises((SpecError, ValidationError, IndexError)):
        one.without(0)
    with pytest.raises((SpecError, IndexError)):
        Ageing.model_validate(FULL).without(9)
