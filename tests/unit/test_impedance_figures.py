"""Figures of impedance show their results, with units, and nothing is cut off."""

import re
from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.text import Text

from equipoise.analysis.eis.kramers_kronig import kramers_kronig
from equipoise.core.errors import DataError, SpecError
from equipoise.spec.spectrum import Spectrum
from equipoise.study.impedance import analyse_spectra
from equipoise.viz.impedance_axes import power_of_ten, scale_of, seconds
from equipoise.viz.impedance_bars import counted, resistance_bars
from equipoise.viz.impedance_bode import bode
from equipoise.viz.impedance_drt import drt
from equipoise.viz.impedance_figures import impedance_figures
from equipoise.viz.impedance_nyquist import nyquist
from equipoise.viz.impedance_residuals import COLOURS, residuals
from equipoise.viz.impedance_tails import tail_ensemble
from equipoise.viz.style import KNOWN_CELLS, style, svg_text

AREA = 0.785
F = np.logspace(6, -1, 71)
JW = 2j * np.pi * F
MINUS = "\N{MINUS SIGN}"


def cell(name, size=1.0, *, area=AREA, seed=1, factor=1.0):
    arcs = [
        (8, 3e-7),
        (9.3, 6e-5),
        (10, 1.2e-3),
        (22.8 * size, 0.025),
        (24 * size, 0.2),
    ]
    z = 12 + 2e-7 * JW + 14 * JW**-0.5
    z = factor * (z + sum(r / (1 + (JW * tau) ** 0.9) for r, tau in arcs))
    n = np.random.default_rng(seed).standard_normal((2, F.size))
    return Spectrum.of(
        F, z + 1e-3 * abs(z) * (n[0] + 1j * n[1]), area_cm2=area, name=name
    )


@pytest.fixture(scope="module")
def two():
    return analyse_spectra([cell("HB"), cell("LB", 0.4, seed=2)]).analyses


@pytest.fixture(scope="module")
def one():
    spectrum = cell("HB", seed=3)
    z = spectrum.impedance_ohm.copy()
    z[20] *= 1.03
    bad = Spectrum.of(F, z, area_cm2=AREA, name="HB")
    return analyse_spectra([bad], credible=True).analyses[0]


@pytest.fixture(scope="module")
def series():
    cells = [cell(f"cycle {i}", 1 + 0.05 * i, seed=i) for i in range(14)]
    return analyse_spectra(cells, tails=["warburg", "cpe"]).analyses


def lines(ax, label):
    (found,) = [x for x in ax.lines if x.get_label() == label]
    return np.stack(found.get_data())


def texts(figure):
    """All texts that are drawn, with their extent on paper."""
    with style():
        figure.draw_without_rendering()
        outside = set()
        for ax in figure.axes:
            for axis in (ax.xaxis, ax.yaxis):
                low, high = sorted(axis.get_view_interval())
                room = 1e-6 * (low if axis.get_scale() == "log" else high - low)
                for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                    if not low - room <= tick.get_loc() <= high + room:
                        outside |= {id(tick.label1), id(tick.label2)}
        return [
            (t.get_text(), t.get_window_extent())
            for t in figure.findobj(Text)
            if t.get_visible() and t.get_text().strip() and id(t) not in outside
        ]


def assert_clean(figure):
    """No text leaves the paper, none lies on another."""
    paper, drawn = figure.bbox, texts(figure)
    assert len(drawn) > 5
    for text, box in drawn:
        assert box.x0 >= paper.x0 - 1, text
        assert box.x1 <= paper.x1 + 1, text
        assert box.y0 >= paper.y0 - 1, text
        assert box.y1 <= paper.y1 + 1, text
    for (a, first), (b, second) in combinations(drawn, 2):
        wide = min(first.x1, second.x1) - max(first.x0, second.x0)
        high = min(first.y1, second.y1) - max(first.y0, second.y0)
        assert wide <= 1.0 or high <= 1.5, (a, b)


# --- Nyquist


def test_nyquist_shows_the_data_per_area_with_equal_axes(two):
    figure = nyquist(
        [a.spectrum for a in two], fits=[a.resistances.best.impedance_ohm for a in two]
    )
    (ax,) = figure.axes
    assert ax.get_aspect() == 1.0
    assert ax.get_xlabel().endswith("/ Ω cm²")
    assert ax.get_ylabel().startswith(f"{MINUS}Z")
    for a in two:
        x, y = lines(ax, a.name)
        z = AREA * a.spectrum.impedance_ohm
        assert x == pytest.approx(z.real)
        assert y == pytest.approx(-z.imag)
    x, y = lines(ax, "fit")  # of the first
    z = AREA * two[0].resistances.best.impedance_ohm(np.array([1e6, 0.1]))
    assert x[[0, -1]] == pytest.approx(z.real)
    assert y[[0, -1]] == pytest.approx(-z.imag)
    assert_clean(figure)


def test_decades_are_filled_and_named_where_they_are(two):
    spectrum = two[0].spectrum
    figure = nyquist([spectrum])
    (ax,) = figure.axes
    places = {
        (round(float(x.get_xdata()[0]), 6), round(float(x.get_ydata()[0]), 6))
        for x in ax.lines
        if len(x.get_xdata()) == 1
    }
    z = AREA * spectrum.impedance_ohm[::10]  # 10 points per decade from 1 MHz
    assert places == {(round(v.real, 6), round(-v.imag, 6)) for v in z}
    named = {t.get_text().removesuffix(" Hz"): t.xy for t in ax.texts}
    assert power_of_ten(-1) in named
    for i, exponent in enumerate(range(6, -2, -1)):
        if power_of_ten(exponent) in named:
            at = named[power_of_ten(exponent)]
            assert at == pytest.approx((z[i].real, -z[i].imag))


def test_outliers_are_ringed_not_dropped(one):
    doubtful = one.kramers_kronig.outliers
    assert doubtful.sum() == 1
    figure = nyquist([one.spectrum], outliers=[doubtful])
    (ax,) = figure.axes
    assert lines(ax, "HB").shape[1] == 71
    ring = lines(ax, "Kramers-Kronig outlier")
    assert ring[:, 0] == pytest.approx(
        [
            AREA * one.spectrum.impedance_ohm[20].real,
            -AREA * one.spectrum.impedance_ohm[20].imag,
        ]
    )
    assert_clean(figure)


def test_offset_lifts_all_but_the_last(two):
    figure = nyquist([a.spectrum for a in two], offset=True)
    (ax,) = figure.axes
    z = [AREA * a.spectrum.impedance_ohm for a in two]
    assert lines(ax, "LB")[1] == pytest.approx(-z[1].imag)
    lift = lines(ax, "HB")[1] + z[0].imag
    assert lift.min() == pytest.approx(lift.max())
    assert lift[0] > 0.5 * (-z[1].imag).max()
    assert "offset" in ax.get_ylabel()
    assert_clean(figure)


def test_a_long_series_stays_readable(series):
    drawn = impedance_figures(series)
    assert set(drawn) == {"nyquist", "bode", "drt", "resistances"}
    for figure in drawn.values():
        for legend in figure.legends:
            assert len(legend.get_texts()) <= 6
        assert_clean(figure)


def test_unknown_area_stays_ohm_and_large_ones_are_kilo():
    assert scale_of([cell("a"), cell("b", area=None)]).unit == "Ω"
    thousand = scale_of([cell("a", area=None, factor=1e3)])
    assert (thousand.unit, thousand.of(0)) == ("kΩ", 1e-3)
    small = scale_of([cell("a", area=None, factor=1e-3)])
    assert (small.unit, small.of(0)) == ("mΩ", 1e3)
    with pytest.raises(DataError, match="no spectrum"):
        nyquist([])


# --- Bode, residuals


def test_bode_has_modulus_and_minus_the_phase(two):
    figure = bode([a.spectrum for a in two])
    upper, lower = figure.axes
    z = two[0].spectrum.impedance_ohm
    assert lines(upper, "HB")[1] == pytest.approx(AREA * abs(z))
    assert lines(lower, "HB")[1] == pytest.approx(-np.degrees(np.angle(z)))
    assert lower.get_xscale() == upper.get_yscale() == "log"
    assert lower.get_ylabel() == f"{MINUS}Phase / °"
    assert_clean(figure)


def test_residuals_are_percent_with_a_cell_per_decade(one):
    tested = one.kramers_kronig
    figure = residuals(tested)
    strip, ax = figure.axes
    percent = 100 * tested.residual_ratio
    shown = lines(ax, "Z\N{PRIME}")[1]
    inside = np.isfinite(shown)
    assert shown[inside] == pytest.approx(percent.real[inside])
    edge = ax.get_ylim()[1]
    assert edge >= 1.6 * tested.limit_percent
    assert (~inside).sum() == (abs(percent.real) > edge).sum()
    assert len(strip.patches) == len(tested.ranges)
    for patch, text, r in zip(strip.patches, strip.texts, tested.ranges, strict=True):
        assert to_hex(patch.get_facecolor()).upper() == COLOURS[r.verdict].upper()
        assert float(text.get_text()) == pytest.approx(r.residual_percent, rel=0.06)
    assert_clean(figure)


def test_bad_decades_are_named_in_the_legend():
    z = cell("drifting").impedance_ohm
    noise = np.random.default_rng(0).normal(size=F.size)
    z = z + np.where((F > 1e3) & (F < 1e4), 1.5 * noise, 0.0)
    tested = kramers_kronig(Spectrum.of(F, z, name="drifting"))
    verdicts = {r.verdict for r in tested.ranges}
    assert verdicts - {"consistent"}
    figure = residuals(tested)
    named = {t.get_text() for t in figure.legends[0].get_texts()}
    assert verdicts <= named
    assert_clean(figure)


# --- relaxation times


def test_gamma_is_drawn_with_frequency_on_top(one):
    figure = drt([one.resistances], peaks=[one.peaks], credible=[one.credible])
    ax, top = figure.axes
    x, y = lines(ax, "HB")
    assert y == pytest.approx(AREA * one.resistances.best.gamma_at(x))
    bottom = np.array(ax.get_xlim())
    assert np.array(top.get_xlim()) == pytest.approx(1 / (2 * np.pi * bottom))
    thin = [v for v in ax.lines if v.get_linewidth() == 0.6 and len(v.get_xdata()) > 2]
    assert len(thin) == len(one.peaks.peaks)
    for line, peak in zip(thin, one.peaks.peaks, strict=True):
        at = line.get_xdata()[np.argmax(line.get_ydata())]
        assert at == pytest.approx(peak.tau_second, rel=0.04)  # 40 points per decade
    assert_clean(figure)


def test_the_ranges_hold_value_and_band(two, one):
    figure = drt([one.resistances])
    said = "|".join(t for t, _ in texts(figure))
    shown = re.findall(r"([\d.]+)\n\(([\d.]+)–([\d.]+)\)", said)
    for numbers, r in zip(shown, one.resistances.ranges, strict=True):
        expected = AREA * np.array([r.value_ohm, r.low_ohm, r.high_ohm])
        # printed with two digits of the width of the band
        rounding = 0.05 * (expected[2] - expected[1])
        assert [float(x) for x in numbers] == pytest.approx(expected, abs=rounding)
    assert "Ω cm²" in said
    both = drt([a.resistances for a in two])
    colours = {t.get_color() for t in both.axes[0].texts}
    assert {KNOWN_CELLS["HB"], KNOWN_CELLS["LB"]} <= colours
    assert_clean(both)


def test_the_shade_is_what_supported_tails_make_of_gamma(two):
    from equipoise.study.impedance_gamma import gamma_axis, gamma_band

    found = two[1].resistances
    ax = drt([found]).axes[0]
    (shade,) = [c for c in ax.collections if c.get_label() == "supported tails"]
    low, high = gamma_band(found, gamma_axis(found.best))
    corners = shade.get_paths()[0].vertices[:, 1]
    assert corners.max() == pytest.approx(AREA * high.max())
    assert corners.min() == pytest.approx(AREA * low.min(), abs=1e-9)


def test_no_spectrum_is_refused():
    for draw in (drt, resistance_bars, bode):
        with pytest.raises(DataError, match="there is no"):
            draw([])


# --- bars, tails


def test_bars_and_error_bars_are_value_and_band(two):
    figure = resistance_bars([a.resistances for a in two])
    (ax,) = figure.axes
    heights = sorted(p.get_height() for p in ax.patches)
    every = [r for a in two for r in a.resistances.ranges]
    assert heights == pytest.approx(sorted(AREA * r.value_ohm for r in every))
    ends = sorted(
        (seg[0][1], seg[1][1])
        for bars in ax.containers
        if hasattr(bars, "has_yerr")
        for seg in bars.lines[2][0].get_segments()
    )
    expected = sorted((AREA * r.low_ohm, AREA * r.high_ohm) for r in every)
    assert np.array(ends) == pytest.approx(np.array(expected))
    assert ax.get_ylabel() == "Resistance / Ω cm²"
    assert_clean(figure)


def test_a_series_is_drawn_as_points(series):
    (ax,) = resistance_bars([a.resistances for a in series]).axes
    r_ct = [AREA * a.resistances["R_ct"].value_ohm for a in series]
    drawn = [line.get_ydata() for line in ax.lines if len(line.get_ydata())]
    assert any(np.allclose(v, r_ct) for v in drawn)
    assert not ax.containers
    cycles = [line.get_xdata() for line in ax.lines if len(line.get_xdata())]
    assert all(np.array_equal(x, np.arange(14.0)) for x in cycles)  # "cycle 0" to 13
    assert ax.get_xlabel() == "cycle …"


def test_a_series_without_numbers_has_its_names_along_the_axis(series):
    names = ["fresh", "formed", "a very long name of a cell", "d", "e", "f"]
    (ax,) = resistance_bars([a.resistances for a in series[:6]], names=names).axes
    assert [t.get_text() for t in ax.get_xticklabels()] == [
        "fresh",
        "formed",
        "a very long n…",
        "d",
        "e",
        "f",
    ]


@pytest.mark.parametrize(
    ("names", "expected", "label"),
    [
        (["LB cycle 1, 2.03 V", "LB cycle 1, 2.1 V"], [2.03, 2.1], "LB cycle 1, … V"),
        (["s 10", "s 9", "s 8"], [10, 9, 8], "s …"),
        (["1", "2"], [1, 2], "Spectrum"),
        (["a 1 b 1", "a 2 b 2"], None, ""),
        (["s 1", "s 1"], None, ""),
        (["s 1", "s 3", "s 2"], None, ""),
        (["fresh", "aged"], None, ""),
    ],
)
def test_numbers_in_names_are_found_if_there_is_one_order(names, expected, label):
    numbers, said = counted(names)
    assert (None if numbers is None else numbers.tolist(), said) == (expected, label)


def test_more_than_five_spectra_are_shades_in_their_order(series):
    from equipoise.viz.impedance_axes import looks

    five = looks(list("abcde"))
    assert len({x.colour for x in five}) == 5
    assert all(x.name != "_" for x in five)
    ten = looks([f"cycle {i}" for i in range(10)])
    rgb = np.array([to_rgb(x.colour) for x in ten])
    brightness = rgb @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(brightness) > 0).all()
    named = [x.name for x in ten if x.name != "_"]
    assert (named[0], named[-1], len(named)) == ("cycle 0", "cycle 9", 5)
    figure = nyquist([a.spectrum for a in series])
    assert_clean(figure)
    assert len(figure.legends[0].get_texts()) == 5


def test_small_cells_beside_large_ones_have_their_own_panel():
    cells = [cell("large"), cell("half", factor=0.5), cell("small", factor=1e-3)]
    figure = nyquist(cells, fits=[lambda f: 50 / (1 + 1j * f)] * 3)
    upper, lower = figure.axes
    assert {x.get_label() for x in upper.lines} >= {"large", "half"}
    assert {x.get_label() for x in lower.lines} >= {"small"}
    assert upper.get_xlabel().endswith("/ Ω cm²")
    assert lower.get_xlabel().endswith("/ mΩ cm²")
    x, _ = lines(lower, "small")
    assert x == pytest.approx(1e3 * AREA * cells[2].impedance_ohm.real)
    left, right = lower.get_xlim()
    assert x.max() - x.min() > 0.5 * (right - left)
    assert [t.get_text() for t in figure.legends[0].get_texts()] == [
        "large",
        "half",
        "fit",
        "small",
    ]
    assert_clean(figure)


def test_the_axis_leaves_out_an_empty_half():
    z = cell("far").impedance_ohm
    far = Spectrum.of(F, z + 200.0, area_cm2=AREA, name="far")
    near = nyquist([cell("near")]).axes[0]
    assert near.get_xlim()[0] == 0.0
    left, right = nyquist([far]).axes[0].get_xlim()
    real = AREA * far.impedance_ohm.real
    assert left > 0.0
    assert real.max() - real.min() > 0.8 * (right - left)


def test_values_stay_within_their_ranges():
    from equipoise.analysis.eis.drt.ranges import TauRange

    ranges = [
        TauRange("a", "R_a", 1e-5, 1e-4),
        TauRange("b", "R_b", 1e-4, 3e-4),
        TauRange("c", "R_c", 1e-2, 1.0),
    ]
    study = analyse_spectra([cell("a", factor=40), cell("b", factor=40)], ranges=ranges)
    for found in (study.analyses[:1], study.analyses):
        figure = drt([a.resistances for a in found])
        ax = figure.axes[0]
        drawn = {t.get_text(): t for t in ax.texts if t.get_visible()}
        assert any("(" in t for t in drawn)
        figure.draw_without_rendering()
        for text in drawn.values():
            centre = text.get_position()[0]
            (r,) = [r for r in ranges if r.holds(centre)]
            ends = ax.transData.transform(
                [(r.shortest_second, 0), (r.longest_second, 0)]
            )[:, 0]
            box = text.get_window_extent()
            assert ends[0] - 1 <= box.x0, text.get_text()
            assert box.x1 <= ends[1] + 1, text.get_text()
    labels = [t.get_text() for t in figure.legends[0].get_texts()]
    assert "limit of the data" in labels


def test_bands_without_an_upper_end_are_arrows():
    study = analyse_spectra([cell("a").between(0.8, 1e6), cell("b").between(0.8, 1e6)])
    found = [a.resistances for a in study.analyses]
    assert all(np.isinf(f["R_ct"].high_ohm) for f in found)
    (ax,) = resistance_bars(found).axes
    arrows = [x for x in ax.lines if x.get_marker() == "^" and len(x.get_xdata())]
    shown = sorted(float(x.get_ydata()[0]) for x in arrows)
    expected = sorted(AREA * f["R_ct"].value_ohm for f in found)
    assert shown == pytest.approx(expected)
    for figure in impedance_figures(study.analyses).values():
        assert_clean(figure)


def test_every_tail_is_a_mark_filled_if_supported(two):
    found = two[1].resistances
    figure = tail_ensemble(found)
    (ax,) = figure.axes
    marks = [x for x in ax.lines if x.get_linestyle() == "None"]
    stars = [x for x in marks if x.get_marker() == "*"]
    (star,) = stars
    filled = sum(
        len(x.get_xdata())
        for x in marks
        if x not in stars and x.get_markerfacecolor() != "white"
    )
    hollow = sum(
        len(x.get_xdata())
        for x in marks
        if x not in stars and x.get_markerfacecolor() == "white"
    )
    supported = sum(m.supported for m in found.members)
    assert (filled, hollow) == (supported, len(found.members) - supported)
    assert star.get_ydata()[0] == pytest.approx(AREA * found["R_ct"].value_ohm)
    said = " ".join(t.get_text() for t in ax.texts)
    assert f"{supported} supported" in said
    assert f"{len(found.members) - supported} refuted" in said
    best = min(found.members, key=lambda m: m.misfit_ratio)
    worst = max(found.members, key=lambda m: m.misfit_ratio)
    x = np.concatenate([m.get_xdata() for m in marks])
    assert x.max() == pytest.approx(100 * (worst.misfit_ratio - 1))
    assert best.misfit_ratio == 1.0
    assert x.min() == 0.1  # where a logarithm has no zero
    assert_clean(figure)


def test_a_range_is_chosen_by_its_symbol(two):
    found = two[0].resistances
    figure = tail_ensemble(found, symbol="R_int")
    assert "int" in figure.axes[0].get_ylabel()
    with pytest.raises(SpecError, match="R_ct"):
        tail_ensemble(found, symbol="R_cte")


# --- all of them


def test_all_figures_of_two_cells(two):
    drawn = impedance_figures(two)
    assert set(drawn) == {
        "nyquist",
        "bode",
        "drt",
        "resistances",
        "residuals_HB",
        "residuals_LB",
        "tails_HB",
        "tails_LB",
    }
    for figure in drawn.values():
        assert_clean(figure)
        assert svg_text(figure).count("<svg") == 1


def test_figures_of_one_cell_have_plain_names(one):
    drawn = impedance_figures([one])
    assert set(drawn) == {"nyquist", "bode", "drt", "resistances", "residuals", "tails"}
    for figure in drawn.values():
        assert_clean(figure)


def test_a_dollar_in_a_name_is_a_dollar():
    study = analyse_spectra([cell("a$b$"), cell("c")], tails=["warburg"])
    for figure in impedance_figures(study.analyses).values():
        assert_clean(figure)


def test_a_range_beyond_the_data_is_no_figure_of_tails():
    high = cell("fast").between(1e3, 1e6)
    found = analyse_spectra([high]).analyses[0]
    assert np.isnan(found.resistances["R_ct"].value_ohm)
    drawn = impedance_figures([found])
    assert "int" in drawn["tails"].axes[0].get_ylabel()
    for figure in drawn.values():
        assert_clean(figure)
    with pytest.raises(DataError, match=r"R_ct .* is not known"):
        tail_ensemble(found.resistances)


def test_long_names_fold_and_large_cells_have_prefixes():
    name = "converted_PEIS_LPSCl_IonBlocking_at_minus_25C_again"
    found = analyse_spectra([cell(name, area=None, factor=1e4)]).analyses
    drawn = impedance_figures(found)
    assert drawn["resistances"].axes[0].get_ylabel() == "Resistance / kΩ"
    for figure in drawn.values():
        assert_clean(figure)


def test_times_are_powers_of_ten_where_they_are():
    assert [seconds(t) for t in (1e-5, 1e-2, 1.0, 0.025, np.inf)] == [
        "10⁻⁵",
        "10⁻²",
        "1",
        "0.025",
        "inf",
    ]
