"""One sphere with a constant flux, against the series of Crank (1975), Eq. 6.45."""

from functools import cache

import numpy as np
import pytest
from scipy.optimize import brentq

from engine_cells import (
    LINEAR_POSITIVE,
    SMOOTH_NEGATIVE,
    capacity_coulomb,
    cell,
    charge,
    discharge,
    fixed,
    machine,
    now_of,
)
from equipoise.core.status import Status
from equipoise.kernels.layout import SURFACE
from equipoise.kernels.particle import sphere, weights
from equipoise.sim.mesh import Mesh, Stepping

RADIUS_M, DIFFUSIVITY = 2e-6, 1e-15  # 2 um, 1e-11 cm2/s
FINE = Stepping(tolerance_volt=1e-8, first_fraction=1e-7, most_substeps_count=1_000_000)


@cache
def roots(count=400):
    """Positive roots of tan a = a."""
    return np.array(
        [
            brentq(lambda a: np.sin(a) - a * np.cos(a), n * np.pi, (n + 0.5) * np.pi)
            for n in range(1, count + 1)
        ]
    )


def surface_change(tau, per_flux=1.0):
    """(c_s - c_0) D / (flux R) after tau = D t / R2."""
    a = roots()
    series = 2.0 * np.sum(np.exp(-np.outer(np.atleast_1d(tau), a**2)) / a**2, axis=1)
    return per_flux * (3.0 * tau + 0.2 - series)


def profile_change(r, tau):
    a = roots()
    decay = np.exp(-(a**2) * tau) / (a**2 * np.sin(a))
    inner = np.sin(np.outer(r, a)) / r[:, None]
    return 3.0 * tau + 0.5 * r**2 - 0.3 - 2.0 * inner @ decay


def loaded(shells, seconds, *, grading=1.0, stepping=FINE, c_rate=0.5):
    """A single particle charged at constant current for a time."""
    known = cell({"open_circuit": LINEAR_POSITIVE}, {"open_circuit": SMOOTH_NEGATIVE})
    driven = machine(
        known,
        (charge(c_rate, until_time_second=float(seconds), until_voltage_volt=9.0),),
        model="spm",
        mesh=Mesh(shells_count=shells, shell_grading=grading),
        stepping=stepping,
    )
    assert driven.advance(1) == Status.OK
    x = driven.positive.x[now_of(driven), :, 0]
    surface = driven.positive.column[SURFACE + 1, 0]
    ampere = driven.program.steps[0, 1]
    rate = ampere / capacity_coulomb(driven.lowered.positive)  # -d(mean x)/dt
    # flux of the unit sphere x R2/D: what multiplies the dimensionless solution
    scale = rate / 3.0 * RADIUS_M**2 / DIFFUSIVITY
    return x, surface, scale, driven


def tau_of(seconds):
    return DIFFUSIVITY * seconds / RADIUS_M**2


def test_shells_of_a_sphere_are_exact_for_a_parabola():
    """C_m times the difference of shell means is the flux r2 dx/dr of x = r2 / 2."""
    for shells in (1, 2, 7, 20):
        for grading in (1.0, 1.7, 4.0):
            conductance, volume = sphere(shells, grading)
            r = 1.0 - (1.0 - np.linspace(0.0, 1.0, shells + 1)) ** grading
            mean = 0.5 * np.diff(r**5) / 5.0 / volume
            assert volume.sum() == pytest.approx(1.0 / 3.0, rel=1e-14)
            np.testing.assert_allclose(
                conductance[:-1] * np.diff(mean), r[1:-1] ** 3, rtol=1e-9
            )
            assert conductance[-1] * (0.5 - mean[-1]) == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0, 1.7, 2.0])
def test_backward_differences_are_exact_for_a_parabola(ratio):
    """a0 y(h) - a1 y(0) + a2 y(-h/ratio) = h y'(h) for 1, t, t2."""
    a0, a1, a2 = weights(ratio, 2)
    back = -1.0 / ratio
    for power, slope in ((0, 0.0), (1, 1.0), (2, 2.0)):
        left = a0 - a1 * 0.0**power + a2 * back**power
        assert left == pytest.approx(slope, abs=1e-12)
    assert weights(ratio, 1) == (1.0, 1.0, 0.0)


@pytest.mark.parametrize("grading", [1.0, 1.5])
@pytest.mark.parametrize("seconds", [100.0, 400.0, 1600.0])
def test_surface_follows_the_analytic_solution(seconds, grading):
    """tau = 0.025 to 0.4; 80 shells: (1/80)^2 of a change of order 0.3."""
    _, surface, scale, _ = loaded(80, seconds, grading=grading)
    exact = -float(surface_change(tau_of(seconds))[0])
    assert (surface - 1.0) / scale == pytest.approx(exact, abs=1e-4)


def test_surface_converges_with_second_order_in_the_shells():
    """At tau = 0.05 the profile is far from a parabola, which would be exact."""
    seconds = 200.0
    exact = -float(surface_change(tau_of(seconds))[0])
    errors = []
    for shells in (5, 10, 20, 40):
        _, surface, scale, _ = loaded(shells, seconds)
        errors.append(abs((surface - 1.0) / scale - exact))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders.min() > 1.8, (errors, orders)
    assert errors[-1] < 1e-3


def test_profile_follows_the_analytic_solution():
    seconds, shells = 400.0, 60
    x, _, scale, _ = loaded(shells, seconds)
    edges = np.linspace(0.0, 1.0, shells + 1)
    nodes, gauss = np.polynomial.legendre.leggauss(5)
    volume = np.diff(edges**3) / 3.0
    mean = np.zeros(shells)
    for m in range(shells):
        r = 0.5 * (edges[m] + edges[m + 1] + nodes / shells)
        f = profile_change(r, tau_of(seconds)) * r**2
        mean[m] = (gauss @ f) * 0.5 / shells / volume[m]
    np.testing.assert_allclose((x - 1.0) / scale, -mean, atol=2e-4)


@pytest.mark.parametrize("shells", [1, 2, 5, 20])
@pytest.mark.parametrize("grading", [1.0, 2.0])
def test_quasi_steady_profile_is_exact_on_any_mesh(shells, grading):
    """Shell distances that make a parabola exact: mean - surface = flux R / 5 D."""
    seconds = 5600.0  # tau = 1.4: the slowest transient has decayed by exp(-28)
    x, surface, scale, _ = loaded(shells, seconds, grading=grading, c_rate=0.3)
    _, volume = sphere(shells, grading)
    mean = 3.0 * float(volume @ x)
    assert mean == pytest.approx(1.0 - 3.0 * scale * tau_of(seconds), abs=1e-12)
    assert surface - mean == pytest.approx(-scale / 5.0, rel=2e-5)
    r = 1.0 - (1.0 - np.linspace(0.0, 1.0, shells + 1)) ** grading
    parabola = 0.5 * np.diff(r**5) / 5.0 / volume - 0.3
    np.testing.assert_allclose((x - mean) / scale, -parabola, atol=2e-5)


def test_one_shell_is_the_parabolic_model_at_once():
    """With one shell the surface is always flux R / 5 D away from the mean."""
    for seconds in (1.0, 10.0, 1000.0):
        x, surface, scale, _ = loaded(1, seconds)
        # 1e-6: the last Newton correction of the surface is not evaluated
        assert surface - x[0] == pytest.approx(-scale / 5.0, abs=1e-6 * scale)


def diffusing(shells, dependence):
    known = cell(
        {"open_circuit": LINEAR_POSITIVE, "diffusivity_cm2_per_s": dependence},
        {"open_circuit": SMOOTH_NEGATIVE},
    )
    driven = machine(
        known,
        (
            charge(0.5, until_time_second=2400.0, until_voltage_volt=9.0),
            discharge(0.5, until_time_second=1200.0, until_voltage_volt=-9.0),
        ),
        model="spm",
        mesh=Mesh(shells_count=shells),
        stepping=fixed(2e-3),
    )
    assert driven.advance(2) == Status.OK
    return driven.positive.column[SURFACE + 1, 0]


def test_second_order_in_the_shells_where_diffusivity_varies_tenfold():
    """Full particles are slow, as in Ni-rich oxides; all on the same time steps."""
    dependence = {"lithiation_fraction": [0.0, 1.0], "values": [3e-11, 3e-12]}
    fine = diffusing(320, dependence)
    errors = [abs(diffusing(m, dependence) - fine) for m in (10, 20, 40, 80)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders.min() > 1.8, (errors, orders)
