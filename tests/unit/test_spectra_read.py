"""Reading spectra: dialects and instruments, signs and units, and bad input."""

import hashlib
import re

import numpy as np
import polars as pl
import pytest

from equipoise.core.errors import DataError, SpecError
from equipoise.io.spectra.read import read_spectra

F = np.logspace(5, -2, 36)
Z = 10.0 + 50.0 / (1.0 + (2j * np.pi * F * 1e-2) ** 0.8)
HEAD = "freq/Hz,Re(Z)/Ohm,Im(Z)/Ohm"


def rows(f=F, z=Z, separator=","):
    parts = zip(f.tolist(), z.real.tolist(), z.imag.tolist(), strict=True)
    return [separator.join(map(repr, row)) for row in parts]


@pytest.fixture
def reads(tmp_path):
    """Write lines, or bytes, to a file and read it."""

    def read(lines, **told):
        path = tmp_path / "cell.csv"
        raw = lines if isinstance(lines, bytes) else ("\n".join(lines) + "\n").encode()
        path.write_bytes(raw)
        return read_spectra(path, **told)

    return read


def same(spectrum, f=F, z=Z):
    np.testing.assert_array_equal(spectrum.frequency_hertz, f)
    np.testing.assert_allclose(spectrum.impedance_ohm, z, rtol=1e-12)


def levels(found, what):
    return {f.level for f in found.findings if f.what == what}


def said(found, what, level="look"):
    return " ".join(f.how for f in found.findings if (f.what, f.level) == (what, level))


# dialects -------------------------------------------------------------------------


def test_a_plain_table_is_read_and_its_sign_proven(reads):
    found = reads([HEAD, *rows()])
    same(found.only)
    assert found.proven
    assert found.only.name == "cell"
    raw = ("\n".join([HEAD, *rows()]) + "\n").encode()
    assert found.sha256 == hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize(
    "head",
    [
        ["# freq,Re(Z),Im(Z)"],
        ["sep=,", HEAD],
        ["% measured on Monday", "# at 25 C", HEAD],
        ["freq,Zre,Zim", "Hz,Ohm,Ohm"],
        ["#,freq,Zre,Zim"],
        ['"freq/Hz","Re(Z)/Ohm","Im(Z)/Ohm"'],
        ["Versuch vom 3. Mai, 25 C", "", HEAD, ""],
        ["Freq (Hz)   Z real (ohm)   Z imag (ohm)"],
        ["Freq\tZreal\tZimag"],
    ],
)
def test_lines_above_and_below_the_header_do_not_matter(reads, head):
    body = rows()
    if head[0].startswith("#,"):
        body = [f"{i},{x}" for i, x in enumerate(body)]
    same(reads([*head, *body]).only)


def test_comments_between_rows_are_left_out(reads):
    body = rows()
    same(reads([HEAD, *body[:9], "# paused here", "", *body[9:]]).only)


def test_the_units_below_the_header_count(reads):
    found = reads(["f;Zre;Zim", "kHz;mOhm;mOhm", *rows(separator=";")])
    same(found.only, 1e3 * F, 1e-3 * Z)


def test_units_can_be_told_where_the_label_has_none(reads):
    told = {"frequency_unit": "kHz", "impedance_unit": "kOhm"}
    same(reads(["f,Zre,Zim", *rows()], **told).only, 1e3 * F, 1e3 * Z)
    same(reads(rows(), **told).only, 1e3 * F, 1e3 * Z)
    with pytest.raises(DataError, match="is in 'Hz', not 'kHz'"):
        reads([HEAD, *rows()], **told)


def test_row_numbers_without_a_header_are_seen(reads):
    numbered = [f"{i} {x}" for i, x in enumerate(rows(separator=" "))]
    same(reads(["freq/Hz Re(Z)/Ohm Im(Z)/Ohm", *numbered]).only)
    numbered[5] = "7" + numbered[5][1:]
    with pytest.raises(DataError, match="does not number the rows") as caught:
        reads(["freq/Hz Re(Z)/Ohm Im(Z)/Ohm", *numbered])
    assert "line 7" in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings_do_not_matter(reads, encoding):
    head = "Frequenz (Hz);Z' (°);x".replace("(°)", "").replace(";x", ";Z''")
    text = "\r\n".join(["Größe", head, *rows(separator=";")])
    same(reads((text + "\r\n").encode(encoding)).only)


def test_decimal_commas_between_quotes_may_be_parted_by_commas(reads):
    body = [
        ",".join(f'"{cell.replace(".", ",")}"' for cell in row.split(","))
        for row in rows()
    ]
    same(reads([HEAD, *body]).only)
    same(reads(body).only)


def test_magnitude_and_phase_make_an_impedance(reads):
    parts = zip(F.tolist(), np.abs(Z).tolist(), np.angle(Z, deg=True), strict=True)
    body = [f"{a!r},{b!r},{float(c)!r}" for a, b, c in parts]
    for label in ("Phase/deg", "Phase"):
        found = reads([f"freq/Hz,|Z|/Ohm,{label}", *body])
        same(found.only)
    assert levels(found, "phase: unit") == {"proven"}
    with pytest.raises(DataError, match=r"-?\d.* rad, labelled 'rad'"):
        reads(["freq/Hz,|Z|/Ohm,Phase/rad", *body])


def test_ohm_cm2_needs_the_area_and_gives_ohm(reads):
    lines = ["freq/Hz,Z' (Ohm cm2),Z'' (Ohm cm2)", *rows(z=2.5 * Z)]
    with pytest.raises(DataError, match="ohm cm2, and the area is not known"):
        reads(lines)
    found = reads(lines, area_cm2=2.5)
    same(found.only)
    assert found.only.area_cm2 == 2.5


def test_a_column_in_ohm_is_preferred_to_its_copy_in_ohm_cm2(reads):
    head = f"{HEAD},-Im(Z)/Ohm,Z' (Ohm cm2),Z'' (Ohm cm2)"
    z = zip(rows(), (-Z.imag).tolist(), strict=True)
    same(reads([head, *(f"{x},{b!r},1,2" for x, b in z)]).only)


# instruments ----------------------------------------------------------------------


def gamry(curves, footer=()):
    head = "\tPt\tTime\tFreq\tZreal\tZimag\tZsig\tZmod\tZphz\tIdc\tVdc\tIERange"
    units = "\t#\ts\tHz\tohm\tohm\tV\tohm\t°\tA\tV\t#"
    lines = ["EXPLAIN", "TAG\tEISPOT", "AREA\tQUANT\t1.13\t&Area (cm^2)"]
    lines += ["OCVCURVE\tTABLE\t1", "\tPt\tT\tVf", "\t#\ts\tV vs. Ref.", "\t0\t1\t3.7"]
    for z in curves:
        lines += ["ZCURVE\tTABLE", head, units]
        parts = zip(F.tolist(), z.tolist(), strict=True)
        lines += [
            f"\t{i}\t{i}\t{f!r}\t{x.real!r}\t{x.imag!r}\t1\t{abs(x)!r}\t"
            f"{np.angle(x, deg=True):.5f}\t0\t3.7\t7"
            for i, (f, x) in enumerate(parts)
        ]
    return "\n".join([*lines, *footer, ""]).encode("latin-1")


def test_gamry_with_several_curves(reads):
    found = reads(gamry([Z, 1.1 * Z, 1.2 * Z], ["EXPERIMENTABORTED\tTOGGLE\tT\tx"]))
    assert found.format == "Gamry .DTA"
    assert found.metadata["technique"] == "EISPOT"
    for k, spectrum in enumerate(found.spectra):
        same(spectrum, z=(1.0 + 0.1 * k) * Z)
        assert spectrum.area_cm2 == 1.13
    assert [s.name for s in found.spectra] == ["cell 1", "cell 2", "cell 3"]
    assert levels(found, "phase") == {"proven"}


def test_a_turned_gamry_file_contradicts_its_program(reads):
    with pytest.raises(DataError, match="causality proves the opposite") as caught:
        reads(gamry([Z.conj()]))
    assert 'imaginary_sign="negative"' in str(caught.value)
    same(reads(gamry([Z.conj()]), imaginary_sign="negative").only)


def ec_lab(groups):
    names = "freq/Hz\tRe(Z)/Ohm\t-Im(Z)/Ohm\tcycle number\t"
    body = [
        f"{f:.7E}\t{x.real:.7E}\t{-x.imag:.7E}\t{cycle:.15E}\t".replace(".", ",")
        for cycle, f_of, z in groups
        for f, x in zip(f_of, z, strict=True)
    ]
    head = ["EC-Lab ASCII FILE", "Nb header lines : 5", "", "Technique : x", names]
    return ("\r\n".join([*head, *body]) + "\r\n").encode("latin-1")


def test_ec_lab_text_without_time_and_current_is_a_spectrum(reads):
    idle = np.zeros(3)
    groups = [(1, F, Z), (1, idle, idle + 0j), (2, F, 2.0 * Z)]
    found = reads(ec_lab(groups))
    assert found.format == "Bio-Logic text"
    assert [s.points_count for s in found.spectra] == [36, 36]
    # eight digits are printed
    np.testing.assert_allclose(found.spectra[1].impedance_ohm, 2.0 * Z, rtol=1e-7)
    assert "3 of 75 without frequency" in said(found, "rows", "recognised")


def test_zview_text_is_read(reads):
    head = ["ZPLOT2 ASCII", "  Date:  10-12-2018", "    Surface Area:   0.5"]
    head += ["  Freq(Hz)\tAmpl\tBias\tTime(Sec)\tZ'(a)\tZ''(b)\tGD\tErr\tRange"]
    body = [
        f"{f!r}\t0.01\t0\t1\t{x.real!r}\t{x.imag!r}\t0\t0\t3"
        for f, x in zip(F.tolist(), Z.tolist(), strict=True)
    ]
    found = reads([*head, "End Comments", *body])
    assert (found.format, found.only.area_cm2) == ("ZPlot .z", 0.5)
    assert found.metadata["date_local"] == "10-12-2018"
    same(found.only)


def test_nova_text_is_read(reads):
    head = "Index;Frequency (Hz);Z' (Ω);-Z'' (Ω);Z (Ω);-Phase (°);Time (s)"
    parts = enumerate(zip(F.tolist(), Z.tolist(), strict=True))
    body = [
        f"{i};{f!r};{x.real!r};{-x.imag!r};{abs(x)!r};{-np.angle(x, deg=True)};1"
        for i, (f, x) in parts
    ]
    found = reads([head, *(x.replace(".", ",") for x in body)])
    same(found.only)
    assert levels(found, "phase") == {"proven"}


def test_versastudio_segments_are_read_without_their_direct_current(reads):
    names = "Segment #, Point #, E(V), I(A), Frequency(Hz), E Real, Z Real, Z Imag, 0"
    body = [
        f"1,{i},3.7,0,{f!r},1,{x.real!r},{x.imag!r},0"
        for i, (f, x) in enumerate(zip(F.tolist(), Z.tolist(), strict=True))
    ]
    lines = ["<Segment1>", "Type=2", f"Definition={names}", "1,0,3.7,0,0,0,0,0,0"]
    found = reads([*lines, *body, "</Segment1>", "<Segment2>", "</Segment2>"])
    assert found.format == "VersaStudio .par"
    same(found.only)


def test_ch_instruments_text_is_read(reads):
    head = ["Nov. 23, 2024   17:47:14", "A.C. Impedance", "", "Init E (V) = 0.8", ""]
    body = [
        f"{f:.4e}, {x.real:.4e}, {x.imag:.4e}, {abs(x):.4e}, {turn:.1f}"
        for f, x, turn in zip(F, Z, np.angle(Z, deg=True), strict=True)
    ]
    found = reads([*head, "Freq/Hz, Z'/ohm, Z\"/ohm, Z/ohm, Phase/deg", "", *body])
    assert found.format == "CH Instruments"
    # five digits are printed
    np.testing.assert_allclose(found.only.impedance_ohm, Z, rtol=1e-4)


def test_maccor_text_is_read(reads):
    head = ["MACCOR, INC.    AC Impedance Test", "Frequency Sweep: Open Circut", ""]
    found = reads([*head, "Freq(Hz)\tZreal\tZimg", *rows(separator="\t")])
    assert found.format == "MACCOR impedance"
    same(found.only)


# the sign -------------------------------------------------------------------------


def test_a_plain_label_over_the_negative_is_turned_and_said(reads):
    found = reads([HEAD, *rows(z=Z.conj())])
    same(found.only)
    assert "was turned" in said(found, "imaginary part: sign")
    assert "was turned" in " ".join(found.only.notes)


def test_a_minus_label_over_the_true_sign_is_refused(reads):
    lines = ["freq/Hz,Re(Z)/Ohm,-Im(Z)/Ohm", *rows()]
    with pytest.raises(DataError, match="should hold -Z'', but causality") as caught:
        reads(lines)
    assert 'imaginary_sign="measured"' in str(caught.value)
    same(reads(lines, imaginary_sign="measured").only)
    as_labelled = reads(lines, imaginary_sign="negative")
    same(as_labelled.only, z=Z.conj())
    assert "says the opposite" in said(as_labelled, "imaginary part: sign")


def test_without_a_header_causality_decides(reads):
    same(reads(rows()).only)
    turned = reads(rows(z=Z.conj()))
    same(turned.only)
    assert levels(turned, "imaginary part: sign") == {"proven"}


def test_what_cannot_be_proven_is_read_with_a_label_and_refused_without(reads):
    short = rows(F[::8], Z[::8])
    found = reads([HEAD, *short])
    assert levels(found, "imaginary part: sign") == {"not proven"}
    same(found.only, F[::8], Z[::8])
    with pytest.raises(DataError, match="nothing tells whether column 3 is"):
        reads(short)
    same(reads(short, imaginary_sign="measured").only, F[::8], Z[::8])


def test_one_noisy_spectrum_is_turned_with_the_others(reads):
    rng = np.random.default_rng(2)
    poor = 60.0 + 0.5 * (rng.standard_normal(36) + 1j * rng.standard_normal(36))
    z = np.r_[Z, Z, poor].conj()
    found = reads([HEAD, *rows(np.tile(F, 3), z)])
    same(found.spectra[0])
    same(found.spectra[2], z=poor)


def test_spectra_that_contradict_each_other_are_not_turned(reads):
    found = reads([HEAD, *rows(np.tile(F, 2), np.r_[Z, Z.conj()])])
    assert levels(found, "imaginary part: sign") == {"look", "not proven"}
    same(found.spectra[1], z=Z.conj())


def test_exchanged_columns_are_refused(reads):
    with pytest.raises(DataError, match="Z' and Z'' are exchanged"):
        reads(["freq/Hz,Im(Z)/Ohm,Re(Z)/Ohm", *rows()])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (lambda f, z: (z.real, z.imag, f), "causality explains only"),
        (lambda f, z: (f, z.imag, z.real), "causality explains only"),
        (lambda f, z: (z.imag, z.real, f), "column 1 does not sweep"),
        (lambda f, z: (f, abs(z), np.angle(z, deg=True)), r"look like \|Z\| and phase"),
        (lambda f, z: (f, z.real, z.imag, abs(z)), "4 columns without a header"),
    ],
)
def test_other_columns_without_a_header_are_refused(reads, columns, message):
    table = np.column_stack(columns(F, Z))
    with pytest.raises(DataError, match=message):
        reads([",".join(map(repr, row)) for row in table.tolist()])


# witnesses and looks --------------------------------------------------------------


def with_more(label, values):
    body = zip(rows(), values.tolist(), strict=True)
    return [f"{HEAD},|Z|/Ohm{label}", *(f"{x},{v}" for x, v in body)]


def test_a_magnitude_in_another_unit_is_refused(reads):
    with pytest.raises(DataError, match="1000 times that of Z' and Z''"):
        reads(with_more("", 1e3 * np.abs(Z)))


def test_a_phase_with_another_sign_is_said(reads):
    pairs = np.column_stack([np.abs(Z), -np.angle(Z, deg=True)])
    body = [
        f"{x},{a!r},{b!r}" for x, (a, b) in zip(rows(), pairs.tolist(), strict=True)
    ]
    found = reads([f"{HEAD},|Z|/Ohm,Phase/deg", *body])
    same(found.only)
    assert "other sign" in said(found, "phase")


@pytest.mark.parametrize(
    ("f", "z", "what", "message"),
    [
        (F, 1e-6 * Z, "impedance: unit", "kohm or Mohm"),
        (F, 1e9 * Z, "impedance: unit", "mohm"),
        (2.0 * np.pi * F, Z, "frequency: unit", "2 pi times 1e\\+05"),
        (np.log10(F) + 3.0, Z, "frequency", "a logarithm"),
        (1e6 * F, Z, "frequency: unit", "is it in Hz"),
        (F, Z - 40.0, "real part", "below zero"),
    ],
)
def test_what_is_strange_is_said_and_not_changed(reads, f, z, what, message):
    found = reads(["f,Zreal,Zimag", *rows(f, z)])
    same(found.only, f, z)
    assert message.replace("\\", "") in said(found, what)


def test_nothing_strange_is_said_of_a_plain_spectrum(reads):
    found = reads([HEAD, *rows()])
    assert not [f for f in found.findings if f.level in ("look", "not proven")]


# many spectra ---------------------------------------------------------------------


def test_several_sweeps_are_several_spectra(reads):
    scale = np.repeat([1.0, 2.0, 3.0], F.size)
    found = reads([HEAD, *rows(np.tile(F, 3), scale * np.tile(Z, 3))])
    assert len(found.spectra) == 3
    for k, spectrum in enumerate(found.spectra):
        same(spectrum, z=(k + 1.0) * Z)
    with pytest.raises(DataError, match="3 spectra, one was expected"):
        _ = found.only


def test_down_and_up_are_two_spectra_and_a_look(reads):
    f, z = np.r_[F, F[::-1][1:]], np.r_[Z, 1.01 * Z[::-1][1:]]
    found = reads([HEAD, *rows(f, z)])
    same(found.spectra[0])
    same(found.spectra[1], F[:-1], 1.01 * Z[:-1])
    assert "up and down" in said(found, "spectra")


def test_a_cycle_number_parts_spectra(reads):
    body = [f"{c},{x}" for c in (1, 2) for x in rows(F[c:], Z[c:])]
    found = reads([f"Cycle_Index,{HEAD}", *body])
    assert [s.points_count for s in found.spectra] == [35, 34]


def test_a_step_that_changes_within_a_sweep_does_not_part_it(reads):
    body = [f"{i // 12},{x}" for i, x in enumerate(rows())]
    found = reads([f"Step,{HEAD}", *body])
    same(found.only)
    assert "within a sweep" in said(found, "spectra")


def test_names_in_a_column_name_the_spectra(reads):
    body = [f"{name},{x}" for name in ("LB", "HB") for x in rows()]
    found = reads([f"Sample,{HEAD}", *body])
    assert [s.name for s in found.spectra] == ["LB", "HB"]


def test_tables_with_their_own_headers_are_spectra(reads):
    found = reads([HEAD, *rows(), "", HEAD, *rows(z=2.0 * Z)])
    same(found.spectra[1], z=2.0 * Z)
    other = ["f,Zreal,Zimag", *rows(z=3.0 * Z.conj())]
    found = reads([HEAD, *rows(), "end of data", *other])
    same(found.spectra[1], z=3.0 * Z)


def test_rows_in_no_order_are_sorted_and_said(reads):
    order = np.random.default_rng(0).permutation(F.size)
    found = reads([HEAD, *rows(F[order], Z[order])])
    same(found.only)
    assert "sorted" in said(found, "frequency")


def test_a_repeated_frequency_is_kept_and_said(reads):
    body = rows()
    found = reads([HEAD, *body[:5], body[4], *body[5:]])
    assert found.only.points_count == 37
    assert "1 point at a repeated frequency" in said(found, "frequency")


# bad input ------------------------------------------------------------------------

GOOD = [HEAD, *rows()]
F5 = rows()[5].split(",")[0]
BAD = {  # what is in the file -> message
    "only a header": ([HEAD], "no row below the header"),
    "blank lines": (["", "", ""], "only blanks"),
    "other text": (["Dear Sir,", "12 apples"], "no header names"),
    "a missing part": (["freq/Hz,Re(Z)/Ohm,x", *rows()], "no header names"),
    "admittance": (["freq/Hz,Re(Y),Im(Y)", *rows()], "admittances"),
    "log frequency": (["log(f),Zre,Zim", *rows()], "logarithm of the frequency only"),
    "a unit unknown": (["freq/Hz,Z'/foo,Z''/foo", *rows()], "'foo' is no unit"),
    "MOHM": (["freq/Hz,Z' (MOHM),Z'' (MOHM)", *rows()], "'MOHM' is no unit"),
    "ohm and ohm cm2": (["f,Z'/ohm,Z'' (ohm cm2)", *rows()], "the other in ohm cm2"),
    "a missing value": ([*GOOD[:6], f"{F5},,-1", *GOOD[7:]], "lack a value: line 7"),
    "NaN": ([*GOOD[:6], f"{F5},NaN,-1", *GOOD[7:]], "lack a value: line 7"),
    "infinity": ([*GOOD[:6], f"{F5},inf,-1", *GOOD[7:]], "lack a value: line 7"),
    "a word": ([*GOOD[:6], f"{F5},high,-1", *GOOD[7:]], "line 7.*'high' is not a numb"),
    "direct current": ([*GOOD, "0,60,0"], "first is 0 Hz: line 38"),
    "a negative frequency": ([*GOOD, "-5,60,0"], "logarithm of the frequency"),
    "only zeros": ([HEAD, *["0,0,0"] * 5], "none of the 5 rows holds"),
    "two points": (
        [HEAD, "10,1,-1", "1,2,-1"],
        "2 points at 2 frequencies are no spectrum",
    ),
    "one frequency": ([HEAD, *["1000,1,-1"] * 9], "9 points at 1 frequency is no"),
    "a short row": ([*GOOD[:6], "1,2", *GOOD[7:]], "line 7.*2 cells"),
    "a long row": ([*GOOD[:6], "1,2,3,4", *GOOD[7:]], "line 7.*4 cells"),
    "a cut row": ([*GOOD[:-1], "0.01,59"], "the file was cut"),
    "text between rows": ([*GOOD, "hello", "1,2,-3"], "interrupts the table"),
    "text before a bad row": ([*GOOD, "hello", "1,NaN,-3"], "interrupts the table"),
    "two real columns": (
        [f"{HEAD},Zreal", *(f"{x},1" for x in rows())],
        "may both be it, and differ",
    ),
    "thousands": (
        ["f;Zre;Zim", *(f"1,{i};2,{i};-3,{i}" for i in range(100, 120))],
        "before decimals or before thousands",
    ),
    "two decimal signs": (
        ["f;Zre;Zim", *(f"{i},5;10.1;-5,3" for i in range(9, 0, -1))],
        "decimal signs are mixed",
    ),
    "a comma for both": (
        ["freq,Zre,Zim", *(f"{i},5,10,1,-5,3" for i in range(9, 0, -1))],
        "3 columns are named",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_with_the_place(reads, name):
    lines, message = BAD[name]
    with pytest.raises(DataError) as caught:
        reads(lines)
    text = str(caught.value)
    assert re.search(message, text, re.DOTALL), text
    assert "cell.csv" in text
    assert "->" in text


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "empty"),
        (bytes(range(256)) * 20, "binary"),
        (b"\x1f\x8b" + bytes(50), "unpack it first"),
        (b"PK\x03\x04" + bytes(50), "save the sheet as CSV"),
        (b"PAR1" + bytes(50), "damaged"),
        (b"BIO-LOGIC MODULAR FILE" + bytes(50), "damaged"),
    ],
)
def test_no_text_is_refused_with_advice(reads, raw, message):
    with pytest.raises(DataError, match=message):
        reads(raw)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_spectra(tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    ("row", "repair", "level"),
    [
        (f"{F5},nan,-1", "incomplete-rows", "1 incomplete, left out: line 7"),
        ("0,60,0", "zero-frequency", "1 at zero, left out: line 7"),
    ],
)
def test_a_repair_leaves_out_the_row_and_says_so(reads, row, repair, level):
    found = reads([*GOOD[:6], row, *GOOD[7:]], repair=[repair])
    kept = np.arange(F.size) != 5
    same(found.only, F[kept], Z[kept])
    assert level in said(found, "rows", "repaired")
    assert level in " ".join(found.only.notes)


def test_thousands_can_be_told_to_be_decimals(reads):
    lines = ["f;Zre;Zim", *(f"1,{i};2,{i};-3,{i}" for i in range(100, 120))]
    found = reads(lines, decimal=",")
    assert found.only.frequency_hertz[0] == 1.119


def test_a_last_line_without_an_end_is_said(reads):
    found = reads("\n".join(GOOD).encode())
    assert "too short" in said(found, "last line")


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"reader": "nope"}, "'nope' is no reader"),
        ({"repair": ["nope"]}, "'nope' is no repair"),
        ({"imaginary_sign": "up"}, "'up' is not known"),
    ],
)
def test_a_choice_that_is_not_there_is_refused(reads, told, message):
    with pytest.raises(SpecError, match=message):
        reads(GOOD, **told)


@pytest.mark.parametrize("area", [0.0, -1.0, float("nan"), float("inf")])
def test_an_area_must_be_above_zero(reads, area):
    with pytest.raises(DataError, match="must be > 0"):
        reads(GOOD, area_cm2=area)


def test_the_given_reader_is_used(reads):
    same(reads(GOOD, reader="text").only)
    with pytest.raises(DataError, match="damaged"):
        reads(GOOD, reader="biologic-mpr")


# numbers as spreadsheets write them -------------------------------------------------


def grouped(f, z, swapped, separator="\t"):
    """Rows with separators of thousands; `swapped`: 1.000.000,000."""
    lines = [
        separator.join(f"{x:,.3f}" for x in (a, 50 * b.real, -50 * b.imag))
        for a, b in zip(f, z, strict=True)
    ]
    table = str.maketrans(",.", ".,")
    return [x.translate(table) for x in lines] if swapped else lines


@pytest.mark.parametrize("swapped", [True, False])
@pytest.mark.parametrize("rising", [True, False])
def test_separators_of_thousands_are_named(reads, swapped, rising):
    order = slice(None, None, -1) if rising else slice(None)
    body = grouped(F[order], Z[order], swapped)
    with pytest.raises(DataError, match="has separators of thousands") as caught:
        reads(["Frequenz (Hz)\tZ' (Ohm)\t-Z'' (Ohm)", *body])
    assert "without separators of thousands" in caught.value.remedy


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("1.000.000,0", True),
        ("1,000,000.0", True),
        ("1.000,5", True),
        ("1'000.5", True),
        ("1.000.000", True),
        ("1.000", False),
        ("1,000", False),
        ("1000.5", False),
        ("1.5e+06", False),
        ("2.10.2025", False),
    ],
)
def test_thousands_are_certain_or_not_said(cell, expected):
    from equipoise.io.spectra.cells import is_grouped

    assert is_grouped(cell) is expected


@pytest.mark.parametrize("header", [["f/Hz,Z'/Ohm,-Z''/Ohm"], []])
def test_a_comma_for_cells_and_decimals_is_sent_back_as_semicolons(reads, header):
    lines = [
        ",".join(f"{x:.3f}".replace(".", ",") for x in (a, b.real, -b.imag))
        for a, b in zip(F, Z, strict=True)
    ]
    with pytest.raises(DataError) as caught:
        reads([*header, *lines])
    assert "export with semicolons" in caught.value.remedy


def test_the_table_of_electrodes_names_the_file_to_read(tmp_path):
    columns = {"frequency_hertz": F}
    for part in ("", "positive_", "negative_"):
        columns[f"{part}real_impedance_ohm"] = Z.real
        columns[f"{part}imaginary_impedance_ohm"] = Z.imag
    path = tmp_path / "impedances.parquet"
    pl.DataFrame(columns).write_parquet(path)
    with pytest.raises(DataError) as caught:
        read_spectra(path)
    assert "the file spectra" in caught.value.remedy
    beside = tmp_path / "spectra.parquet"
    beside.write_bytes(b"")
    with pytest.raises(DataError) as caught:
        read_spectra(path)
    assert str(beside) in caught.value.remedy


def test_a_separator_in_place_of_the_last_digit_of_the_first_row_is_refused(tmp_path):
    f = np.logspace(5, -2, 36)
    z = 10.0 + 50.0 / (1.0 + (2j * np.pi * f * 1e-2) ** 0.8)
    rows = [f"{a:.6g},{b.real:.6f},{b.imag:.6f}" for a, b in zip(f, z, strict=True)]
    for damaged in (rows[0][:-1] + ",", rows[0] + ","):
        path = tmp_path / "cell.csv"
        path.write_text("\n".join(["freq/Hz,Re(Z)/Ohm,Im(Z)/Ohm", damaged, *rows[1:]]))
        with pytest.raises(DataError):
            read_spectra(path)
    # where every row ends in one it is the habit of a program
    path.write_text(
        "\n".join(["freq/Hz,Re(Z)/Ohm,Im(Z)/Ohm", *(r + "," for r in rows)])
    )
    np.testing.assert_allclose(read_spectra(path).only.impedance_ohm, z, atol=1e-6)
