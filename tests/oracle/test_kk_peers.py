"""Our Kramers-Kronig test and that of impedance.py judge the same spectra alike.

impedance.py fits with the settings of its tutorial: both parts, a series capacitance,
as many relaxations as its mu asks for. Models differ, so residuals are not compared
point by point but in what they say: noise where there is only noise, and an offence
where one was put.
"""

import numpy as np
import pytest
from eis_call import Peer, PeerError
from eis_surrogates import measured

from equipoise.analysis.eis.kramers_kronig import kramers_kronig
from equipoise.spec.spectrum import Spectrum
from real_data import data_file

pytestmark = pytest.mark.oracle
NOISES = (1e-3, 5e-3)


def ours(f, z):
    """Relative residual of each point, complex, at falling frequencies."""
    return kramers_kronig(Spectrum.of(f, z)).residual_ratio


@pytest.fixture(scope="module")
def impedance_py():
    try:
        peer = Peer("impedance_py")
    except PeerError as error:
        pytest.skip(f"impedance.py cannot be run here: {error}")
    with peer:
        yield peer


def theirs(peer, f, z):
    found = peer.ask("kramers_kronig", f, z)
    return found["residual_real"] + 1j * found["residual_imaginary"]


def rms(residual):
    """Of one part."""
    return np.sqrt(np.mean(np.abs(residual) ** 2) / 2.0)


@pytest.mark.parametrize("tail", ["warburg", "cpe 0.60", "none"])
@pytest.mark.parametrize("noise", NOISES)
def test_noise_is_seen_as_noise_by_both(impedance_py, tail, noise):
    """A fit with k unknowns leaves sqrt(1 - k / 2N) of the noise; k is 10 to 60 %."""
    f, z = measured("S1", tail, noise, seed=3)
    for residual in (ours(f, z), theirs(impedance_py, f, z)):
        assert 0.6 * noise < rms(residual) < 1.15 * noise


@pytest.mark.parametrize("hertz", [10.0, 1e3])
def test_an_offence_is_found_at_its_place_by_both(impedance_py, hertz):
    """5 % more real part within a third of a decade: no response does that.

    What a fit can take up of it is less than half of it.
    """
    f, z = measured("S1", noise=1e-3, seed=4)
    z = z + 0.05 * np.exp(-((np.log10(f / hertz) / 0.15) ** 2)) * z.real
    found = [ours(f, z), theirs(impedance_py, f, z)]
    for residual in found:
        assert f[np.argmax(np.abs(residual))] == pytest.approx(hertz)
        assert 0.02 < np.abs(residual).max() < 0.05
    assert rms(found[0]) == pytest.approx(rms(found[1]), rel=0.2)


def test_measured_spectrum_of_impedance_py(impedance_py):
    """Residuals of its own example: the same size, within a factor of two."""
    table = np.loadtxt(data_file("eis/impedance_py/exampleData.csv"), delimiter=",")
    f, z = table[:, 0], table[:, 1] + 1j * table[:, 2]
    f, z = f[z.imag < 0.0], z[z.imag < 0.0]
    mine, other = rms(ours(f, z)), rms(theirs(impedance_py, f, z))
    assert 0.5 * other < mine < 2.0 * other
