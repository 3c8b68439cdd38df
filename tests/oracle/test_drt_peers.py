"""Our distribution of relaxation times is that of DRTtools, at its own settings.

pyDRTtools runs in an environment of its own, as a process. Its answer is compared
twice. With cvxopt driven to 1e-12 both solve the same problem, and gamma agrees to
1e-3 of its maximum everywhere. As it comes, cvxopt stops early: its
gamma lies 10 to 70 % off the optimum at single points and 1 to 6 % in norm, while the
integrals over the windows of interest move by less than 1 %.

A third route, scipy's non-negative least squares on matrices of its own, needs nothing
installed and judges both.
"""

import numpy as np
import pytest
from eis_call import Peer, PeerError
from eis_reference import Problem
from eis_surrogates import (
    CHARGE_TRANSFER_SECOND,
    INTERPHASE_SECOND,
    bare,
    measured,
)

from equipoise.analysis.eis.drt.distribution import distribution
from equipoise.analysis.eis.drt.settings import DrtSettings
from equipoise.spec.spectrum import Spectrum
from real_data import data_file

pytestmark = pytest.mark.oracle

INDUCTANCE = {"none": 0, "fit": 1, "discard": 2}  # as DRTtools counts them
STRENGTH = 1e-4
TUTORIAL = ("1ZARC", "2ZARC0", "2ZARC3")
MADE = {
    "S1 cleaned": lambda: bare("S1", 1e-3, 1),
    "S1": lambda: measured("S1", noise=1e-3, seed=1),
    "S2 cleaned": lambda: bare("S2", 5e-3, 2),
    "S2": lambda: measured("S2", noise=5e-3, seed=2),
}


def points(name):
    """Frequencies and impedance of a case."""
    if name in MADE:
        return MADE[name]()
    table = np.loadtxt(
        data_file(f"eis/pydrttools/{name}.csv"), delimiter=",", skiprows=1
    )
    return table[:, 1], table[:, 2] + 1j * table[:, 3]


def ours(f, z, inductance):
    settings = DrtSettings(collocation="drttools", inductance=inductance)
    return distribution(Spectrum.of(f, z), settings, tail="none")


@pytest.fixture(scope="module")
def drttools():
    try:
        peer = Peer("drttools")
    except PeerError as error:
        pytest.skip(f"pyDRTtools cannot be run here: {error}")
    with peer:
        yield peer


# points left out make their matrices take seconds: only one file with that
every_case = pytest.mark.parametrize(
    ("name", "inductance"),
    [(name, kind) for name in (*MADE, *TUTORIAL) for kind in ("none", "fit")]
    + [("1ZARC", "discard")],
)


@every_case
def test_it_is_the_exact_solution(name, inductance):
    """Of scipy's non-negative least squares, to its accuracy."""
    found = ours(*points(name), inductance)
    used = found.spectrum
    f, z = used.frequency_hertz, used.impedance_ohm
    problem = Problem.of(f, inductance=inductance == "fit")
    x = problem.solve(z, STRENGTH)
    tau = np.geomspace(0.3 / f.max(), 3.0 / f.min(), 1000)
    wanted = problem.gamma(x, tau)
    np.testing.assert_allclose(found.gamma_at(tau), wanted, atol=1e-8 * wanted.max())
    assert found.series_resistance_ohm == pytest.approx(x[0], rel=1e-8)
    if inductance == "fit":
        top = np.abs(z).max() / f.max()  # an inductance that would be seen
        assert found.inductance_henry == pytest.approx(x[1], abs=1e-9 * top)


@every_case
def test_pydrttools_solved_tightly_agrees(drttools, name, inductance):
    f, z = points(name)
    theirs = drttools.ask(
        "drt", f, z, inductance=INDUCTANCE[inductance], tolerance=1e-12
    )
    found = ours(f, z, inductance)
    gamma = found.gamma_at(theirs["tau_second"])
    np.testing.assert_allclose(theirs["gamma_ohm"], gamma, atol=1e-3 * gamma.max())
    assert found.shape_factor_ratio == pytest.approx(theirs["epsilon"], rel=1e-9)
    assert found.series_resistance_ohm == pytest.approx(
        theirs["series_resistance_ohm"], rel=1e-6
    )


@every_case
def test_pydrttools_as_it_comes_agrees_in_what_counts(drttools, name, inductance):
    f, z = points(name)
    theirs = drttools.ask("drt", f, z, inductance=INDUCTANCE[inductance])
    found = ours(f, z, inductance)
    tau, gamma = theirs["tau_second"], theirs["gamma_ohm"]
    off = np.linalg.norm(gamma - found.gamma_at(tau))
    assert off < 0.10 * np.linalg.norm(gamma)
    for window in (INTERPHASE_SECOND, CHARGE_TRANSFER_SECOND):
        mine = found.window_ohm(*window)
        inside = (tau >= window[0]) & (tau <= window[1])
        theirs_ohm = np.trapezoid(gamma[inside], np.log(tau[inside]))
        # 1 % of the window, or of all: a window without a relaxation is noise
        limit = 0.01 * max(mine, 0.5 * found.polarisation_ohm)
        assert abs(mine - theirs_ohm) < limit, window


def test_golden_numbers():
    """Cell S1 without noise, tail and inductance; pyDRTtools' matrices gave these."""
    f, z = bare("S1", 0.0)
    found = ours(f, z, "none")
    assert found.shape_factor_ratio == pytest.approx(3.615738735089, rel=1e-12)
    assert found.series_resistance_ohm == pytest.approx(14.30709926, abs=1e-8)
    at = 10.0 ** np.array([-6.0, -1.5, -0.5])
    wanted = [13.408460, 14.434596, 15.394396]
    np.testing.assert_allclose(found.gamma_at(at), wanted, atol=1e-6)


def test_matrices_of_pydrttools(drttools):
    """The independent matrices of eis_reference are theirs."""
    f, z = bare("S1", 0.0)
    theirs = drttools.ask("matrices", f, z)
    mine = Problem.of(f, inductance=False)
    # scipy.quad of pyDRTtools is asked for 1e-9
    np.testing.assert_allclose(mine.real[:, 1:], theirs["real"], atol=1e-9)
    np.testing.assert_allclose(mine.imaginary[:, 1:], theirs["imaginary"], atol=1e-9)
    np.testing.assert_allclose(mine.penalty[1:, 1:], theirs["penalty"], atol=1e-12)
