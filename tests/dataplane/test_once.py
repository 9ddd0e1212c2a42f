import asyncio
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from bothways.dataplane import once
from bothways.dataplane.envoy import find_envoy
from bothways.dataplane.once import ask_once
from bothways.errors import Unusable
from bothways.spoke import sidecar_http as http

pytestmark = pytest.mark.envoy

ANSWER = {"match": {"prefix": "/"}, "direct_response": {"status": 204}}


class Contents:
    """An Envoy's files, for the directory that is told."""

    def __init__(self, listening: str = "it.sock") -> None:
        self.listening, self.place = listening, Path()

    def __call__(self, place: Path) -> Mapping[str, bytes]:
        self.place = place
        listener = http.listener("it", http.unix_socket(place / self.listening), http.manager("it", ANSWER))
        return {"it.json": json.dumps({"static_resources": {"listeners": [listener]}}).encode()}


def children() -> list[str]:
    """The processes that this one started, and that are there still."""
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()


def test_it_is_asked_once_and_leaves_nothing_behind() -> None:
    contents, before = Contents(), children()
    answer = asyncio.run(ask_once(find_envoy(), contents, "it.json", "it.sock", "/x"))
    assert answer.status_code == 204
    assert not contents.place.exists()
    assert children() == before


def test_one_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="Envoy does not start: it said nothing"):
        asyncio.run(ask_once(Path("/bin/false"), Contents(), "it.json", "it.sock", "/"))
    with pytest.raises(Unusable, match=r"Envoy does not start: .*(unix|pipe|path|name)"):
        asyncio.run(ask_once(find_envoy(), Contents("too-long" * 20), "it.json", "it.sock", "/"))
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "away"))
    with pytest.raises(Unusable, match=r"no directory .* \(No such file or directory\); TMPDIR names a place for it"):
        asyncio.run(ask_once(find_envoy(), Contents(), "it.json", "it.sock", "/"))


def test_one_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    before = children()
    monkeypatch.setattr(once, "PATIENCE", 0.3)
    with pytest.raises(Unusable, match=r"no answer came out of Envoy \(in 0 s\)"):
        asyncio.run(ask_once(find_envoy(), Contents("other.sock"), "it.json", "it.sock", "/"))
    assert children() == before
