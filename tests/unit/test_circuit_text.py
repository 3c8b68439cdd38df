"""The text of a circuit: what is read, and what is said if it cannot be."""

import pytest

from equipoise.analysis.eis.circuits.circuit import Circuit
from equipoise.analysis.eis.circuits.parts import Element, Parallel, Series
from equipoise.core.errors import SpecError


def test_a_text_becomes_a_tree():
    circuit = Circuit.of(" R0 - p( R1 , CPE1 - W_a ) ")
    assert circuit.root == Series(
        (
            Element("R", "R0"),
            Parallel(
                (
                    Element("R", "R1"),
                    Series((Element("Q", "CPE1"), Element("W", "W_a"))),
                )
            ),
        )
    )
    assert str(circuit) == "R0-p(R1,CPE1-W_a)"
    assert Circuit.of(circuit) is circuit


def test_brackets_without_p_only_group():
    assert Circuit.of("(R0-(L0))-(p(R1,(C1)))") == Circuit.of("R0-L0-p(R1,C1)")


def test_parameters_have_names_and_units():
    circuit = Circuit.of("R0-L0-C0-Q1-ZARC2-Wo3-TLMR4")
    assert [(p.name, p.unit) for p in circuit.parameters] == [
        ("R0_ohm", "Ω"),
        ("L0_henry", "H"),
        ("C0_farad", "F"),
        ("Q1_coefficient", "Ω⁻¹ s^alpha"),
        ("Q1_alpha", ""),
        ("ZARC2_ohm", "Ω"),
        ("ZARC2_second", "s"),
        ("ZARC2_alpha", ""),
        ("Wo3_ohm", "Ω"),
        ("Wo3_second", "s"),
        ("TLMR4_ion_ohm", "Ω"),
        ("TLMR4_electron_ohm", "Ω"),
        ("TLMR4_transfer_ohm", "Ω"),
        ("TLMR4_coefficient", "Ω⁻¹ s^alpha"),
        ("TLMR4_alpha", ""),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an element was expected, found the end of the text at position 1"),
        ("R0-", "found the end of the text at position 4"),
        ("R0--R1", "an element was expected, found '-' at position 4"),
        ("R0-Zarck1", "there is no element 'Zarck' at position 4"),
        ("R0-X1", "there is no element 'X' at position 4"),
        ("R0-p(R1,C1", "the bracket opened at position 4 is not closed at position 11"),
        ("R0)", "unexpected ')' at position 3"),
        ("R0,R1", "unexpected ',' at position 3"),
        ("R0 R1", "unexpected 'R' at position 4"),
        ("p(R0 C1)", "unexpected 'C' at position 6"),
        ("R0-p()", "p() is empty at position 4"),
        ("R0-p(R1)", "p(R1) has one branch only at position 4"),
        ("R0-p(R1,)", "an element was expected, found ')' at position 9"),
        ("R0-p(R0,C1)", "'R0' is there twice, the second time at position 6"),
        ("R0-3", "an element was expected, found '3' at position 4"),
        ("R0+C1", "unexpected '+' at position 3"),
        ("R1a", "there is no element 'R1a' at position 1"),
        ("(" * 30 + "R0" + ")" * 30, "nested deeper than 20"),
        ("R0-" * 500 + "R0", "1502 characters"),
        ("-".join(f"R{i}" for i in range(41)), "more than 40 elements"),
    ],
)
def test_a_bad_text_is_refused_with_its_position(text, message):
    with pytest.raises(SpecError) as caught:
        Circuit.of(text)
    assert message in caught.value.message
    assert caught.value.remedy


def test_a_misspelled_element_is_suggested():
    with pytest.raises(SpecError, match="did you mean 'TLMQ'"):
        Circuit.of("R0-TMLQ1")
    with pytest.raises(SpecError, match="number them: R1, R2"):
        Circuit.of("R1-R1")


def test_values_are_taken_by_name_by_element_or_in_order():
    circuit = Circuit.of("R0-p(R1,Q1)")
    whole = [1.0, 2.0, 3e-3, 0.9]
    named = {"Q1_alpha": 0.9, "R0": 1.0, "Q1_coefficient": 3e-3, "R1_ohm": 2.0}
    assert circuit.vector(named).tolist() == whole == circuit.vector(whole).tolist()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"R0": 1.0}, "no value for R1_ohm, Q1_coefficient, Q1_alpha"),
        ([1.0, 2.0], "2 values; the circuit has 4 parameters"),
        ([1.0, -2.0, 3e-3, 0.9], "R1_ohm = -2 must be > 0"),
        ([1.0, 2.0, 3e-3, 1.2], r"Q1_alpha = 1.2 must be in \(0, 1\]"),
        ([1.0, float("inf"), 3e-3, 0.9], "R1_ohm = inf must be"),
        ({"R9": 1.0}, "there is no parameter 'R9'"),
        ({"Q1": 1.0}, "there is no parameter 'Q1'"),
    ],
)
def test_bad_values_are_refused(values, message):
    with pytest.raises(SpecError, match=message):
        Circuit.of("R0-p(R1,Q1)").impedance([1.0], values)


def test_an_element_with_several_parameters_names_them():
    with pytest.raises(SpecError, match="Q1 has Q1_coefficient, Q1_alpha"):
        Circuit.of("R0-Q1").index("Q1")


def test_direct_current_is_refused():
    with pytest.raises(SpecError, match="frequencies are > 0"):
        Circuit.of("R0").impedance([0.0, 1.0], [1.0])
