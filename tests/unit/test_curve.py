import numpy as np
import pytest

from equipoise.core.errors import SpecError
from equipoise.spec.curve import Curve


def rising(**changes):
    return Curve.through(
        [0.0, 50.0, 100.0, 200.0], [3.0, 3.6, 3.8, 4.3], axis="delithiated", **changes
    )


def falling():
    return Curve.through([0.0, 50.0, 132.0], [2.0, 1.5, 1.0], axis="lithiated")


def test_a_curve_passes_its_knots():
    # knots fall between nodes, off by at most one step of the table (0.024 mAh/g)
    np.testing.assert_allclose(
        rising().potential([0.0, 50.0, 100.0, 200.0]), [3.0, 3.6, 3.8, 4.3], atol=2e-6
    )


@pytest.mark.parametrize(
    ("axis", "u", "word"),
    [
        ("delithiated", [3.0, 3.5, 3.4, 4.0], "rise"),
        ("lithiated", [2, 1, 1.2, 0], "fall"),
    ],
)
def test_a_curve_against_its_axis_is_refused(axis, u, word):
    with pytest.raises(SpecError, match=f"must {word}(.|\n)*check the declared"):
        Curve.through([0.0, 1.0, 2.0, 3.0], u, axis=axis)


def test_a_curve_with_nan_is_refused():
    with pytest.raises(SpecError, match="not finite"):
        Curve.through([0, 1, 2, 3], [3.0, np.nan, 3.5, 4.0], axis="delithiated")


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_answers_have_the_shape_of_the_question(shape):
    at = np.full(shape, 70.0)
    curve = rising()
    for method in (curve.potential, curve.slope, curve.integral, curve.capacity_at):
        assert np.shape(method(at)) == shape
    assert np.shape(curve.beyond_mah_per_g(at)) == shape


@pytest.mark.parametrize("name", ["potential", "slope", "integral"])
def test_nan_stays_nan(name):
    out = getattr(rising(), name)([np.nan, 70.0])
    assert np.isnan(out[0])
    assert np.isfinite(out[1])


@pytest.mark.parametrize("curve", [rising(), falling()], ids=["rising", "falling"])
def test_capacity_at_undoes_potential(curve):
    q = np.linspace(0.0, curve.stop_mah_per_g, 57)
    np.testing.assert_allclose(curve.capacity_at(curve.potential(q)), q, atol=1e-9)


def test_beyond_the_ends_the_capacity_at_a_potential_is_the_end():
    assert rising().capacity_at(5.0) == 200.0
    assert rising().capacity_at(1.0) == 0.0
    assert falling().capacity_at(5.0) == 0.0
    assert falling().capacity_at(0.1) == 132.0


def test_what_lies_outside_the_measured_range_is_counted():
    curve = rising(measured_mah_per_g=(20.0, 190.0))
    np.testing.assert_allclose(
        curve.beyond_mah_per_g([0.0, 20.0, 100.0, 190.0, 205.0]),
        [20.0, 0.0, 0.0, 0.0, 15.0],
    )


def test_a_stretched_curve_keeps_its_end_and_every_share_of_the_way():
    curve = rising()
    squeezed = curve.stretched(27.0)
    assert squeezed.stop_mah_per_g == pytest.approx(200.0, abs=1e-9)
    assert squeezed.measured_from_mah_per_g == 27.0
    share = np.linspace(0.0, 1.0, 11)
    np.testing.assert_allclose(
        squeezed.potential(27.0 + share * 173.0),
        curve.potential(share * 200.0),
        atol=1e-9,
    )


def test_a_stretched_curve_has_its_own_slope_and_integral():
    curve, squeezed = rising(), rising().stretched(27.0)
    k = 173.0 / 200.0
    assert squeezed.slope(27.0 + 0.5 * 173.0) == pytest.approx(
        curve.slope(100.0) / k, rel=1e-9
    )
    assert squeezed.integral(200.0) == pytest.approx(k * curve.integral(200.0))


def test_a_curve_measured_from_later_is_stretched_from_there():
    curve = rising(measured_mah_per_g=(20.0, 180.0))
    squeezed = curve.stretched(40.0)
    assert squeezed.potential(40.0) == pytest.approx(curve.potential(20.0), abs=1e-9)
    k = 160.0 / 180.0
    assert squeezed.measured_to_mah_per_g == pytest.approx(200.0 - k * 20.0)


@pytest.mark.parametrize("lock", [200.0, 250.0])
def test_a_lock_larger_than_the_curve_is_refused(lock):
    with pytest.raises(SpecError, match=r"leaves nothing(.|\n)*10-30 mAh/g"):
        rising().stretched(lock)


def test_the_original_is_not_changed_by_stretching():
    curve = rising()
    before = curve.potential_vs_li_volt.copy()
    curve.stretched(27.0)
    np.testing.assert_array_equal(curve.potential_vs_li_volt, before)
    assert curve.start_mah_per_g == 0.0
