"""Headers of impedance tables in the ways that programs write them."""

import math

import pytest

from equipoise.io.spectra.labels import meaning

REAL, IMAGINARY = "real", "imaginary"
LABELS = {  # label -> quantity, factor to Hz, ohm, radian; whether it says minus
    "freq/Hz": ("frequency", 1.0, False),
    "Frequency (Hz)": ("frequency", 1.0, False),
    "f [kHz]": ("frequency", 1e3, False),
    "f / mHz": ("frequency", 1e-3, False),
    "f / MHz": ("frequency", 1e6, False),
    "omega (rad/s)": ("frequency", 0.5 / math.pi, False),
    "ω": ("frequency", 0.5 / math.pi, False),
    "EIS_f[Hz]": ("frequency", 1.0, False),
    "frequency_hertz": ("frequency", 1.0, False),
    "Z' (Ω)": (REAL, 1.0, False),
    "Zre/ohm": (REAL, 1.0, False),
    "Re(Z)": (REAL, 1.0, False),
    "Z_real": (REAL, 1.0, False),
    "ReZ_ohm": (REAL, 1.0, False),
    "real_impedance_ohm": (REAL, 1.0, False),
    "Z'(a)": (REAL, 1.0, False),
    "Z' (?)": (REAL, 1.0, False),
    "Z', kOhm": (REAL, 1e3, False),
    "-Im(Z)/Ohm": (IMAGINARY, 1.0, True),
    "-Z''": (IMAGINARY, 1.0, True),
    "\u2212Z\u2033 / m\u2126": (IMAGINARY, 1e-3, True),
    "neg. Z'' (ohm)": (IMAGINARY, 1.0, True),
    'Z"/ohm': (IMAGINARY, 1.0, False),
    "Z_Imag_Ohm": (IMAGINARY, 1.0, False),
    "Zimg": (IMAGINARY, 1.0, False),
    "Imag": (IMAGINARY, 1.0, False),
    "Z'' (MΩ)": (IMAGINARY, 1e6, False),
    "|Z|/Ohm": ("magnitude", 1.0, False),
    "Zmod": ("magnitude", 1.0, False),
    "Phase(Z)/deg": ("phase", math.pi / 180.0, False),
    "-Phase (°)": ("phase", math.pi / 180.0, True),
    "Z_Phase_Degree": ("phase", math.pi / 180.0, False),
    "Phase (rad)": ("phase", 1.0, False),
}


@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_understood(label):
    quantity, factor, negative = LABELS[label]
    found = meaning(label)
    assert found is not None
    assert (found.quantity, found.negative) == (quantity, negative)
    assert found.unit_ratio == pytest.approx(factor, rel=1e-12)
    assert not found.area_specific


@pytest.mark.parametrize(
    ("label", "factor"),
    [
        ("Z' (Ohm cm2)", 1.0),
        ("Z' / Ω·cm²", 1.0),
        ("Z_re_mohm_cm2", 1e-3),
        ("Re(Z) [Ohm*cm^2]", 1.0),
        ("Z' (Ω m²)", 1e4),
    ],
)
def test_ohm_times_area_is_told_from_ohm(label, factor):
    found = meaning(label)
    assert found is not None
    assert found.area_specific
    assert found.unit_ratio == pytest.approx(factor)


@pytest.mark.parametrize("label", ["Z' (MOHM)", "f (mhz)", "Z' (Ω cm)", "Z'/V"])
def test_a_unit_that_may_be_two_or_none_has_no_factor(label):
    found = meaning(label)
    assert found is not None
    assert found.unit_ratio is None


@pytest.mark.parametrize(
    "label",
    ["Voltage (V)", "E Real", "Z2 Real", "Re(Zce)/Ohm", "time/s", "Zsig", "Cs/µF", ""],
)
def test_other_columns_mean_nothing_here(label):
    assert meaning(label) is None


@pytest.mark.parametrize("label", ["Re(Y)/Ohm-1", "Y'", "|Y|"])
def test_an_admittance_is_no_impedance(label):
    found = meaning(label)
    assert found is not None
    assert found.quantity == "admittance"
