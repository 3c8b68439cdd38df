"""The command `reproduce`, in this process and as a shell sees it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import equipoise as eqp
from equipoise.cli import reproduce as command
from equipoise.cli.terminal import progress_bar
from equipoise.core.errors import StoreError
from equipoise.study.zhang2026 import ensemble
from equipoise.study.zhang2026 import reproduce as study
from equipoise.study.zhang2026.ensemble import Member
from equipoise.study.zhang2026.hypotheses import HYPOTHESES
from equipoise.study.zhang2026.predict import LB_CELL

posix = pytest.mark.skipif(os.name != "posix", reason="signals and terminals of POSIX")


def made_up(index):
    hypothesis = HYPOTHESES[index]
    values = {p.name: p.natural(p.start) for p in hypothesis.parameters()}
    cells = dict.fromkeys(LB_CELL.values(), 0.0)
    return Member(hypothesis.name, "zhang2026", values, cells, 1.0)


@pytest.fixture(scope="module")
def found():
    return study.reproduce(draws=(made_up(0), made_up(1)))


@pytest.fixture
def quick(cli, found, monkeypatch):
    """The command on draws that are computed already; they are remembered."""
    asked = []

    def compute(*, draws, progress):
        asked.append(draws)
        if progress is not None:
            progress(len(draws), len(draws))
        return found

    every = tuple(made_up(i) for i in (0, 0, 0, 1, 1))
    monkeypatch.setattr(ensemble, "members", lambda: every)
    monkeypatch.setattr(study, "reproduce", compute)

    def run(*arguments):
        return cli("reproduce", "zhang2026", *arguments)

    run.asked = asked
    return run


def test_rows_are_grouped_by_role(quick):
    done = quick()
    assert done.code == 0
    titles = [x for x in done.out.splitlines() if ": " in x and not x.startswith(" ")]
    assert [t.partition(":")[0] for t in titles[:4]] == [
        "input", "calibrated", "predicted", "blind",
    ]  # fmt: skip
    assert "simulating 5 draws" in done.err


def test_a_row_has_all_its_parts(quick, found):
    out = quick().out
    (line,) = [x for x in out.splitlines() if x.startswith(" A3 ")]
    row = next(r for r in found.rows if r.id == "A3")
    cells = line.split()
    assert cells[:2] == ["A3", "HB"]
    assert "1C cycling: cycles to 80 % of initial capacity" in line
    low, high = f"{row.low:.0f}", f"{row.high:.0f}"
    tail = ["414", f"{row.computed:.0f}", low, "to", high, "cycles", "calibrated"]
    assert cells[-8:-1] == tail
    assert cells[-1] == ("yes" if row.within else "no")


def test_the_many_cycles_are_condensed(quick):
    out = quick().out
    assert "P2.500 " in out
    assert "P2.100 " not in out
    assert "every 500th cycle" in out


def test_one_line_per_role_sums_up(quick, found):
    lines = quick().out.splitlines()
    done = [r for r in found.rows if r.role == "calibrated" and r.within is not None]
    met = sum(r.within for r in done)
    assert f"calibrated: {met} of {len(done)} within the 90 % interval" in lines
    assert any(x.startswith("blind: 33 numbers") for x in lines)
    assert "draws: 2" in lines


def test_json_has_all_rows_and_no_printed_number_of_a_blind_one(quick):
    answer = json.loads(quick("--json").out)
    assert list(answer) == ["equipoise", "paper", "rows", "report", "draws"]
    assert answer["equipoise"] == eqp.__version__
    assert answer["paper"] == "zhang2026"
    assert answer["report"] is None
    assert answer["draws"] == 2
    blind = [r for r in answer["rows"] if r["role"] == "blind"]
    assert len(blind) == 33
    assert all(r["printed"] is None and r["within"] is None for r in blind)
    assert set(answer["rows"][0]) == {
        "id", "quantity", "unit", "printed", "computed", "low", "high", "role",
        "within", "config", "condition", "place", "note",
    }  # fmt: skip


def test_out_without_figures(quick, tmp_path):
    out = tmp_path / "my paper"
    done = quick("--out", out, "--no-figures", "--draws", 2)
    assert done.code == 0
    assert f"report: {out.resolve() / 'report.html'}" in done.out
    html = (out / "report.html").read_text("utf-8")
    shown = (
        f"equipoise reproduce zhang2026 --out &#39;{out}&#39; --draws 2 --no-figures"
    )
    assert shown in html
    answer = json.loads(quick("--json", "--out", out, "--no-figures").out)
    assert answer["report"] == str(out / "report.html")


@pytest.mark.parametrize(("count", "chosen"), [(2, (0, 4)), (3, (0, 2, 4)), (5, None)])
def test_draws_are_spread_over_all(quick, count, chosen):
    quick("--draws", count)
    every = ensemble.members()
    wanted = every if chosen is None else tuple(every[i] for i in chosen)
    assert quick.asked == [wanted]


def test_all_draws_are_the_default(quick):
    quick()
    assert quick.asked == [ensemble.members()]


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("zhang2025",), ("'zhang2025' is not known", "zhang2026")),
        (("zhang2026", "--draws", "9999"), ("9999 draws asked for", "--draws")),
        (("zhang2026", "--draws", "1"), ("--draws",)),
        ((), ("Missing argument",)),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(cli, monkeypatch, arguments, parts):
    monkeypatch.setattr(ensemble, "members", lambda: (made_up(0), made_up(1)))
    monkeypatch.setattr(study, "reproduce", None)  # never called
    done = cli("reproduce", *arguments)
    assert done.code == 2
    assert not done.out
    for part in parts:
        assert part in done.err


def test_a_folder_that_is_a_file_is_refused_before_computing(quick, tmp_path):
    path = tmp_path / "taken"
    path.write_text("mine")
    done = quick("--out", path)
    assert done.code == 2
    assert quick.asked == []
    assert path.read_text() == "mine"


def test_a_full_disk_does_not_take_the_answer_away(quick, tmp_path, monkeypatch):
    def full(*_, **__):
        raise StoreError("no space left")

    monkeypatch.setattr(command, "_written", full)
    done = quick("--out", tmp_path / "x")
    assert done.code == 2
    assert "calibrated: " in done.out
    assert "no space left" in done.err


def test_an_interruption_leaves_nothing(cli, tmp_path, monkeypatch):
    def interrupted(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(ensemble, "members", lambda: (made_up(0), made_up(1)))
    monkeypatch.setattr(study, "reproduce", interrupted)
    done = cli("reproduce", "zhang2026", "--out", tmp_path / "x")
    assert done.code == 130
    assert "interrupted; nothing is kept" in done.err
    assert not done.out
    assert [p for p in (tmp_path / "x").rglob("*") if p.is_file()] == []


def test_an_interruption_while_writing_keeps_the_answer(quick, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_written", interrupted)
    done = quick("--out", tmp_path / "x")
    assert done.code == 130
    assert "calibrated: " in done.out
    assert "files that are written are whole" in done.err


SCRIPT = """
import sys
from equipoise.study.zhang2026 import ensemble
sys.path.insert(0, {folder!r})
from test_cli_reproduce import made_up
ensemble.members = lambda: (made_up(0),) * 40
from equipoise.cli import main
sys.argv = ["equipoise", "reproduce", "zhang2026", "--out", {out!r}]
main()
"""


@posix
def test_ctrl_c_ends_it_soon(tmp_path):
    out = tmp_path / "x"
    folder = str(Path(__file__).parent)
    script = SCRIPT.format(folder=folder, out=str(out))
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert process.stderr is not None
    assert "simulating 40 draws" in process.stderr.readline()
    time.sleep(1.0)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    said, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in told
    assert not said
    assert time.monotonic() - begin < 30.0
    assert [p for p in out.rglob("*") if p.is_file()] == []


def test_a_terminal_sees_a_bar(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with progress_bar("draws", 3) as told:
        assert told is not None
        told(1, 3)
    assert "draws" in capsys.readouterr().err
    with progress_bar("one file", 1) as told:
        assert told is None
    assert capsys.readouterr().err == ""


def test_all_commands_share_one_bar():
    folder = Path(command.__file__).parent
    found = [p.name for p in folder.glob("*.py") if "rich.progress" in p.read_text()]
    assert found == ["terminal.py"]
