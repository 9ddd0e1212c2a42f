"""Whoever lacks a program reads its name and what brings it, in the words of one place."""

from pathlib import Path

import pytest
from tests import api_server, image, shell_pages
from tests.programs import ELSEWHERE, PACKAGES, absent, absent_files, found, require

TESTS = Path(__file__).parent


def test_each_program_that_is_absent_is_named_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert absent("openssl", "kube-apiserver", "cat") == (
        "openssl is not on PATH (Debian package openssl), kube-apiserver is not on PATH (no Debian package: the server "
        "binaries of a release of Kubernetes), cat is not on PATH (Debian package coreutils)"
    )
    with pytest.raises(pytest.skip.Exception, match=r"^curl is not on PATH \(Debian package curl\)$"):
        require("curl")


def test_what_is_there_is_found_and_nothing_is_said_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "go").touch(mode=0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (found("go"), absent("go")) == (str(tmp_path / "go"), "")
    assert absent_files("the program", "golang-go", f"{tmp_path}/g*") == ""
    wanted = f"the program is not at {tmp_path}/x* or {tmp_path}/y (Debian package golang-go)"
    assert absent_files("the program", "golang-go", f"{tmp_path}/x*", f"{tmp_path}/y") == wanted


def test_no_test_has_words_of_its_own_for_what_is_absent() -> None:
    texts = {each.relative_to(TESTS).as_posix(): each.read_text() for each in TESTS.rglob("*.py")}
    words = ("Debian package", "not on " + "PATH", "see .ci" + "/run")
    own = {name for name, text in texts.items() if any(each in text for each in words)}
    assert own == {"programs.py", "test_programs.py"}


def test_what_is_not_of_every_debian_has_its_package() -> None:
    needed = {*api_server.PROGRAMS, *image.PROGRAMS, *shell_pages.PROGRAMS}
    assert needed - PACKAGES.keys() - ELSEWHERE.keys() == set()
