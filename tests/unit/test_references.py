import pytest

from equipoise.core.errors import SpecError
from equipoise.core.references import REFERENCES, reference_potential, to_vs_li


@pytest.mark.parametrize(
    ("measured", "reference", "vs_li"),
    [
        (2.75, "lto", 4.30),  # zhang2026 sec. 4.6: 2.75 V vs LTO is 4.3 V vs Li
        (1.35, "lto", 2.90),
        (3.68, "in_inli", 4.30),  # zhang2026 sec. 4.6: NCM85 half cell
        (0.38, "in_inli", 1.00),
        (4.30, "li", 4.30),
    ],
)
def test_potentials_convert_to_the_lithium_scale(measured, reference, vs_li):
    assert to_vs_li(measured, reference) == pytest.approx(vs_li, abs=1e-12)


def test_an_unknown_reference_names_its_neighbour():
    with pytest.raises(SpecError, match=r"'in_inl'(.|\n)*did you mean 'in_inli'"):
        reference_potential("in_inl")


def test_every_reference_has_a_source():
    assert all(len(r.source) > 3 for r in REFERENCES.values())
    assert all(name == r.name for name, r in REFERENCES.items())
