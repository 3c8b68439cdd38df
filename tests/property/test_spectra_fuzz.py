"""Damaged files of spectra: refused with a reason, or spectra of finite numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.core.errors import EquipoiseError
from equipoise.io.spectra.read import read_spectra
from equipoise.io.spectra.write import write_spectra
from equipoise.spec.spectrum import Spectrum

F = np.logspace(5, -1, 31)
Z = 10.0 + 50.0 / (1.0 + (2j * np.pi * F * 1e-2) ** 0.8)
ROWS = [
    f"{f!r};{x.real!r};{x.imag!r}" for f, x in zip(F.tolist(), Z.tolist(), strict=True)
]
GAMRY = ["EXPLAIN", "TAG\tEISPOT", "AREA\tQUANT\t1.13\tx", "ZCURVE\tTABLE"]
GAMRY += ["\tPt\tFreq\tZreal\tZimag", "\t#\tHz\tohm\tohm"]
GAMRY += [f"\t{i}\t{x}".replace(";", "\t") for i, x in enumerate(ROWS)]
EC_LAB = ["EC-Lab ASCII FILE", "Nb header lines : 3", "freq/Hz\tRe(Z)/Ohm\t-Im(Z)/Ohm"]
EC_LAB += [x.replace(";-", ";").replace(";", "\t") for x in ROWS]
COMMAS = ["f;Z' (kOhm);Z''/Ohm", *ROWS]
FILES = {
    "gamry": "\n".join(GAMRY).encode(),
    "ec-lab": "\r\n".join(EC_LAB).encode(),
    "decimal commas": "\n".join(COMMAS).replace(".", ",").encode(),
    "no header": "\n".join(ROWS).encode(),
    "UTF-16": "\n".join(COMMAS).encode("utf-16"),
}
TOKENS = [b"nan", b"1e308", b"-1e308", b"1e-308", b"inf", b"0", b",", b";", b"\t"]
TOKENS += [b'"', b"\n", b"\r", b"#", b"Z'", b"freq", b"1e400", b"-", b"\x00", b"0,0,0"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    spectra = [Spectrum.of(F, Z, name="a"), Spectrum.of(F, Z, area_cm2=2.0)]
    made = dict(FILES)
    for form in ("csv", "parquet"):
        made[form] = write_spectra(spectra, folder / f"ours.{form}").read_bytes()
    return folder / "cell.bin", made


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused_or_finite(files, data):
    path, made = files
    raw = bytearray(made[data.draw(st.sampled_from(sorted(made)))])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw)))
        width = data.draw(st.sampled_from([0, 1, 5, 17, 200]))
        token = data.draw(st.sampled_from(TOKENS) | st.binary(max_size=3))
        raw[at : at + width] = token
    path.write_bytes(bytes(raw) or b" ")
    try:
        found = read_spectra(path)
    except EquipoiseError:
        return
    assert found.spectra
    for spectrum in found.spectra:
        assert np.isfinite(spectrum.impedance_ohm).all()
        assert (spectrum.frequency_hertz > 0.0).all()
        assert (np.diff(spectrum.frequency_hertz) <= 0.0).all()
