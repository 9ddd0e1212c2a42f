import json
from collections.abc import Callable
from typing import Any

import pytest

from bothways.connectivity.evidence import (
    Admission,
    Caller,
    DnsSeen,
    Evidence,
    Outcome,
    TcpSeen,
    VersionSeen,
    admission,
)
from bothways.pki.alerts import alert


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (
            Admission(Caller.NOBODY, Outcome.REFUSED, "TLSv1.3", alert(116)),
            "refused: it wants a certificate, and got none (TLS alert 116, certificate_required)",
        ),
        (Admission(Caller.NOBODY, Outcome.REFUSED, said="SSLV3_ALERT_NEW"), "refused: SSLV3_ALERT_NEW"),
        (Admission(Caller.CURRENT, Outcome.ANSWERED, status=404), "answered 404"),
        (Admission(Caller.CURRENT, Outcome.ANSWERED, said="220 mail"), "answered 220 mail"),
        (Admission(Caller.CURRENT, Outcome.SILENT, said="nothing was heard"), "silent: nothing was heard"),
        (Admission(Caller.CURRENT, Outcome.CLOSED), "closed"),
    ],
)
def test_what_came_of_a_knock_is_said_in_words(seen: Admission, words: str) -> None:
    assert str(seen) == words


def test_evidence_is_json_with_each_stage(make_ca: Callable[..., Any]) -> None:
    certificate = make_ca("bank.example")[1]
    knocked = Admission(Caller.NOBODY, Outcome.REFUSED, "TLSv1.3", alert(116))
    evidence = Evidence(
        DnsSeen("bank.example", ("192.0.2.1",), 60, ("edge.example",)),
        (TcpSeen("192.0.2.1", 443),),
        (VersionSeen("TLS 1.3", offered=True),),
        (certificate,),
        admissions=(knocked,),
    )
    document = evidence.document()
    assert json.loads(json.dumps(document)) == document
    assert document["dns"] == {"addresses": ["192.0.2.1"], "ttl": 60, "aliases": ["edge.example"], "failure": ""}
    assert document["chain"][0]["subject"] == "CN=bank.example"
    assert document["callers"][0]["outcome"] == "refused"
    assert admission(evidence.admissions, Caller.NOBODY) is knocked
    assert admission(evidence.admissions, Caller.FRESH) is None


def test_stages_that_were_not_reached_are_empty() -> None:
    document = Evidence(DnsSeen("bank.example", missing=True)).document()
    assert document["dns"]["failure"] == "the name does not exist"
    assert [document[each] for each in ("tcp", "tls", "chain", "callers")] == [[], [], [], []]
