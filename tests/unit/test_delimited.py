"""Separated text: cells, decimal signs, and the number of every line."""

import pytest

from equipoise.core.errors import DataError
from equipoise.io.readers.delimited import (
    decimal_sign,
    read_delimited,
    sniff_separator,
)


def table(text, separator="\t", header_line=1, **options):
    return read_delimited(
        "f.txt", text.encode(), header_line=header_line, separator=separator, **options
    )


@pytest.mark.parametrize(
    "text",
    [
        "a\tb\n1\t2\n3\t4\n",
        "a\tb\n1\t2\n3\t4",
        "a\tb\t\n1\t2\t\n3\t4\t\n",
        "a\tb\t\n1\t2\n3\t4\n",
        "a\tb\n1\t2\t\n3\t4\t\n",
        "a\tb\n1\t2\t\n3\t4",
        "a\tb\n\n1\t2\n\n\n3\t4\n\n",
        'a\tb\n"1"\t2\n3\t"4"\n',
        " a \t b\n 1\t2 \n3\t 4\n",
        "a\tb\n1\t2\n3\t4\n\x1a",
    ],
)
def test_the_same_cells_in_many_layouts(text):
    found = table(text)
    assert found.header[:2] == ("a", "b")
    assert found.numbers(0, ".").to_list() == [1.0, 3.0]
    assert found.numbers(1, ".").to_list() == [2.0, 4.0]


def test_every_row_knows_its_line():
    found = table("x\ny\n\na\tb\n\n1\t2\n\n3\tq\n5\t6\n", header_line=4)
    assert [found.line_of(i) for i in range(3)] == [6, 8, 9]
    with pytest.raises(DataError, match=r"f\.txt, line 8: column 'b': 'q' is not"):
        found.numbers(1, ".")


@pytest.mark.parametrize("word", ["", "N/A", "NaN", "null", "-"])
def test_words_for_nothing_are_nulls(word):
    assert table(f"a\tb\n1\t{word}\n").numbers(1, ".").to_list() == [None]


@pytest.mark.parametrize("cell", ["1,234.5", "1.2.3", "0x10", "1 2", "--1", "1e", "٣"])
def test_what_only_looks_like_a_number_is_refused(cell):
    with pytest.raises(DataError, match="is not a number"):
        table(f"a\tb\n1\t{cell}\n").numbers(1, ".")


@pytest.mark.parametrize(
    ("cells", "sign"),
    [
        (["1.5", "2.5"], "."),
        (["1,5", "2,5"], ","),
        (["1", "2"], "."),
        (["1,5E-3", ""], ","),
    ],
)
def test_the_decimal_sign_is_seen(cells, sign):
    found = table("a\tb\n" + "".join(f"{c}\t1\n" for c in cells))
    assert decimal_sign(found, [0]) == sign


@pytest.mark.parametrize("cells", [["1.5", "2,5"], ["2,5", "1.5"]])
def test_mixed_decimal_signs_are_refused(cells):
    found = table("a\tb\n" + "".join(f"{c}\t1\n" for c in cells))
    with pytest.raises(DataError, match="mixed"):
        decimal_sign(found, [0])


def test_a_point_in_a_file_of_decimal_commas_is_refused():
    with pytest.raises(DataError, match="decimal sign is a comma here"):
        table("a\tb\n1,5\t2\n1.5\t2\n").numbers(0, ",")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tb\n", "no row below"),
        ("a\tb", "no row below"),
        ("a\tb\n1\t2\n1\n3\t4\n", "line 3: 1 cells"),
        ("a\tb\n1\t2\n1\t2\t3\n3\t4\n", "line 3: 3 cells"),
        ("a\tb\n1\t2\n1\n", "line 3: the last line has 1 cells"),
        ("a\tb\n1\t2\na\tb\n3\t4\n", "again in line 3"),
        ('a\tb\n1\t"2\n3\t4\n', "line|table|quote"),
    ],
)
def test_what_is_broken_is_refused(text, message):
    with pytest.raises(DataError, match=message):
        table(text).numbers(0, ".")


def test_a_cut_last_line_may_be_left_out():
    found = table("a\tb\n1\t2\n3\n", drop_last_row=True)
    assert found.numbers(0, ".").to_list() == [1.0]
    assert found.cut_line == 3
    assert table("a\tb\n1\t2\n3\t4\n", drop_last_row=True).cut_line == 0


def test_a_cut_line_in_the_middle_is_never_left_out():
    with pytest.raises(DataError, match="line 2: 1 cells"):
        table("a\tb\n1\n3\t4\n", drop_last_row=True)


def test_separators_may_stand_in_quotes():
    found = table('a,b\n"x, y",2\n', separator=",")
    assert found.text(0).to_list() == ["x, y"]


@pytest.mark.parametrize(
    ("header", "rows", "separator"),
    [
        ("a\tb,c\td", ["1\t2,5\t3"], "\t"),
        ("a;b;c", ["1,5;2,5;3"], ";"),
        ("a,b,c", ["1,2,3"], ","),
        ("a\tb\tc", ["1\t2\t3"] * 10 + ["broken"], "\t"),
    ],
)
def test_the_separator_is_seen(header, rows, separator):
    assert sniff_separator(header, rows) == separator
