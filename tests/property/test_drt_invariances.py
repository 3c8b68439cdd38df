"""Random cells on random grids: optimality, and what a change of data must do."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from drt_surrogates import Surrogate, noisy, random_surrogate
from equipoise.analysis.eis.drt.distribution import distribution
from equipoise.analysis.eis.drt.settings import DrtSettings
from equipoise.analysis.eis.drt.tails import Tail
from equipoise.analysis.eis.kramers_kronig import kramers_kronig
from equipoise.spec.spectrum import Spectrum


@st.composite
def spectra(draw):
    """Of 10 to 60 points, evenly or at random over 1 to 9 decades.

    Random ones lie each in an interval of its own: frequencies within a thousandth of
    each other are one, and ten are needed.
    """
    seed = draw(st.integers(0, 2**31))
    rng = np.random.default_rng(seed)
    count = draw(st.integers(10, 60))
    middle, half = draw(st.floats(-1.0, 6.0)), draw(st.floats(0.5, 4.5))
    if draw(st.booleans()):
        f = np.logspace(middle - half, middle + half, count)
    else:
        place = (np.arange(count) + rng.uniform(0.1, 0.9, count)) / count
        f = rng.permutation(10.0 ** (middle - half + 2 * half * place))
    cell = random_surrogate(seed)
    level = draw(st.sampled_from([0.0, 1e-3, 0.1]))
    return Spectrum.of(f, noisy(cell.impedance(f), level, seed))


def exponents(family):
    return st.floats(0.1, 1.0).map(lambda a: Tail(family, exponent_ratio=a))


def times(family):
    return st.floats(1e-3, 1e3).map(lambda t: Tail(family, time_second=t))


bare = ("none", "warburg", "capacitor", "warburg+capacitor")
tails = st.one_of(
    st.sampled_from([Tail(family) for family in bare]),
    exponents("cpe"),
    times("finite-space"),
    times("finite-length"),
)
choices = st.builds(
    DrtSettings,
    regularisation_ratio=st.floats(-7.0, 1.0).map(lambda x: 10.0**x),
    width_ratio=st.floats(0.2, 2.0),
    derivative=st.sampled_from([1, 2]),
    collocation=st.sampled_from(["extended", "drttools"]),
    inductance=st.sampled_from(["fit", "none"]),
    weighting=st.sampled_from(["unit", "modulus"]),
)


@settings(max_examples=60)
@given(spectra(), choices, tails)
def test_every_answer_is_optimal_and_not_negative(spectrum, chosen, tail):
    d = distribution(spectrum, chosen, tail=tail)
    assert d.kkt_residual_ratio <= 1e-8
    assert (d.columns >= 0.0).all()
    assert np.isfinite(d.gamma_ohm).all()
    # no point is fitted worse, in sum, than by nothing at all
    weight = np.ones(spectrum.points_count)
    if chosen.weighting == "modulus":
        size = np.abs(spectrum.impedance_ohm)
        weight = 1.0 / size / np.sqrt(np.mean(size**-2.0))
    nothing = (np.abs(weight * spectrum.impedance_ohm) ** 2).sum()
    assert d.objective <= nothing * (1.0 + 1e-9)


@settings(max_examples=40)
@given(spectra(), st.floats(-9.0, 9.0))
def test_the_unit_of_the_impedance_does_not_matter(spectrum, power):
    scale = 10.0**power
    a = distribution(spectrum)
    b = distribution(
        Spectrum.of(spectrum.frequency_hertz, scale * spectrum.impedance_ohm)
    )
    # wide bells are nearly dependent: the objective is unique, the sums nearly
    size = np.abs(spectrum.impedance_ohm).max()
    data = (np.abs(spectrum.impedance_ohm) ** 2).sum()
    assert abs(b.objective / scale**2 - a.objective) <= 1e-10 * data
    apart = abs(b.polarisation_ohm / scale - a.polarisation_ohm)
    assert apart <= 1e-4 * max(size, a.polarisation_ohm)


@settings(max_examples=40)
@given(spectra(), st.integers(0, 2**31))
def test_the_order_of_the_points_does_not_matter(spectrum, seed):
    order = np.random.default_rng(seed).permutation(spectrum.points_count)
    shuffled = Spectrum.of(
        spectrum.frequency_hertz[order], spectrum.impedance_ohm[order]
    )
    # distinct frequencies: sorting restores the very same arrays
    np.testing.assert_array_equal(shuffled.impedance_ohm, spectrum.impedance_ohm)
    a, b = distribution(spectrum), distribution(shuffled)
    np.testing.assert_array_equal(a.weights_ohm, b.weights_ohm)


@settings(max_examples=40)
@given(st.floats(1.0, 1e4), st.floats(-6.0, 6.0))
def test_time_has_no_absolute_scale(factor, power):
    """All frequencies c times higher are all time constants c times shorter.

    The series inductance has a time of its own, so there is none here.
    """
    shift = 10.0**power
    f = np.logspace(5, -1, 61)
    chosen = DrtSettings(inductance="none")
    arcs = (10.0, factor), (1e-4, 1e-1), (0.9, 0.85)
    z = Surrogate(*arcs, tail=np.zeros_like, inductance_henry=0.0).impedance(f)
    a = distribution(Spectrum.of(f, z), chosen, tail="none")
    b = distribution(Spectrum.of(f * shift, z), chosen, tail="none")
    np.testing.assert_allclose(b.tau_second * shift, a.tau_second, rtol=1e-9)
    close = 1e-6 * a.gamma_ohm.max()
    np.testing.assert_allclose(b.gamma_ohm, a.gamma_ohm, atol=close)


@settings(max_examples=60)
@given(
    st.integers(0, 2**31),
    st.floats(-1.0, 3.0),
    st.floats(2.0, 7.0),
    st.integers(5, 12),
    st.sampled_from([0.0, 1e-4, 1e-3, 3e-3]),
)
def test_any_cell_is_consistent_with_kramers_and_kronig(
    seed, slowest, decades, per_decade, noise
):
    count = int(per_decade * decades) + 1
    f = np.logspace(slowest + decades, slowest, count)
    z = noisy(random_surrogate(seed).impedance(f), noise, seed)
    k = kramers_kronig(Spectrum.of(f, z))
    assert k.consistent
    assert k.residual_percent <= 100.0 * noise * np.sqrt(2.0) * 1.5 + 0.05
