import numpy as np
import pytest

from equipoise.core.status import Status
from equipoise.kernels.cutoff import cutoff

# straight lines, so that the root is known: U_p = 3 + q/100, U_n = 2 - z/50
NODES = 101
U_P = 3.0 + np.linspace(0.0, 200.0, NODES) / 100.0
U_N = 2.0 - np.linspace(0.0, 100.0, NODES) / 50.0


def stop(volt, *, a=0.0, b=0.5, lo=0.0, hi=200.0, run=cutoff):
    arrays = np.broadcast_arrays(*(np.asarray(x, float) for x in (a, b, volt, lo, hi)))
    a, b, v, lo, hi = (np.array(x).ravel() for x in arrays)
    q, status = np.empty(a.size), np.full(a.size, 99, np.int8)
    run(U_P, 0.0, 0.5, U_N, 0.0, 1.0, a, b, v, lo, hi, q, status)
    return q, status


def test_the_root_of_straight_lines_is_exact():
    # 3 + q/100 - 2 + q/100 = V
    volt = np.linspace(1.1, 4.9, 50)
    q, status = stop(volt)
    np.testing.assert_allclose(q, (volt - 1.0) * 50.0, atol=1e-9)
    assert (status == Status.OK).all()


def test_slippage_moves_the_root():
    q, _ = stop(2.0, a=10.0)  # 3 + q/100 - 2 + (10 + q/2)/50 = 2
    assert q[0] == pytest.approx((1.0 - 0.2) / (2.0 / 100.0), abs=1e-9)


@pytest.mark.parametrize(
    ("volt", "status"),
    [(5.5, Status.CUTOFF_ABOVE_CURVES), (0.5, Status.CUTOFF_BELOW_CURVES)],
)
def test_a_voltage_outside_the_bracket_has_a_status_and_no_root(volt, status):
    q, found = stop([2.0, volt])
    assert found.tolist() == [Status.OK, status]
    assert np.isfinite(q[0])
    assert np.isnan(q[1])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["a", "b", "volt", "lo", "hi"])
def test_an_input_that_is_not_finite_has_its_own_status(name, value):
    keywords = {"volt": 2.0} | {name: value}
    q, status = stop(**keywords)
    assert status[0] == Status.NOT_FINITE
    assert np.isnan(q[0])


@pytest.mark.parametrize("volt", [1.0, 5.0])
def test_the_ends_of_the_bracket_are_roots_too(volt):
    q, status = stop(volt)
    assert status[0] == Status.OK
    assert q[0] == pytest.approx((volt - 1.0) * 50.0, abs=1e-9)


def test_a_bad_cell_does_not_disturb_its_neighbours():
    volt = np.array([2.0, np.nan, 2.0, 9.0, 2.0])
    q, status = stop(volt)
    assert status.tolist() == [0, 3, 0, 1, 0]
    assert q[0] == q[2] == q[4]


def test_a_flat_stretch_in_both_curves_still_stops_at_the_cut_off():
    flat = np.array([3.0, 4.0, 4.0, 4.0, 5.0])
    level = np.full(5, 1.5)
    q, status = np.empty(1), np.empty(1, np.int8)
    one = np.ones(1)
    cutoff(
        flat,
        0.0,
        1.0,
        level,
        0.0,
        1.0,
        0 * one,
        one,
        2.5 * one,
        0 * one,
        4 * one,
        q,
        status,
    )
    assert status[0] == Status.OK
    assert 1.0 - 1e-9 <= q[0] <= 3.0 + 1e-9  # anywhere on the plateau


def test_inputs_are_left_alone():
    volt = np.array([2.0])
    stop(volt)
    assert volt[0] == 2.0
    assert U_P[0] == 3.0
