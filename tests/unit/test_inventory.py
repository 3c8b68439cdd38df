import numpy as np
import pytest

from equipoise.core.errors import SpecError
from equipoise.spec.inventory import Inventory


def test_a_fresh_cell_moves_every_lithium_from_one_electrode_to_the_other(lb):
    a, b = Inventory.of(lb).line(lb)
    assert a == 0.0
    # 1 g of positive meets 1.1 * 202 / 132 g of negative (Eq. 1)
    assert b == pytest.approx(132.0 / (1.1 * 202.0), rel=1e-14)


def test_a_lost_share_of_the_positive_fills_the_negative_less(lb):
    fresh, aged = (
        Inventory.of(lb, positive_active_fraction=f).line(lb) for f in (1.0, 0.9)
    )
    assert aged[1] == pytest.approx(0.9 * fresh[1])
    assert aged[0] == 0.0


def test_lithium_of_particles_lost_charged_stays_in_the_negative(lb):
    inventory = Inventory.of(
        lb, positive_active_fraction=0.9, positive_isolated_at_mah_per_g=210.0
    )
    a, b = inventory.line(lb)
    rho = 1.1 * 202.0 / 132.0
    assert a == pytest.approx(0.1 * 210.0 / rho)
    # so that at q = 210 the negative stands where it stood before
    assert a + b * 210.0 == pytest.approx(210.0 / rho)


def test_lost_lithium_is_missing_in_the_negative(lb):
    a, _ = Inventory.of(lb, lithium_loss_mah_per_g_positive=10.0).line(lb)
    assert a == pytest.approx(-10.0 * 132.0 / (1.1 * 202.0))


def test_a_prelithiated_negative_starts_higher(lb):
    a, _ = Inventory.of(lb, negative_start_mah_per_g=5.0).line(lb)
    assert a == 5.0


def test_a_first_lithiation_loss_counts_per_gram_of_negative(lb):
    from dataclasses import replace

    spec = lb.negative.spec.model_copy(update={"first_lithiation_loss_mah_per_g": 4.0})
    cell = replace(lb, negative=replace(lb.negative, spec=spec))
    a, _ = Inventory.of(cell).line(cell)
    assert a == pytest.approx(-4.0)
    a, _ = Inventory.of(cell, np_ratio=2.0).line(cell)
    assert a == pytest.approx(-4.0)


def test_fields_broadcast(lb):
    inventory = Inventory.of(
        lb,
        np_ratio=np.array([1.0, 1.1, 1.2]),
        positive_active_fraction=np.array([[1.0], [0.9]]),
    )
    a, b = inventory.line(lb)
    assert b.shape == (2, 3)
    assert np.broadcast_shapes(a.shape, b.shape) == (2, 3)


def test_with_replaces_a_field_and_keeps_the_original(lb):
    first = Inventory.of(lb)
    second = first.with_(np_ratio=1.3)
    assert float(first.np_ratio) == 1.1
    assert float(second.np_ratio) == 1.3


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan])
@pytest.mark.parametrize(
    "name", ["np_ratio", "positive_active_fraction", "negative_active_fraction"]
)
def test_what_must_be_positive_is_refused_by_name(lb, name, value):
    with pytest.raises(SpecError, match=f"{name} must be > 0") as caught:
        Inventory.of(lb, **{name: [1.0, value]})
    assert f"{value:g}" in str(caught.value)


def test_an_infinite_ratio_is_shown_in_the_message(lb):
    with pytest.raises(SpecError, match="inf"):
        Inventory.of(lb, np_ratio=[1.1, np.inf])


@pytest.mark.parametrize(
    "name", ["positive_active_fraction", "negative_active_fraction"]
)
def test_more_than_all_material_cannot_be_active(lb, name):
    with pytest.raises(SpecError, match=name):
        Inventory.of(lb, **{name: 1.1})
