"""Spectra of known cells, analysed as a user does: table, bands, peaks, files."""

import numpy as np
import polars as pl
import pytest

from equipoise.analysis.eis.drt.ranges import CHARGE_TRANSFER, INTERPHASE, TauRange
from equipoise.analysis.eis.drt.settings import DrtSettings
from equipoise.analysis.eis.drt.tails import Tail
from equipoise.core.errors import DataError, SpecError
from equipoise.core.units import unit_token
from equipoise.io.spectra.write import write_spectra
from equipoise.spec.spectrum import Spectrum
from equipoise.study.impedance import analyse_spectra, causes, main_cause, told_apart
from equipoise.study.impedance_files import load_spectra
from equipoise.study.impedance_gamma import (
    gamma_axis,
    gamma_band,
    supported_distributions,
)
from equipoise.study.impedance_tables import fits_table, gamma_table, tails_table

AREA = 0.785
F = np.logspace(6, -1, 71)
JW = 2j * np.pi * F
ARCS = {  # ohm, s, exponent: two surrogate cells with the totals of the paper's
    "HB": [
        (6, 3e-7, 0.9),
        (4, 3e-6, 0.9),
        (9.3, 6e-5, 0.88),
        (10, 1.2e-3, 0.88),
        (22.8, 2.5e-2, 0.88),
        (24, 0.22, 0.92),
    ],
    "LB": [
        (6, 3e-7, 0.9),
        (4, 3e-6, 0.9),
        (6.1, 6e-5, 0.88),
        (8, 1.2e-3, 0.88),
        (8.2, 2.5e-2, 0.88),
        (7, 0.22, 0.92),
    ],
}


def cell(name, *, seed=1, noise=1e-3, area=AREA):
    z = 12 + 2e-7 * JW + 14 * JW**-0.5
    z = z + sum(r / (1 + (JW * tau) ** a) for r, tau, a in ARCS[name])
    n = np.random.default_rng(seed).standard_normal((2, F.size))
    return Spectrum.of(
        F, z + noise * abs(z) * (n[0] + 1j * n[1]), area_cm2=area, name=name
    )


def true_ohm(name, tau_range):
    """Integral of the closed form of gamma of depressed arcs."""
    log = np.linspace(
        np.log(tau_range.shortest_second), np.log(tau_range.longest_second), 20001
    )
    gamma = sum(
        r
        / (2 * np.pi)
        * np.sin((1 - a) * np.pi)
        / (np.cosh(a * (log - np.log(tau))) - np.cos((1 - a) * np.pi))
        for r, tau, a in ARCS[name]
    )
    return np.trapezoid(gamma, log)


@pytest.fixture(scope="module")
def study():
    return analyse_spectra([cell("HB"), cell("LB", seed=2)], credible=True)


@pytest.mark.parametrize("name", ["HB", "LB"])
@pytest.mark.parametrize("tau_range", [INTERPHASE, CHARGE_TRANSFER])
def test_the_truth_lies_in_the_band_and_near_the_value(study, name, tau_range):
    found = study[name].resistances[tau_range.symbol]
    truth = true_ohm(name, tau_range)
    assert found.low_ohm < truth < found.high_ohm
    # the target of the specification for R_ct at this noise
    assert found.value_ohm == pytest.approx(truth, rel=0.03)


def test_every_number_of_the_table_has_its_unit(study):
    table = study.table
    assert table["name"].to_list() == ["HB", "LB"]
    numbers = [c for c, t in table.schema.items() if t.is_numeric()]
    assert len(numbers) > 30
    assert [c for c in numbers if unit_token(c) is None] == []
    for c in (c for c in table.columns if c.endswith("_ohm_cm2")):
        assert unit_token(c) == "ohm_cm2"
        ohm = table[c.removesuffix("_cm2")]
        assert table[c].to_numpy() == pytest.approx(AREA * ohm.to_numpy(), rel=1e-12)


def test_columns_are_those_of_the_design_document(study):
    for stem in ("interphase_resistance", "charge_transfer_resistance"):
        for end in ("", "_low", "_high", "_standard_error", "_peak_sum"):
            assert {f"{stem}{end}_ohm", f"{stem}{end}_ohm_cm2"} <= set(
                study.table.columns
            )
    found = study["LB"].resistances["R_ct"]
    row = study.table.row(1, named=True)
    assert row["charge_transfer_resistance_high_ohm"] == found.high_ohm
    assert row["tails_supported_count"] == sum(
        m.supported for m in study["LB"].resistances.members
    )


def test_without_an_area_nothing_is_made_up():
    table = analyse_spectra([cell("HB", area=None), cell("HB")]).table
    assert table["area_cm2"].to_list() == [None, AREA]
    assert table["charge_transfer_resistance_ohm_cm2"][0] is None
    assert table["charge_transfer_resistance_ohm"].n_unique() == 1
    alone = analyse_spectra([cell("HB", area=None)]).table
    assert alone["charge_transfer_resistance_ohm_cm2"].dtype == pl.Float64


def test_every_cause_lies_in_the_band_and_their_sum_around_it(study):
    for analysis in study.analyses:
        for r in analysis.resistances.ranges:
            parts = causes(r)
            assert all(down <= 0.0 <= up for down, up in parts.values())
            for down, up in parts.values():
                assert r.low_ohm <= r.value_ohm + down + 1e-9
                assert r.value_ohm + up - 1e-9 <= r.high_ohm
            # squares around each tail: two ends are at most sqrt(2) of the larger
            # one, and tails other than the best may have wider ends
            total = sum(up for _, up in parts.values())
            assert r.high_ohm - r.value_ohm <= 1.5 * total
            widest = max(parts.values(), key=lambda p: p[1] - p[0])
            assert parts[main_cause(r)] == widest


def test_with_one_tail_the_causes_add_up_as_squares():
    (a,) = analyse_spectra([cell("HB")], tails=["warburg"]).analyses
    for r in a.resistances.ranges:
        parts = causes(r)
        assert parts["tail"] == (0.0, 0.0)
        for side, end in ((0, r.low_ohm), (1, r.high_ohm)):
            root = np.sqrt(sum(p[side] ** 2 for p in parts.values()))
            assert abs(end - r.value_ohm) == pytest.approx(root, rel=1e-9)


def test_a_range_beyond_the_data_has_no_number_and_a_partial_one_no_upper_end():
    cut = cell("HB").between(10.0, 1e6)  # the slowest time constant is 16 ms
    study = analyse_spectra([cut.between(1e3, 1e6), cut])
    beyond, partly = (a.resistances["R_ct"] for a in study.analyses)
    assert np.isnan(beyond.value_ohm)
    assert main_cause(beyond) is None
    assert partly.value_ohm < partly.high_ohm == np.inf
    table = study.table
    stem = "charge_transfer_resistance"
    assert table[f"{stem}_ohm"][0] is None
    assert table[f"{stem}_ohm"][1] == partly.value_ohm
    assert table[f"{stem}_high_ohm"].to_list() == [None, None]
    assert table[f"{stem}_high_ohm"].dtype == pl.Float64
    assert table.write_csv().lower().count("nan") == 0
    assert tails_table(study.analyses)[f"{stem}_ohm"][0] is None


def test_what_lies_outside_of_the_ranges_is_told(study):
    a = study["HB"]
    faster, slower = a.outside_ohm
    inside = sum(r.value_ohm for r in a.resistances.ranges)
    # R_int and R_ct share an end: nothing lies between them
    whole = a.resistances.best.polarisation_ohm
    assert faster + inside + slower == pytest.approx(whole, rel=1e-9)
    fast = TauRange("fast", "R_f", 1e-9, 1e-5)
    assert faster == pytest.approx(true_ohm("HB", fast), rel=0.1)
    assert study.table["faster_resistance_ohm_cm2"][0] == AREA * faster


def test_peaks_beyond_the_frequencies_are_marked():
    z = 5 + 3 / (1 + 1e-7 * JW) + 9 / (1 + 1e-3 * JW)  # 1/(2 pi 1 MHz) is 1.6e-7 s
    (a,) = (study := analyse_spectra([Spectrum.of(F, z)])).analyses
    marks = study.peaks.select("tau_second", "beyond_data").rows()
    assert marks[0][1] is True
    assert marks[0][0] < a.measured_second[0] == pytest.approx(1.59e-7, rel=1e-3)
    assert [m for t, m in marks if t > 1e-4] == [False]


def test_misfit_is_not_sold_as_noise():
    # 1e5 times the usual lambda: arcs are smeared out, far beyond 0.1 % of noise
    smooth = DrtSettings(regularisation_ratio=10.0)
    assert not any(
        "misfit" in n for n in analyse_spectra([cell("HB")]).analyses[0].notes
    )
    (a,) = analyse_spectra([cell("HB")], smooth, tails=["warburg"]).analyses
    assert a.resistances.noise_ratio > 3 * a.kramers_kronig.noise_ratio
    (note,) = [n for n in a.notes if "misfit" in n]
    assert 'weighting "modulus"' in note


def test_a_series_is_solved_in_batches_with_the_results_of_one_by_one(monkeypatch):
    from equipoise.study import impedance

    calls = []
    solve = impedance.resistances_of_series
    monkeypatch.setattr(
        impedance,
        "resistances_of_series",
        lambda batch, *a, **k: calls.append(len(batch)) or solve(batch, *a, **k),
    )
    cells = [cell("HB", seed=i) for i in range(18)]
    cells.insert(17, cell("HB", seed=50).between(1.0, 1e6))
    study = analyse_spectra(cells)
    assert calls == [16]  # then one, one on another grid, one
    assert len(study.analyses) == 19
    for i in (0, 15, 16, 17, 18):
        alone = analyse_spectra([cells[i]]).analyses[0].resistances["R_ct"]
        together = study.analyses[i].resistances["R_ct"]
        assert together.value_ohm == pytest.approx(alone.value_ohm, rel=1e-6)
        assert together.high_ohm == pytest.approx(alone.high_ohm, rel=1e-6)


def test_the_band_of_gamma_holds_every_supported_curve(study):
    found = study["HB"].resistances
    tau = gamma_axis(found.best)
    low, high = gamma_band(found, tau)
    fits = supported_distributions(found)
    assert len(fits) == sum(m.supported for m in found.members) > 5
    supported = [m for m in found.members if m.supported]
    for fit, member in zip(fits, supported, strict=True):
        gamma = fit.gamma_at(tau)
        assert (gamma >= low).all()
        assert (gamma <= high).all()
        # the curves are those behind the resistances
        assert fit.window_ohm(1e-2, 1.0) == pytest.approx(
            member.resistances_ohm[1], rel=1e-9
        )
    log = np.linspace(np.log(1e-5), np.log(1e-2), 4001)
    area = np.trapezoid(found.best.gamma_at(np.exp(log)), log)
    assert area == pytest.approx(found["R_int"].value_ohm, rel=1e-6)


def test_chosen_tails_are_all_of_their_families_and_no_others():
    spectrum = cell("HB")
    whole = analyse_spectra([spectrum]).analyses[0].resistances.members
    some = analyse_spectra([spectrum], tails=["none", "cpe"]).analyses[0].resistances
    expected = [m.tail for m in whole if m.tail.family in ("none", "cpe")]
    assert [m.tail for m in some.members] == expected
    one = analyse_spectra([spectrum], tails=[Tail("cpe", exponent_ratio=0.6)])
    (member,) = one.analyses[0].resistances.members
    assert member.tail == Tail("cpe", exponent_ratio=0.6)
    assert causes(one.analyses[0].resistances["R_ct"])["tail"] == (0.0, 0.0)


def test_one_tail_gives_a_narrower_band_around_no_better_value(study):
    wrong = analyse_spectra([cell("LB", seed=2)], tails=["none"]).analyses[0]
    r, whole = wrong.resistances["R_ct"], study["LB"].resistances["R_ct"]
    assert r.high_ohm - r.low_ohm < whole.high_ohm - whole.low_ohm
    truth = true_ohm("LB", CHARGE_TRANSFER)
    assert not r.low_ohm <= truth <= r.high_ohm  # 23 % off: spec, table 3.3


def test_names_are_told_apart():
    names = [s.name for s in told_apart([cell("HB"), cell("LB"), cell("HB")])]
    assert names == ["HB", "LB", "HB (2)"]
    unnamed = Spectrum.of(F, cell("HB").impedance_ohm)
    assert [s.name for s in told_apart([unnamed])] == ["spectrum 1"]


def test_a_bad_spectrum_of_a_series_stops_it_or_not():
    few = Spectrum.of(F[:5], cell("HB").impedance_ohm[:5], name="few")
    with pytest.raises(DataError, match="5 frequencies"):
        analyse_spectra([cell("HB"), few])
    study = analyse_spectra([few, cell("HB")], strict=False)
    assert [a.name for a in study.analyses] == ["HB"]
    (failure,) = study.failures
    assert failure.name == "few"
    assert "5 frequencies" in failure.reason.message


def test_progress_counts_to_the_end():
    told = []
    analyse_spectra(
        [cell("HB"), cell("LB")],
        progress=lambda done, all_of: told.append((done, all_of)),
    )
    assert told == [(0, 2), (1, 2), (2, 2)]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"tails": ["warbug"]}, "did you mean 'warburg'"),
        ({"tails": []}, "no model of the tail"),
        ({"ranges": []}, "no range"),
        ({"ranges": [INTERPHASE, INTERPHASE]}, "two ranges"),
        ({"circuit": "R0-p(R1"}, "R0-p"),
        ({"peaks_count": 99}, "peaks_count"),
        ({"peaks_kind": "lorentz"}, "lorentz"),
    ],
)
def test_what_is_asked_for_wrongly_is_refused_before_or_after(options, word):
    with pytest.raises(SpecError, match=word.replace("(", r"\(")):
        analyse_spectra([cell("HB")], strict=False, **options)


def test_no_spectrum_is_refused():
    with pytest.raises(DataError, match="no spectrum"):
        analyse_spectra([])


def test_peaks_are_tracked_and_their_sums_are_in_the_table(study):
    peaks = study.peaks
    for i, name in enumerate(("HB", "LB")):
        own = peaks.filter(pl.col("name") == name)
        assert own.height == len(study[name].peaks.peaks)
        assert own["spectrum_index"].unique().to_list() == [i]
        inside = own.filter(pl.col("tau_second").is_between(1e-2, 1.0, closed="left"))
        total = study.table["charge_transfer_resistance_peak_sum_ohm"][i]
        assert inside["resistance_ohm"].sum() == pytest.approx(total, rel=1e-12)
        # the arcs that were put in; Gaussians miss up to a tenth of their flanks
        arcs = sum(r for r, tau, _ in ARCS[name] if 1e-2 <= tau < 1.0)
        assert total == pytest.approx(arcs, rel=0.1)
    inside = peaks.filter(pl.col("tau_second") < 1.0)  # slower: what the tail leaves
    shared = inside.group_by("track_index").agg(pl.col("name").n_unique())
    assert shared["name"].to_list() == [2] * 6  # six arcs in both cells


def test_zarc_peaks_are_asked_for_by_name():
    a = analyse_spectra([cell("HB")], peaks_kind="zarc", peaks_count=6).analyses[0]
    assert [p.exponent_ratio is not None for p in a.peaks.peaks] == [True] * 6


def test_ranges_of_ones_own_name_columns():
    own = TauRange("grain-boundary", "R_gb", 1e-7, 1e-5)
    table = analyse_spectra([cell("HB")], ranges=[own]).table
    assert "grain_boundary_resistance_ohm" in table.columns
    assert "interphase_resistance_ohm" not in table.columns
    # the two fast arcs are 10 ohm; parts of both lie outside
    assert table["grain_boundary_resistance_ohm"][0] == pytest.approx(
        true_ohm("HB", own), rel=0.15
    )


def test_the_circuit_starts_from_the_peaks():
    text = "R0-L0-p(R1,Q1)-p(R2,Q2)-p(R3,Q3)-p(R4,Q4)-p(R5,Q5)-p(R6,Q6)-W1"
    a = analyse_spectra([cell("HB", noise=1e-4)], circuit=text).analyses[0]
    assert a.circuit is not None
    # noise of 0.01 % in both parts; the generating circuit fits to it
    assert a.circuit.rms_percent < 0.02


def test_tables_of_curves_belong_to_the_results(study):
    gamma = gamma_table(study.analyses)
    assert (gamma["gamma_ohm"] >= gamma["gamma_supported_low_ohm"]).all()
    assert (gamma["gamma_ohm"] <= gamma["gamma_supported_high_ohm"]).all()
    assert (gamma["gamma_credible_low_ohm"] <= gamma["gamma_credible_high_ohm"]).all()
    tails = tails_table(study.analyses)
    best = tails.filter((pl.col("name") == "LB") & (pl.col("misfit_ratio") == 1.0))
    assert best["supported"].to_list() == [True]
    assert tails.height == sum(len(a.resistances.members) for a in study.analyses)
    fits = fits_table(study.analyses).filter(pl.col("name") == "HB")
    fit = fits["fitted_real_impedance_ohm"] + 0.0
    off = (fit - fits["real_impedance_ohm"]).to_numpy() / np.abs(
        study["HB"].spectrum.impedance_ohm
    )
    assert np.sqrt(np.mean(off**2)) < 2e-3  # noise of 0.1 % in each part
    assert fits["imaginary_impedance_ohm"].to_numpy() == pytest.approx(
        study["HB"].spectrum.impedance_ohm.imag
    )


def test_settings_reach_the_distribution():
    settings = DrtSettings(shape_factor_ratio=2.0, collocation="drttools")
    row = analyse_spectra([cell("HB")], settings).table.row(0, named=True)
    assert row["shape_factor_ratio"] == 2.0
    # 2 sqrt(ln 2) / epsilon in ln tau
    expected = 2 * np.sqrt(np.log(2)) / 2.0 / np.log(10)
    assert row["full_width_decades_count"] == pytest.approx(expected, rel=1e-12)


@pytest.fixture
def files(tmp_path):
    two = write_spectra([cell("HB"), cell("LB", seed=2)], tmp_path / "two.csv")
    one = write_spectra([cell("HB", seed=3, area=None)], tmp_path / "one.csv")
    return two, one


def test_files_are_read_in_order_and_named(files):
    loaded = load_spectra(files, names=["a", "b", "c"], area_cm2=2.0)
    assert [s.name for s in loaded.spectra] == ["a", "b", "c"]
    assert [s.area_cm2 for s in loaded.spectra] == [2.0] * 3
    assert [(s.file.path.name, s.spectrum_index) for s in loaded.sources] == [
        ("two.csv", 0),
        ("two.csv", 1),
        ("one.csv", 0),
    ]


def test_spectra_and_frequencies_are_chosen(files):
    loaded = load_spectra(files[:1], only=[2], between_hertz=(1.0, 1e4))
    (spectrum,) = loaded.spectra
    assert spectrum.name == "LB"
    assert spectrum.frequency_hertz[[0, -1]] == pytest.approx([1e4, 1.0])
    assert spectrum.points_count == 41


def test_areas_are_one_for_all_or_one_per_file(files):
    loaded = load_spectra(files, area_cm2=[0.785, 1.539])
    assert [s.area_cm2 for s in loaded.spectra] == [0.785, 0.785, 1.539]
    with pytest.raises(SpecError, match="3 areas for 2 files"):
        load_spectra(files, area_cm2=[1, 2, 3])


def test_what_a_file_does_not_tell_reaches_the_reader(tmp_path):
    spectrum = cell("HB")
    rows = [
        f"{f:.8g};{z.real:.8g};{-z.imag:.8g}".replace(".", ",")
        for f, z in zip(spectrum.frequency_hertz, spectrum.impedance_ohm, strict=True)
    ]
    rows[3] = rows[3].split(";")[0] + ";;"
    path = tmp_path / "x.csv"
    path.write_text("\n".join(["Frequency;Z';-Z''", *rows]) + "\n")
    with pytest.raises(DataError, match="lack"):
        load_spectra([path])
    (read,) = load_spectra(
        [path],
        frequency_unit="kHz",
        impedance_unit="mOhm",
        decimal=",",
        repair=["incomplete-rows"],
    ).spectra
    assert read.points_count == 70
    assert read.frequency_hertz[0] == pytest.approx(1e9)
    expected = 1e-3 * spectrum.impedance_ohm[0]
    assert read.impedance_ohm[0] == pytest.approx(expected, rel=1e-6)


def test_an_unreadable_file_of_several_is_kept_among_the_failures(files, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("nothing\n")
    with pytest.raises(DataError, match="no header"):
        load_spectra([bad, *files])
    loaded = load_spectra([bad, *files], strict=False)
    assert [s.name for s in loaded.spectra] == ["HB", "LB", "HB"]
    (failure,) = loaded.failures
    assert failure.path == str(bad)
    named = load_spectra([bad, files[1]], names=["x", "y"], strict=False)
    assert [s.name for s in named.spectra] == ["y"]
    with pytest.raises(DataError, match="no header"):
        load_spectra([bad, bad], strict=False)


@pytest.mark.parametrize(
    ("options", "error", "word"),
    [
        ({"only": [3]}, DataError, "no spectrum number 3"),
        ({"names": ["a"]}, SpecError, "1 names for 3 spectra"),
        ({"between_hertz": (1e7, 1e8)}, DataError, "no point between"),
    ],
)
def test_wrong_choices_of_files_say_so(files, options, error, word):
    with pytest.raises(error, match=word):
        load_spectra(files, **options)


@pytest.mark.parametrize("name", ["series", "Faster", "slower"])
def test_a_range_is_not_called_as_another_resistance(name):
    wanted = (TauRange(name, "R_1", 1e-5, 1e-2),)
    with pytest.raises(SpecError, match="already"):
        analyse_spectra([cell("HB")], ranges=wanted)


def test_the_worst_verdict_is_the_one_of_the_table():
    z = cell("HB", noise=1e-3).impedance_ohm.copy()
    n = np.random.default_rng(5).standard_normal((2, 10))
    z[-10:] *= 1 + 0.03 * (n[0] + 1j * n[1])  # noisy at the end
    noisy = Spectrum.of(F, z, name="noisy")
    ramp = Spectrum.of(F, z * (1 + 0.3 * np.linspace(0, 1, 71) ** 2), name="drift")
    table = analyse_spectra([cell("HB"), noisy, ramp]).table
    assert table["kramers_kronig"].to_list() == ["consistent", "noisy", "inconsistent"]


def test_areas_of_peaks_are_resistance_times_area():
    study = analyse_spectra([cell("HB", area=0.5), cell("LB", area=2.0)])
    peaks = study.peaks
    for name, area in (("HB", 0.5), ("LB", 2.0)):
        own = peaks.filter(pl.col("name") == name)
        np.testing.assert_allclose(
            own["resistance_ohm_cm2"], area * own["resistance_ohm"].to_numpy()
        )
