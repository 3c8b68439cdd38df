import numpy as np
import polars as pl

from equipoise.viz.time_series import MOST_POINTS, thinned, time_series


def table(n, **more):
    return pl.DataFrame(
        {
            "test_time_second": np.arange(n) * 3600.0,
            "voltage_volt": np.linspace(3.0, 4.0, n),
            "current_ampere": np.full(n, 2e-3),
            **more,
        }
    )


def test_it_shows_voltage_in_volt_and_a_small_current_in_ma_over_hours():
    top, bottom = time_series(table(11), name="A").axes
    (line,) = top.lines
    assert line.get_xdata().tolist() == list(range(11))
    assert line.get_ydata()[-1] == 4.0
    assert bottom.lines[0].get_ydata()[0] == 2.0
    assert "mA" in bottom.get_ylabel()


def test_potentials_are_against_what_is_known():
    both = {
        "positive_electrode_potential_volt": np.full(5, 4.0),
        "negative_electrode_potential_volt": np.full(5, 1.5),
    }
    top = time_series(table(5, **both), name="A", reference="Li⁺/Li").axes[0]
    assert "vs Li⁺/Li" in top.get_ylabel()
    assert len(top.lines) == 3
    top = time_series(table(5, **both), name="A").axes[0]
    assert "vs the reference" in top.get_ylabel()


def test_thinning_keeps_every_spike():
    values = np.zeros(10 * MOST_POINTS)
    values[[777, 123_456]] = 5.0, -5.0
    at = thinned(values)
    assert at.size <= MOST_POINTS + 2
    assert {777, 123_456} <= set(at.tolist())
