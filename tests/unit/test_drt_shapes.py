"""Shapes of one relaxation: area, width, derivatives, and the arc they stand for."""

import numpy as np
import pytest
from scipy.integrate import quad

from equipoise.analysis.eis.drt.shapes import (
    SHAPES,
    full_width,
    gaussian,
    shape,
    width_for,
    zarc,
)

WIDTHS = {"gaussian": (-1.5, -0.3, 0.7), "zarc": (0.5, 0.72, 0.9, 0.97)}
CASES = [(kind, w) for kind in SHAPES for w in WIDTHS[kind]]
Y = np.linspace(-6.0, 6.0, 41)


@pytest.mark.parametrize(("kind", "width"), CASES)
def test_the_area_is_the_resistance(kind, width):
    def gamma(y):
        return shape(kind, np.array([y]), np.log(7.0), width)[0][0]

    # even; a ZARC decays as exp(-phi y)
    area = 2.0 * quad(gamma, 0.0, 60.0, points=[0.5, 5.0], epsabs=1e-12, limit=200)[0]
    assert area == pytest.approx(7.0, rel=1e-9)


@pytest.mark.parametrize(("kind", "width"), CASES)
def test_half_the_height_is_at_half_the_full_width(kind, width):
    full = full_width(kind, width)
    top, left, right = shape(kind, np.array([0, -full / 2, full / 2]), 0.0, width)[0]
    assert left == pytest.approx(0.5 * top, rel=1e-12)
    assert right == pytest.approx(0.5 * top, rel=1e-12)


@pytest.mark.parametrize(("kind", "width"), CASES)
def test_derivatives_are_those_of_the_value(kind, width):
    _, slopes = shape(kind, Y, 0.4, width)
    step = 1e-5

    def central(plus, minus):
        return (plus[0] - minus[0]) / (2.0 * step)

    by_area = central(
        shape(kind, Y, 0.4 + step, width), shape(kind, Y, 0.4 - step, width)
    )
    # a later centre is an earlier y
    by_centre = central(
        shape(kind, Y - step, 0.4, width), shape(kind, Y + step, 0.4, width)
    )
    by_width = central(
        shape(kind, Y, 0.4, width + step), shape(kind, Y, 0.4, width - step)
    )
    for own, other in zip(slopes, (by_area, by_centre, by_width), strict=True):
        np.testing.assert_allclose(own, other, atol=1e-6 * np.abs(own).max())


def test_a_gaussian_is_its_formula():
    # h exp(-y^2 / (2 s^2)), area h s sqrt(2 pi): not (2 s)^2, as one export has it
    value, _ = gaussian(Y, np.log(3.0), np.log(0.8))
    h = 3.0 / (0.8 * np.sqrt(2.0 * np.pi))
    np.testing.assert_allclose(value, h * np.exp(-(Y**2) / (2 * 0.8**2)), rtol=1e-13)


@pytest.mark.parametrize("phi", [0.6, 0.85, 0.95])
def test_a_zarc_has_the_impedance_of_an_arc(phi):
    y = np.linspace(-60.0, 60.0, 240_001)
    value, _ = zarc(y, np.log(20.0), phi)
    for w in (0.05, 1.0, 30.0):
        z = np.trapezoid(value / (1.0 + 1j * w * np.exp(y)), y)
        assert z == pytest.approx(20.0 / (1.0 + (1j * w) ** phi), abs=2e-5)


def test_shapes_far_away_are_zero_not_an_overflow():
    for kind in SHAPES:
        value, slopes = shape(kind, np.array([-1e4, 1e4]), 0.0, WIDTHS[kind][1])
        assert (value < 1e-100).all()
        assert np.isfinite(slopes).all()


@pytest.mark.parametrize("full", [0.5, 1.0, 3.0, 7.0])
def test_a_width_is_found_for_a_full_width(full):
    for kind, close in (("gaussian", 1e-12), ("zarc", 0.05)):
        assert full_width(kind, width_for(kind, full)) == pytest.approx(full, rel=close)
