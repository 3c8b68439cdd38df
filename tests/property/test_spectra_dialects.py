"""Any dialect of a spectrum gives the same impedance back, or an error: no third."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from equipoise.core.errors import EquipoiseError
from equipoise.io.spectra.read import read_spectra
from equipoise.io.spectra.write import write_spectra
from equipoise.spec.spectrum import Spectrum

some = settings(max_examples=120, deadline=None)
many = settings(max_examples=250, deadline=None)

SEPARATORS = [",", ";", "\t", "|", " "]
FREQUENCY = {
    "freq/Hz": 1.0,
    "Frequency (Hz)": 1.0,
    "f [kHz]": 1e3,
    "Freq": 1.0,
    "omega (rad/s)": 1.0 / (2.0 * math.pi),
    "Frequency_Hz": 1.0,
    "f / mHz": 1e-3,
}
PAIRS = {  # labels of real and imaginary part -> ohm per unit
    ("Re(Z)/Ohm", "Im(Z)/Ohm"): 1.0,
    ("Z' (Ω)", "Z'' (Ω)"): 1.0,
    ("Zreal", "Zimag"): 1.0,
    ("Z'/kOhm", "Z''/kOhm"): 1e3,
    ("Z_Real_mOhm", "Z_Imag_mOhm"): 1e-3,
    ("Zre (MΩ)", "Zim (MΩ)"): 1e6,
    ("Real", "Imag"): 1.0,
    ("real_impedance_ohm", "imaginary_impedance_ohm"): 1.0,
    ("Z\u2032 / Ω", "Z\u2033 / Ω"): 1.0,
}


@dataclass
class Dialect:
    separator: str
    decimal: str
    frequency: str
    pair: tuple[str, str]
    labelled_minus: bool
    held_minus: bool
    order: tuple[int, ...]
    extra: bool
    index: bool
    preamble: int
    encoding: str
    falling: bool

    @property
    def tells_the_truth(self):
        return self.labelled_minus == self.held_minus


@st.composite
def dialects(draw):
    separator = draw(st.sampled_from(SEPARATORS))
    frequency = draw(st.sampled_from(sorted(FREQUENCY)))
    pair = draw(st.sampled_from(sorted(PAIRS)))
    extra = draw(st.booleans())
    columns = 5 if extra else 3
    order = tuple(draw(st.permutations(range(columns))))
    return Dialect(
        separator=separator,
        decimal="." if separator == "," else draw(st.sampled_from([".", ","])),
        frequency=frequency,
        pair=pair,
        labelled_minus=draw(st.booleans()),
        held_minus=draw(st.booleans()),
        order=order,
        extra=extra,
        index=draw(st.booleans()),
        preamble=draw(st.integers(0, 5)),
        encoding=draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])),
        falling=draw(st.booleans()),
    )


@st.composite
def cells(draw):
    """Frequencies and an impedance with arcs, perhaps a tail and an inductance."""
    per_decade = draw(st.integers(4, 10))
    top, decades = draw(st.integers(2, 6)), draw(st.integers(3, 8))
    f = np.logspace(top - decades, top, per_decade * decades + 1)
    w = 2.0 * np.pi * f
    scale = 10.0 ** draw(st.integers(-2, 4))
    z = np.full(f.size, scale * draw(st.floats(0.05, 3.0)), dtype=complex)
    for _ in range(draw(st.integers(1, 3))):
        tau = 10.0 ** draw(st.floats(-top, decades - top)) / (2.0 * np.pi)
        phi = draw(st.floats(0.6, 1.0))
        z += scale * draw(st.floats(0.5, 3.0)) / (1.0 + (1j * w * tau) ** phi)
    if draw(st.booleans()):
        z += scale * draw(st.floats(0.1, 1.0)) * (1j * w / w.min()) ** -0.5
    if draw(st.booleans()):
        z += 1j * w / w.max() * scale * 0.3
    noise = draw(st.sampled_from([0.0, 1e-3, 1e-2]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    two = rng.standard_normal((2, f.size))
    return f, z * (1.0 + noise * (two[0] + 1j * two[1]))


def shown(value, decimal):
    return repr(float(value)).replace(".", decimal)


def text_of(f, z, dialect):
    """The file as text."""
    minus = "-" if dialect.labelled_minus else ""
    hertz, ohms = FREQUENCY[dialect.frequency], PAIRS[dialect.pair]
    held = (-z.imag if dialect.held_minus else z.imag) / ohms
    labels = [dialect.frequency, dialect.pair[0], minus + dialect.pair[1]]
    columns = [f / hertz, z.real / ohms, held]
    if dialect.extra:
        labels += ["time/s", "Zmod (ohm)"]
        columns += [np.arange(f.size) * 1.25, np.abs(z)]
    labels = [labels[i] for i in dialect.order]
    columns = [columns[i] for i in dialect.order]
    if dialect.index:
        labels, columns = ["", *labels], [np.arange(f.size), *columns]
    if dialect.separator == " ":
        labels = [x.replace(" ", "") for x in labels]
    rows = np.column_stack(columns)
    rows = rows[::-1] if dialect.falling else rows
    if dialect.index:
        rows[:, 0] = np.arange(f.size)
    lines = [f"Comment no {i}: 12 of them" for i in range(dialect.preamble)]
    lines.append(dialect.separator.join(labels))
    for row in rows:
        printed = [shown(v, dialect.decimal) for v in row]
        if dialect.index:
            printed[0] = str(int(row[0]))
        lines.append(dialect.separator.join(printed))
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("dialects") / "cell.txt"


def opened(path):
    """The file, or None and why it was refused."""
    try:
        return read_spectra(path), ""
    except EquipoiseError as error:
        return None, str(error)


def same(spectrum, f, z):
    order = np.argsort(-f, kind="stable")
    np.testing.assert_allclose(spectrum.frequency_hertz, f[order], rtol=1e-12)
    np.testing.assert_allclose(spectrum.impedance_ohm, z[order], rtol=1e-9)


@many
@given(cells(), dialects())
def test_a_labelled_table_gives_the_impedance_or_an_error(path, cell, dialect):
    f, z = cell
    path.write_bytes(text_of(f, z, dialect).encode(dialect.encoding))
    found, why = opened(path)
    # only a "-Z''" that holds Z'' is refused
    assert (found is None) == (dialect.labelled_minus and not dialect.held_minus), why
    if found is None:
        return
    if not dialect.tells_the_truth and not found.proven:
        return  # read as labelled, and said to be not proven: tested below
    (spectrum,) = found.spectra
    same(spectrum, f, z)


@some
@given(cells(), dialects())
def test_an_unproven_sign_is_said(path, cell, dialect):
    f, z = cell
    path.write_bytes(text_of(f, z, dialect).encode(dialect.encoding))
    found, _ = opened(path)
    if found is None:
        return
    levels = {f.level for f in found.findings if f.what == "imaginary part: sign"}
    assert levels, "nothing is said about the sign"
    turned = any("was turned" in f.how for f in found.findings)
    assert turned == (found.proven and not dialect.tells_the_truth)


@some
@given(
    cells(),
    st.sampled_from(SEPARATORS),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from([".", ","]),
)
def test_without_a_header_the_impedance_is_the_same_or_refused(
    path, cell, separator, minus, index, falling, decimal
):
    f, z = cell
    assume(not (separator == "," and decimal == ","))
    columns = [f, z.real, -z.imag if minus else z.imag]
    rows = np.column_stack(columns)[:: -1 if falling else 1]
    lines = [
        separator.join(
            [*([str(i)] if index else []), *(shown(v, decimal) for v in row)]
        )
        for i, row in enumerate(rows)
    ]
    path.write_text("\n".join(lines))
    found, _ = opened(path)
    if found is not None:
        (spectrum,) = found.spectra
        same(spectrum, f, z)


@some
@given(cells(), st.sampled_from(["deg", "rad"]), st.booleans(), st.booleans())
def test_magnitude_and_phase_give_the_impedance(path, cell, unit, named, minus):
    f, z = cell
    phase = np.angle(z, deg=unit == "deg") * (-1.0 if minus else 1.0)
    label = f"{'-' if minus else ''}Phase" + (f" ({unit})" if named else "")
    lines = [f"freq/Hz,|Z|/ohm,{label}"]
    lines += [
        f"{a!r},{b!r},{c!r}"
        for a, b, c in zip(f.tolist(), np.abs(z).tolist(), phase.tolist(), strict=True)
    ]
    path.write_text("\n".join(lines))
    found, why = opened(path)
    assert found is not None or not named, why
    if found is None:
        return
    (spectrum,) = found.spectra
    order = np.argsort(-f)
    np.testing.assert_allclose(spectrum.impedance_ohm, z[order], rtol=1e-9)


numbers = st.floats(-1e12, 1e12, allow_nan=False).map(float)


@st.composite
def any_spectrum(draw):
    size = draw(st.integers(1, 12))
    f = draw(st.lists(st.floats(1e-9, 1e12), min_size=size, max_size=size))
    z = [complex(draw(numbers), draw(numbers)) for _ in range(size)]
    area = draw(st.none() | st.floats(1e-6, 1e6))
    name = draw(st.text(max_size=20))
    return Spectrum.of(f, z, area_cm2=area, name=name)


@some
@given(
    st.lists(any_spectrum(), min_size=1, max_size=4),
    st.sampled_from(["csv", "parquet"]),
)
def test_what_is_written_is_read_back(tmp_path_factory, spectra, form):
    target = tmp_path_factory.mktemp("written") / f"cells.{form}"
    write_spectra(spectra, target)
    back = read_spectra(target).spectra
    assert len(back) == len(spectra)
    for one, other in zip(spectra, back, strict=True):
        np.testing.assert_array_equal(one.frequency_hertz, other.frequency_hertz)
        np.testing.assert_array_equal(one.impedance_ohm, other.impedance_ohm)
        assert one.area_cm2 == other.area_cm2
        printable = "".join(c if c.isprintable() else " " for c in one.name)
        assert other.name == " ".join(printable.split())


GOOD = text_of(
    np.logspace(-2, 5, 36),
    10.0 + 50.0 / (1.0 + (2j * np.pi * np.logspace(-2, 5, 36) * 1e-2) ** 0.8),
    Dialect(
        ",",
        ".",
        "freq/Hz",
        ("Re(Z)/Ohm", "Im(Z)/Ohm"),
        labelled_minus=False,
        held_minus=False,
        order=(0, 1, 2),
        extra=False,
        index=False,
        preamble=1,
        encoding="utf-8",
        falling=True,
    ),
).encode()


@some
@given(st.data())
def test_a_damaged_file_never_gives_another_number(path, data):
    raw = bytearray(GOOD)
    at = data.draw(st.integers(0, len(raw) - 1))
    kind = data.draw(st.sampled_from(["cut", "delete a line", "letter", "twice"]))
    if kind == "cut":
        raw = raw[:at]
    elif kind == "letter":
        raw[at] = data.draw(st.sampled_from(list(b"xyz;\x00,")))
    else:
        lines = bytes(raw).split(b"\n")
        line = data.draw(st.integers(0, len(lines) - 1))
        lines[line : line + 1] = [] if kind == "delete a line" else [lines[line]] * 2
        raw = bytearray(b"\n".join(lines))
    path.write_bytes(bytes(raw))
    found, _ = opened(path)
    if found is None:
        return
    truth = {}
    for line in GOOD.decode().split("\n")[2:-1]:
        f, real, imaginary = map(float, line.split(","))
        truth[f] = complex(real, imaginary)
    wrong = sum(
        truth.get(f) != z
        for s in found.spectra
        for f, z in zip(s.frequency_hertz, s.impedance_ohm, strict=True)
    )
    # a number that is cut at its end is another number; that is said
    warned = any(f.what == "last line" for f in found.findings)
    assert wrong == 0 or (wrong == 1 and warned)
