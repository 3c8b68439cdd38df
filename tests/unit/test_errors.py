import pytest

from equipoise.core.errors import (
    DataError,
    EquipoiseError,
    FitError,
    SolveError,
    SpecError,
    StoreError,
    nearest,
)
from equipoise.core.status import Status


def test_an_error_prints_where_what_and_remedy():
    error = SpecError("np_ratio = 0", where="cell.toml", remedy="give a number > 0")
    assert str(error) == "cell.toml: np_ratio = 0\n  -> give a number > 0"


def test_an_error_without_place_and_remedy_is_its_message():
    assert str(DataError("no rows")) == "no rows"


@pytest.mark.parametrize(
    ("kind", "code"),
    [(SpecError, 2), (DataError, 2), (StoreError, 2), (FitError, 3)],
)
def test_exit_codes_tell_input_from_solver(kind, code):
    assert issubclass(kind, EquipoiseError)
    assert kind("x").exit_code == code


def test_a_solve_error_gives_the_advice_of_its_status():
    error = SolveError(Status.CUTOFF_ABOVE_CURVES, "gave up")
    assert error.exit_code == 3
    assert error.status is Status.CUTOFF_ABOVE_CURVES
    assert "lower the cut-off" in str(error)


def test_own_remedy_replaces_the_advice_of_the_status():
    error = SolveError(Status.NOT_FINITE, "gave up", remedy="look at row 3")
    assert str(error).endswith("-> look at row 3")


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.OK])
def test_every_failure_status_has_advice(status):
    assert len(status.advice) > 20


def test_success_needs_no_advice():
    assert Status.OK.advice == ""
    assert int(Status.OK) == 0


def test_a_near_word_is_suggested_and_a_far_one_lists_what_is_known():
    assert nearest("np_ration", ["window", "np_ratio"]) == "did you mean 'np_ratio'?"
    assert nearest("zzz", ["window", "balance"]) == "known: balance, window"
