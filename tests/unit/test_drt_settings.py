"""Settings, tails and ranges of a distribution: what is refused, what they mean."""

import numpy as np
import pytest

from drt_surrogates import FREQUENCY, S1, S2
from equipoise.analysis.eis.drt.ranges import (
    CHARGE_TRANSFER,
    GRAIN_BOUNDARY,
    INTERPHASE,
    PAPER_RANGES,
    SLOW,
    TauRange,
)
from equipoise.analysis.eis.drt.settings import DrtSettings
from equipoise.analysis.eis.drt.tails import (
    EXPONENTS,
    FAMILIES,
    NO_TAIL,
    WARBURG,
    Tail,
    as_tail,
    ensemble,
)
from equipoise.core.errors import SpecError

OMEGA = 2.0 * np.pi * FREQUENCY
NAN = float("nan")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("regularisation_ratio", 0.0),
        ("regularisation_ratio", -1e-4),
        ("regularisation_ratio", NAN),
        ("regularisation_ratio", float("inf")),
        ("width_ratio", 0.0),
        ("width_ratio", NAN),
        ("shape_factor_ratio", -0.5),
        ("shape_factor_ratio", 0.0),
        ("derivative", 3),
        ("derivative", 0),
        ("collocation", "drtools"),
        ("inductance", "yes"),
        ("weighting", "proportional"),
        ("short_side_decades_count", -1.0),
        ("short_side_decades_count", 7.0),
        ("short_side_decades_count", NAN),
    ],
)
def test_settings_that_mean_nothing_are_refused_by_name(key, value):
    with pytest.raises(SpecError, match=key) as caught:
        DrtSettings(**{key: value})
    assert caught.value.remedy


def test_default_settings_are_those_of_the_paper():
    s = DrtSettings()
    assert (s.regularisation_ratio, s.width_ratio, s.derivative) == (1e-4, 0.5, 1)
    assert s.shape_factor_ratio is None
    assert s == DrtSettings()
    assert hash(s) == hash(DrtSettings())


@pytest.mark.parametrize(
    "arguments",
    [
        {"family": "warberg"},
        {"family": "cpe"},
        {"family": "cpe", "exponent_ratio": 0.0},
        {"family": "cpe", "exponent_ratio": 1.1},
        {"family": "cpe", "exponent_ratio": NAN},
        {"family": "cpe", "exponent_ratio": 0.5, "time_second": 1.0},
        {"family": "warburg", "exponent_ratio": 0.5},
        {"family": "none", "time_second": 1.0},
        {"family": "finite-space"},
        {"family": "finite-length", "time_second": 0.0},
        {"family": "finite-length", "time_second": float("inf")},
        {"family": "finite-space", "time_second": NAN},
    ],
)
def test_tails_that_mean_nothing_are_refused(arguments):
    with pytest.raises(SpecError, match=r"tail|exponent_ratio|time_second"):
        Tail(**arguments)


@pytest.mark.parametrize("name", ["cpe", "finite-space", "finite-length"])
def test_a_profiled_family_needs_its_parameter(name):
    with pytest.raises(SpecError, match="has a parameter") as caught:
        as_tail(name)
    assert "Tail(" in caught.value.remedy


def test_names_are_tails():
    assert as_tail("none") == NO_TAIL
    assert as_tail("warburg") == WARBURG
    assert as_tail(WARBURG) is WARBURG
    with pytest.raises(SpecError, match="did you mean 'capacitor'"):
        as_tail("capacitance")


def made(family):
    wants = {
        "cpe": {"exponent_ratio": 0.6},
        "finite-space": {"time_second": 5.0},
        "finite-length": {"time_second": 5.0},
    }
    return Tail(family, **wants.get(family, {}))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_tail_is_passive(family):
    columns = made(family).columns(OMEGA)
    count = {"none": 0, "warburg+capacitor": 2}.get(family, 1)
    assert columns.shape == (71, count)
    assert (columns.real >= 0.0).all()
    assert (columns.imag < 0.0).all()


def test_warburg_is_45_degrees_and_a_cpe_its_exponent():
    z = WARBURG.columns(OMEGA)[:, 0]
    np.testing.assert_allclose(np.angle(z, deg=True), -45.0, rtol=1e-12)
    np.testing.assert_allclose(np.abs(z), OMEGA**-0.5, rtol=1e-12)
    z = made("cpe").columns(OMEGA)[:, 0]
    np.testing.assert_allclose(np.angle(z, deg=True), -54.0, rtol=1e-12)
    z = Tail("capacitor").columns(OMEGA)[:, 0]
    np.testing.assert_allclose(z, -1j / OMEGA, rtol=1e-14)


def test_finite_diffusion_has_its_limits():
    space, length = made("finite-space"), made("finite-length")
    fast = np.array([1e6])
    for tail in (space, length):
        np.testing.assert_allclose(
            tail.columns(fast)[0, 0], (5j * fast[0]) ** -0.5, rtol=1e-12
        )
    slow = np.array([1e-5])
    # coth(s) / s = 1 / s^2 + 1 / 3 - s^2 / 45, tanh(s) / s = 1 - s^2 / 3
    s2 = 5j * slow[0]
    z = space.columns(slow)[0, 0]
    assert z == pytest.approx(1 / s2 + 1 / 3 - s2 / 45, rel=1e-10)
    assert length.columns(slow)[0, 0] == pytest.approx(1 - s2 / 3, rel=1e-9)
    # a slab of any thickness does not overflow
    assert np.isfinite(Tail("finite-space", time_second=1e9).columns(OMEGA)).all()


def test_warburg_and_capacitor_are_a_column_each():
    both = Tail("warburg+capacitor").columns(OMEGA)
    np.testing.assert_array_equal(both[:, :1], WARBURG.columns(OMEGA))
    np.testing.assert_array_equal(both[:, 1:], Tail("capacitor").columns(OMEGA))


def test_the_ensemble_holds_every_family_once_per_parameter():
    spectrum = S1.spectrum()
    tails = ensemble(spectrum, longest_arc_second=1.0)
    assert len(tails) == len(set(tails))
    assert {t.family for t in tails} == set(FAMILIES)
    assert {t.exponent_ratio for t in tails if t.family == "cpe"} == set(EXPONENTS)
    assert min(EXPONENTS) == 0.35
    assert max(EXPONENTS) == 0.95
    # an arc of finite-length diffusion, at t_D / 2.54, is no reaction of up to 1 s
    arcs = [t.time_second / 2.54 for t in tails if t.family == "finite-length"]
    assert min(arcs) >= 1.0
    # blocked diffusion, from a fifth of the slowest time measured: all a capacitor
    slowest = 1.0 / (2.0 * np.pi * 0.1)
    spaces = [t.time_second for t in tails if t.family == "finite-space"]
    assert 0.2 * slowest <= min(spaces) < 0.25 * slowest
    assert max(spaces) > 30.0 * slowest
    assert len({t.label for t in tails}) > 50


def test_spectra_that_end_nearby_share_their_tails():
    one = set(ensemble(S1.spectrum(), longest_arc_second=1.0))
    near = S2.spectrum(frequency=FREQUENCY * 1.3)
    other = set(ensemble(near, longest_arc_second=1.0))
    assert len(one & other) > 0.85 * len(one)


def test_the_arc_of_finite_length_diffusion_is_where_it_is_said_to_be():
    # -Im tanh(s)/s peaks at w t_D = 2.54
    x = np.linspace(2.4, 2.7, 3001)
    z = Tail("finite-length", time_second=1.0).columns(x)[:, 0]
    assert x[np.argmin(z.imag)] == pytest.approx(2.54, abs=0.005)


@pytest.mark.parametrize(
    "ends", [(1.0, 1.0), (1.0, 0.1), (-1.0, 1.0), (NAN, 1.0), (0.0, NAN)]
)
def test_a_range_runs_from_short_to_long(ends):
    with pytest.raises(SpecError, match="range 'x'"):
        TauRange("x", "R_x", *ends)


def test_ranges_of_the_paper_meet_without_overlap():
    ranges = (GRAIN_BOUNDARY, *PAPER_RANGES, SLOW)
    for tau in np.logspace(-12, 6, 400):
        assert sum(r.holds(tau) for r in ranges) == 1
    assert PAPER_RANGES == (INTERPHASE, CHARGE_TRANSFER)
    assert (INTERPHASE.shortest_second, INTERPHASE.longest_second) == (1e-5, 1e-2)
    assert (CHARGE_TRANSFER.shortest_second, CHARGE_TRANSFER.longest_second) == (
        1e-2,
        1,
    )
    assert CHARGE_TRANSFER.holds(1e-2)
    assert not INTERPHASE.holds(1e-2)
    assert CHARGE_TRANSFER.text == "0.01 to 1 s"
