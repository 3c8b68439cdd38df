import json
import os
import subprocess
import sys

import pytest

import equipoise as eqp


def test_a_design_prints_its_weigh_sheet_and_states(cli):
    ran = cli("design", "zhang2026-lb")
    assert ran.code == 0
    assert ran.err == ""
    for word in ("9.10", "30.34", "210.0", "4.1926", "calibrated", "predicted"):
        assert word in ran.out, ran.out


def test_json_is_the_design_and_nothing_else(cli, lb):
    ran = cli("design", "zhang2026-lb", "--json")
    answer = json.loads(ran.out)
    design = eqp.design_cell(lb)
    assert answer["equipoise"] == eqp.__version__
    assert answer["first_charge_mah_per_g_positive"] == (
        design.first_charge_mah_per_g_positive
    )
    assert answer["masses_mg"]["negative_composite"] == pytest.approx(30.34, abs=0.005)
    assert [row["np_ratio"] for row in answer["map"]][:3] == [0.95, 1.0, 1.05]


def test_a_list_of_ratios_makes_the_map(cli):
    answer = json.loads(
        cli("design", "zhang2026-lb", "--np", "1:1.2:0.1", "--json").out
    )
    assert answer["np_ratio"] == 1.1
    assert [row["np_ratio"] for row in answer["map"]] == [1.0, 1.1, 1.2]


def test_a_single_ratio_redesigns_the_cell(cli):
    answer = json.loads(cli("design", "zhang2026-lb", "--np", "1.5", "--json").out)
    assert answer["np_ratio"] == 1.5
    assert answer["calibrated"] == []
    assert answer["first_charge_mah_per_g_positive"] == pytest.approx(227.0, abs=0.1)


def test_another_window_and_positive_are_designed(cli, lb):
    answer = json.loads(
        cli(
            *("design", "zhang2026-lb", "--positive", "nca", "--upper-volt", "2.7"),
            *("--lower-volt", "1.5", "--json"),
        ).out
    )
    cell = eqp.with_positive(lb, "nca").with_window(lower_volt=1.5, upper_volt=2.7)
    expected = eqp.design_cell(cell).first_charge_mah_per_g_positive
    assert answer["first_charge_mah_per_g_positive"] == pytest.approx(expected)


def test_a_half_cell_is_designed_too(cli):
    answer = json.loads(cli("design", "zhang2026-lto-inli", "--json").out)
    assert answer["first_charge_mah_per_g"] == pytest.approx(132.0)
    table = cli("design", "zhang2026-ncm85-inli")
    assert table.code == 0
    (row,) = (x for x in table.out.splitlines() if "First discharge" in x)
    assert "200" in row.split()  # 227 - 27 locked


@pytest.mark.parametrize(
    "option",
    [("--np", "1.2"), ("--upper-volt", "1.2"), ("--positive", "nca")],
    ids=lambda o: o[0],
)
def test_an_option_a_half_cell_does_not_take_is_not_swallowed(cli, option):
    ran = cli("design", "zhang2026-lto-inli", *option)
    assert ran.code == 2, ran.out
    assert option[0] in ran.err


def test_an_output_folder_for_a_half_cell_is_not_swallowed(cli, tmp_path):
    folder = tmp_path / "out"
    ran = cli("design", "zhang2026-lto-inli", "--out", folder)
    assert ran.code == 2 or (folder.is_dir() and any(folder.iterdir())), ran.out


def test_a_cell_file_of_ones_own_is_designed(cli, edited):
    path = edited(("np_ratio = 1.1 ", "np_ratio = 1.5 "), ('"LB"', '"mine"'))
    answer = json.loads(cli("design", path, "--json").out)
    assert answer["name"] == "mine"
    assert answer["np_ratio"] == 1.5


REFUSED = {
    "zero": (("--np", "0"), ["np_ratio = 0", "> 0"]),
    "negative": (("--np=-1.1",), ["np_ratio = -1.1", "> 0"]),
    "nan": (("--np", "nan"), ["--np", "nan"]),
    "inf": (("--np", "inf"), ["--np", "inf"]),
    "text": (("--np", "low"), ["'low'", "--np"]),
    "range to nan": (("--np", "1:nan:0.1"), ["--np", "nan"]),
    "range to inf": (("--np", "1:inf:0.1"), ["--np", "inf"]),
    "one of several": (("--np", "1.0,0,1.2"), ["np_ratio", "> 0", "0"]),
    "too many": (("--np", "0:1:1e-9"), ["at most 100000"]),
    "window": (("--upper-volt", "1"), ["upper_volt = 1", "lower_volt = 1.35"]),
    "millivolt": (("--upper-volt", "2750"), ["2750", "millivolt"]),
    "nan volt": (("--upper-volt", "nan"), ["upper_volt = nan", "finite"]),
    "positive": (("--positive", "graphite"), ["'graphite'", "built lithiated"]),
    "unknown positive": (("--positive", "ncm86"), ["'ncm86'", "'ncm85'"]),
    "separator": (("--separator-um", "0"), ["separator-um", "0"]),
    "separator nan": (("--separator-um", "nan"), ["separator-um"]),
    "separator inf": (("--separator-um", "inf"), ["separator-um"]),
    "unknown option": (("--nq", "1.1"), ["--nq"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_option_is_an_input_error_and_nothing_is_written(cli, name, tmp_path):
    options, words = REFUSED[name]
    folder = tmp_path / "out"
    ran = cli("design", "zhang2026-lb", *options, "--out", folder)
    assert ran.code == 2
    assert ran.out == ""
    for word in words:
        assert word in ran.err, ran.err
    assert not folder.exists() or not list(folder.iterdir())


BROKEN = {
    "typo": ("np_ratio = 1.1 ", "np_ration = 1.1 "),
    "np": ("np_ratio = 1.1 ", "np_ratio = -1 "),
    "window": ("upper_volt = 2.75", "upper_volt = 9.0"),
    "toml": ("upper_volt = 2.75", "upper_volt = 2,75"),
    "material": ('"ncm85"', '"graphite"'),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_leaves_no_output_at_all(cli, edited, tmp_path, name):
    path = edited(BROKEN[name], to="broken.toml")
    folder = tmp_path / "out"
    ran = cli("design", path, "--out", folder)
    assert ran.code == 2
    assert "broken.toml" in ran.err
    assert ran.err.startswith("equipoise: ")
    assert "Traceback" not in ran.err
    assert ran.out == ""
    assert not folder.exists()


def test_a_file_in_place_of_the_output_folder_is_an_input_error(cli, tmp_path):
    file = tmp_path / "out"
    file.write_text("precious")
    ran = cli("design", "zhang2026-lb", "--out", file)
    assert ran.code == 2
    assert "is a file, a folder was expected" in ran.err
    assert file.read_text() == "precious"


def test_an_unwritable_output_folder_is_an_input_error(cli, tmp_path, monkeypatch):
    import tempfile

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    ran = cli("design", "zhang2026-lb", "--out", tmp_path / "out")
    assert ran.code == 2
    assert "Permission denied" in ran.err
    assert "--out" in ran.err


@pytest.mark.parametrize("name", ["absent.toml", "nothing", "."])
def test_what_is_not_a_cell_is_an_input_error(cli, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = cli("design", name)
    assert ran.code == 2
    assert name in ran.err
    assert "->" in ran.err


def test_a_keyboard_interrupt_ends_quietly(cli, monkeypatch):
    import equipoise.design.cell_design as module

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "design_cell", interrupted)
    ran = cli("design", "zhang2026-lb")
    assert ran.code == 130
    assert "Traceback" not in ran.err


def test_a_solver_that_gives_up_has_exit_code_3(cli, monkeypatch):
    import equipoise.design.cell_design as module
    from equipoise.core.errors import SolveError
    from equipoise.core.status import Status

    def gives_up(*_, **__):
        raise SolveError(Status.NOT_FINITE, "an input is not finite", where="LB")

    monkeypatch.setattr(module, "design_cell", gives_up)
    ran = cli("design", "zhang2026-lb")
    assert ran.code == 3
    assert "LB: an input is not finite" in ran.err


def test_the_module_runs_as_a_command(tmp_path):
    done = subprocess.run(  # one real process: exit code and streams as a shell sees
        [sys.executable, "-m", "equipoise", "design", "absent.toml"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("equipoise: absent.toml: there is no such file")


def test_the_version_is_printed(cli):
    assert cli("--version").out == f"equipoise {eqp.__version__}\n"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_without_unicode_still_gets_its_numbers(encoding):
    done = subprocess.run(  # e.g. a pipe on Windows, or a Latin-1 locale
        [sys.executable, "-m", "equipoise", "design", "zhang2026-lb"],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": encoding},
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(encoding, "replace")[-300:]
    assert b"30.34" in done.stdout


def test_a_name_too_long_for_a_file_is_an_input_error(cli):
    ran = cli("design", "a" * 5000)
    assert ran.code == 2
    assert "Traceback" not in ran.err
