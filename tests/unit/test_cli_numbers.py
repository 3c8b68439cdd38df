import pytest

from equipoise.cli.numbers import MOST, number_list
from equipoise.core.errors import SpecError


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1.1", [1.1]),
        ("1.0,1.1,1.5", [1.0, 1.1, 1.5]),
        (" 1.0 , 1.1 ,", [1.0, 1.1]),
        ("1.5,1.0", [1.5, 1.0]),
        ("1.0:1.2:0.1", [1.0, 1.1, 1.2]),
        ("1.0:1.25:0.1", [1.0, 1.1, 1.2]),
        ("1:1:0.1", [1.0]),
        ("1e0,2e0", [1.0, 2.0]),
    ],
)
def test_lists_and_ranges_are_read(text, values):
    assert number_list(text, option="--np") == values


def test_a_range_has_its_last_value_in_spite_of_rounding():
    values = number_list("0.9:2.0:0.01", option="--np")
    assert len(values) == 111
    assert values[-1] == 2.0


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "no number"),
        (",", "no number"),
        ("high", "'high'"),
        ("1,1;2", "'1;2'"),
        ("1.0:2.0", "start:stop:step"),
        ("1:2:3:4", "start:stop:step"),
        ("1.0:2.0:0", "step > 0"),
        ("1.0:2.0:-0.1", "step > 0"),
        ("2.0:1.0:0.1", "start:stop:step"),
        ("1::0.1", "'1::0.1'"),
        ("0:1:1e-9", str(MOST)),
        ("1:nan:0.1", "nan"),
        ("nan:2:0.1", "nan"),
        ("1:2:nan", "nan"),
        ("1:inf:0.1", "inf"),
        ("0:1e308:1e-308", "at most"),
    ],
)
def test_what_is_not_a_list_is_refused_with_the_option(text, word):
    with pytest.raises(SpecError) as caught:
        number_list(text, option="--np")
    assert word in str(caught.value)
    assert "--np" in str(caught.value)


def test_as_many_values_as_allowed_are_taken():
    assert len(number_list(f"1:{MOST}:1", option="--np")) == MOST
    for text in (f"1:{MOST + 1}:1", ",".join(["1"] * (MOST + 1))):
        with pytest.raises(SpecError, match=f"at most {MOST}"):
            number_list(text, option="--np")


def test_decimal_commas_that_repeat_a_number_are_seen():
    with pytest.raises(
        SpecError, match=r"1 is given twice(.|\n)*decimals have a point"
    ):
        number_list("1,1,1,5", option="--np")  # meant: 1.1 and 1.5
