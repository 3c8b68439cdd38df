"""Units of spectra: of labels, of a row below them, of the user; never guessed."""

import numpy as np
import polars as pl
import pytest

from equipoise.core.errors import DataError
from equipoise.io.spectra.labels import meaning, unit_of
from equipoise.io.spectra.read import read_spectra
from equipoise.io.spectra.write import write_spectra
from equipoise.spec.spectrum import Spectrum
from real_data import data_file

F = np.logspace(5, -2, 36)
Z = 10.0 + 50.0 / (1.0 + (2j * np.pi * F * 1e-2) ** 0.8)
ROWS = [
    f"{f!r},{z.real!r},{z.imag!r}" for f, z in zip(F.tolist(), Z.tolist(), strict=True)
]
PLAIN = {"f": F, "Zre": Z.real, "Zim": Z.imag}


@pytest.fixture
def reads(tmp_path):
    """Write lines, or the columns of a Parquet table, and read them."""

    def read(content, **told):
        if isinstance(content, dict):
            path = tmp_path / "cell.parquet"
            pl.DataFrame(content).write_parquet(path)
        else:
            path = tmp_path / "cell.csv"
            path.write_text("\n".join(content) + "\n")
        return read_spectra(path, **told)

    return read


def same(spectrum, f=F, z=Z):
    np.testing.assert_allclose(spectrum.frequency_hertz, f, rtol=1e-12)
    np.testing.assert_allclose(spectrum.impedance_ohm, z, rtol=1e-12)


def levels(found, what):
    return {f.level for f in found.findings if f.what == what}


# Parquet --------------------------------------------------------------------------


def test_units_can_be_told_for_a_parquet_table(reads):
    found = reads(PLAIN, frequency_unit="kHz", impedance_unit="kOhm")
    same(found.only, 1e3 * F, 1e3 * Z)
    assert not levels(found, "frequency: unit") | levels(found, "impedance: unit")


def test_a_parquet_table_without_units_is_not_proven(reads):
    found = reads(PLAIN)
    same(found.only)
    assert levels(found, "frequency: unit") == {"not proven"}
    assert levels(found, "impedance: unit") == {"not proven"}


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"frequency_unit": "kHz"}, "column 'f/Hz' is in 'Hz', not 'kHz'"),
        ({"impedance_unit": "mOhm"}, "column 'Zre/Ohm' is in 'Ohm', not 'mOhm'"),
        ({"impedance_unit": "foo"}, "'foo' is no unit of the real that is known"),
    ],
)
def test_a_stated_unit_of_a_parquet_table_is_not_overridden(reads, told, message):
    table = {"f/Hz": F, "Zre/Ohm": Z.real, "Zim/Ohm": Z.imag}
    same(reads(table, frequency_unit="Hz", impedance_unit="ohm").only)
    with pytest.raises(DataError, match=message):
        reads(table, **told)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_units_of_our_own_tables_are_fixed(tmp_path, form):
    path = write_spectra(Spectrum.of(F, Z), tmp_path / f"cell.{form}")
    with pytest.raises(DataError, match="is in 'hertz', not 'kHz'"):
        read_spectra(path, frequency_unit="kHz")
    with pytest.raises(DataError, match="is in 'ohm', not 'kOhm'"):
        read_spectra(path, impedance_unit="kOhm")
    same(read_spectra(path, frequency_unit="Hz", impedance_unit="ohm").only)


def test_the_units_of_an_mpr_file_are_fixed():
    path = data_file("eis/hybrid_drt/PEIS_SSB.mpr")
    with pytest.raises(DataError, match="is in 'Hz', not 'kHz'"):
        read_spectra(path, frequency_unit="kHz")
    with pytest.raises(DataError, match="is in 'Ohm', not 'mOhm'"):
        read_spectra(path, impedance_unit="mOhm")


def test_ohm_cm2_in_a_parquet_table_is_divided_by_the_area(reads):
    table = {"f/Hz": F, "Z' (ohm cm2)": 2.5 * Z.real, "Z'' (ohm cm2)": 2.5 * Z.imag}
    with pytest.raises(DataError, match="ohm cm2, and the area is not known"):
        reads(table)
    same(reads(table, area_cm2=2.5).only)
    table["Z''/ohm"] = table.pop("Z'' (ohm cm2)")
    with pytest.raises(DataError, match="the other in ohm cm2"):
        reads(table, area_cm2=2.5)


def test_minus_im_in_a_parquet_table_states_its_sign(reads):
    found = reads({"f/Hz": F, "Re(Z)/Ohm": Z.real, "-Im(Z)/Ohm": -Z.imag})
    same(found.only)
    assert "-Z'' in the file" in " ".join(f.how for f in found.findings)
    with pytest.raises(DataError, match="should hold -Z'', but causality"):
        reads({"f/Hz": F, "Re(Z)/Ohm": Z.real, "-Im(Z)/Ohm": Z.imag})


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_unit_of_a_phase_in_a_parquet_table_is_its_label_s(reads, sign):
    phase = sign * np.angle(Z)
    label = "Phase" if sign > 0 else "-Phase"
    found = reads({"f/Hz": F, "|Z|/Ohm": np.abs(Z), f"{label}/deg": np.rad2deg(phase)})
    same(found.only)
    assert not levels(found, "phase: unit")  # nothing was to be found out
    with pytest.raises(DataError, match=r"a phase of .* rad, labelled 'rad'"):
        reads({"f/Hz": F, "|Z|/Ohm": np.abs(Z), f"{label}/rad": np.rad2deg(phase)})


# without a header -----------------------------------------------------------------


def test_ohm_cm2_without_a_header_is_divided_by_the_area(reads):
    lines = [
        f"{f!r} {2.5 * z.real!r} {2.5 * z.imag!r}"
        for f, z in zip(F.tolist(), Z.tolist(), strict=True)
    ]
    with pytest.raises(DataError, match="ohm cm2, and the area is not known"):
        reads(lines, impedance_unit="ohm cm2")
    same(reads(lines, impedance_unit="ohm cm2", area_cm2=2.5).only)


# a row of units -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("units", "hertz", "ohm"),
    [
        ("(Hz),(mOhm),(mOhm)", 1.0, 1e-3),
        ("[kHz],[Ohm],[Ohm]", 1e3, 1.0),
        ("{mHz},{kOhm},{kOhm}", 1e-3, 1e3),
        ("/ Hz,/ MOhm,/ MOhm", 1.0, 1e6),
        ("kHz,,", 1e3, 1.0),
    ],
)
def test_units_in_brackets_below_the_header_count(reads, units, hertz, ohm):
    same(reads(["f,Zre,Zim", units, *ROWS]).only, hertz * F, ohm * Z)


def test_units_beside_other_words_count(reads):
    body = [f"{x},25.0,7" for x in ROWS]
    lines = ["f,Zre,Zim,T,state", "kHz,mOhm,mOhm,°C,of charge", *body]
    same(reads(lines).only, 1e3 * F, 1e-3 * Z)


@pytest.mark.parametrize(
    "below",
    ["Hz,foo,foo", "kHz,mOhm", "in kHz and mOhm", "a,b,c", "x1e5,60,-1"],
)
def test_what_is_neither_units_nor_numbers_is_refused(reads, below):
    with pytest.raises(DataError, match="neither numbers nor units") as caught:
        reads(["f,Zre,Zim", below, *ROWS])
    assert "line 2" in str(caught.value)


def test_a_unit_below_a_label_with_another_is_refused(reads):
    with pytest.raises(DataError, match="'freq/Hz' is in 'Hz', and 'kHz' stands below"):
        reads(["freq/Hz,Zre,Zim", "kHz,Ohm,Ohm", *ROWS])
    same(reads(["freq/Hz,Zre,Zim", "Hz,Ohm,Ohm", *ROWS]).only)


@pytest.mark.parametrize("below", ["-----", "---,---,---", "End of header"])
def test_a_rule_below_the_header_does_not_matter(reads, below):
    same(reads(["f,Zre,Zim", below, *ROWS]).only)


# angular frequencies and areas ----------------------------------------------------


@pytest.mark.parametrize("label", ["omega/(rad/s)", "omega (1/s)", "ω/s-1", "omega"])
def test_an_angular_frequency_is_divided_by_two_pi(reads, label):
    same(reads([f"{label},Zre/ohm,Zim/ohm", *ROWS]).only, F / (2.0 * np.pi))


def test_an_angular_frequency_in_hertz_is_refused(reads):
    for content in (
        ["omega/Hz,Zre/ohm,Zim/ohm", *ROWS],
        {"omega/Hz": F, "Zre/ohm": Z.real, "Zim/ohm": Z.imag},
    ):
        with pytest.raises(DataError, match="named as an angular frequency"):
            reads(content)
        same(reads(content, frequency_unit="Hz").only)
        same(reads(content, frequency_unit="rad/s").only, F / (2.0 * np.pi))


def test_the_frequency_is_preferred_to_the_angular_one(reads):
    body = zip(ROWS, (2.0 * np.pi * F).tolist(), strict=True)
    same(reads(["freq/Hz,Zre,Zim,omega/Hz", *(f"{x},{w!r}" for x, w in body)]).only)


def test_areas_in_units_are_of_square_centimetres():
    # 1 ohm m2 = 1e4 ohm cm2; 1 ohm mm2 = 1e-2 ohm cm2
    assert unit_of("ohm m2", "real") == (1e4, True)
    assert unit_of("ohm mm2", "real") == (1e-2, True)
    assert unit_of("[kOhm mm^2]", "real") == (10.0, True)
    assert meaning("Z' (ohm*mm²)").unit_ratio == 1e-2


def test_what_is_looked_at_is_in_ohm_not_in_ohm_cm2(reads):
    # 1e8 ohm cm2 look too much, the 1e5 ohm of 1000 cm2 do not
    lines = [
        f"{f!r},{1e8 * z.real!r},{1e8 * z.imag!r}"
        for f, z in zip(F.tolist(), (Z / Z[-1].real).tolist(), strict=True)
    ]
    head = "freq/Hz,Z' (ohm cm2),Z'' (ohm cm2)"
    assert not levels(reads([head, *lines], area_cm2=1e3), "impedance: unit")
    assert levels(reads([head, *lines], area_cm2=1.0), "impedance: unit") == {"look"}


# the area -------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_another_area_than_that_of_our_table_is_said(tmp_path, form):
    spectra = [Spectrum.of(F, Z, area_cm2=a) for a in (0.5, 1.25, None)]
    path = write_spectra(spectra, tmp_path / f"cell.{form}")
    found = read_spectra(path, area_cm2=0.5)
    assert [s.area_cm2 for s in found.spectra] == [0.5] * 3
    (look,) = [f.how for f in found.findings if f.what == "area"]
    assert look == "the file says 1.25 cm2, 0.5 was given"
    path = write_spectra(spectra[:1], path)
    assert not levels(read_spectra(path, area_cm2=0.5), "area")


def test_another_area_than_that_of_the_program_is_said(reads):
    head = ["ZPLOT2 ASCII", "Surface Area: 0.5", "Freq(Hz)\tZ'(a)\tZ''(b)"]
    lines = [*head, "End Comments", *(x.replace(",", "\t") for x in ROWS)]
    found = reads(lines, area_cm2=2.0)
    (look,) = [f for f in found.findings if f.what == "area"]
    assert (look.level, look.how) == ("look", "the file says 0.5 cm2, 2 was given")
    assert found.only.area_cm2 == 2.0
    assert levels(reads(lines, area_cm2=0.5), "area") == set()
