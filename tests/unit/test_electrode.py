import math

import pytest

from equipoise.spec.electrode import (
    ElectrodeSpec,
    disc_area_cm2,
    solid_density_g_per_cm3,
)


def electrode(**changes):
    known = {
        "material": "lto",
        "diameter_mm": 10,
        "composite_mass_mg": 30.0,
        "mass_fractions": {"lto": 30, "lpscl": 65, "c65": 5},
    }
    return ElectrodeSpec(**(known | changes))


def test_a_disc_of_10_mm_has_pi_quarter_square_centimetres():
    assert disc_area_cm2(10.0) == pytest.approx(math.pi / 4, rel=1e-15)


def test_active_mass_from_a_loading_or_from_the_weighed_composite():
    weighed = electrode()
    assert weighed.active_mass_mg == pytest.approx(9.0)
    loaded = electrode(composite_mass_mg=None, loading_mg_per_cm2=10.0)
    assert loaded.active_mass_mg == pytest.approx(10.0 * math.pi / 4)
    assert electrode(composite_mass_mg=None).active_mass_mg is None


@pytest.mark.parametrize("path", ["my_lto.toml", "curves/my_lto.toml"])
def test_a_curve_file_gives_its_stem_to_the_mass_fractions(path):
    fractions = {"my_lto": 30, "lpscl": 70}
    spec = electrode(material=path, mass_fractions=fractions)
    assert spec.material_name == "my_lto"
    assert spec.active_fraction == pytest.approx(0.30)


def test_density_of_a_mixture_is_that_of_its_volumes():
    # 1 g of density 1 and 1 g of density 4 fill 1.25 cm3
    mixed = solid_density_g_per_cm3({"a": 0.5, "b": 0.5}, {"a": 1.0, "b": 4.0})
    assert mixed == pytest.approx(2.0 / 1.25)


def test_thickness_times_area_times_density_is_the_mass(lb):
    for side, mass in ((lb.positive, 5.4), (lb.negative, 9.1)):
        volume_cm3 = side.thickness_um(mass) * 1e-4 * side.spec.area_cm2
        solid_cm3 = volume_cm3 * (1.0 - side.spec.porosity_fraction)
        composite_mg = solid_cm3 * side.density_g_per_cm3 * 1e3
        assert composite_mg * side.spec.active_fraction == pytest.approx(mass)


def test_pores_make_a_layer_thicker(lb):
    porous = lb.positive.spec.model_copy(update={"porosity_fraction": 0.4})
    from dataclasses import replace

    thick = replace(lb.positive, spec=porous).thickness_um(5.0)
    assert thick == pytest.approx(lb.positive.thickness_um(5.0) * 0.9 / 0.6)
