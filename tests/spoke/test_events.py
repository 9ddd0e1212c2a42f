import pytest

from bothways.spoke.addresses import Answer, Failed, Found, Missing, Name, told
from bothways.spoke.events import (
    AddressesFound,
    Closed,
    Connected,
    ConnectFailed,
    Event,
    FilesRefused,
    FilesUsed,
    LookupFailed,
    NameMissing,
    Retired,
    answered,
)
from bothways.spoke.lease import Reason

HOST = "api.hub.test"
KNOWN = told(Name(), Found({"192.0.2.1": 60}), 0)


@pytest.mark.parametrize(
    ("before", "answer", "wanted"),
    [
        (
            Name(),
            Found({"192.0.2.1": 60, "192.0.2.2": 30}),
            AddressesFound(HOST, ("192.0.2.1", "192.0.2.2"), 30, False),
        ),
        (KNOWN, Found({"192.0.2.1": 60}), AddressesFound(HOST, ("192.0.2.1",), 60, False)),
        (KNOWN, Found({"192.0.2.2": 60}), AddressesFound(HOST, ("192.0.2.2",), 60, True)),
        (KNOWN, Missing(60), NameMissing(HOST)),
        (KNOWN, Found({}), NameMissing(HOST)),
        (KNOWN, Failed("SERVFAIL"), LookupFailed(HOST, "SERVFAIL", 1, ("192.0.2.1",))),
        (Name(), Failed("SERVFAIL"), LookupFailed(HOST, "SERVFAIL", 1, ())),
    ],
)
def test_what_an_answer_means(before: Name, answer: Answer, wanted: Event) -> None:
    assert answered(HOST, before, answer, told(before, answer, 70), 70) == wanted


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (AddressesFound(HOST, ("192.0.2.1", "::1"), 30, True), f"{HOST} is at 192.0.2.1, ::1 for 30 s, which is new"),
        (AddressesFound(HOST, ("192.0.2.1",), 30, False), f"{HOST} is at 192.0.2.1 for 30 s"),
        (NameMissing(HOST), f"{HOST} does not exist, or has no address"),
        (
            LookupFailed(HOST, "SERVFAIL", 2, ("192.0.2.1",)),
            f"DNS fails for {HOST} (2 in a row): SERVFAIL; 192.0.2.1 serves meanwhile",
        ),
        (LookupFailed(HOST, "silent", 1, ()), f"DNS fails for {HOST} (1 in a row): silent; no address is known"),
        (Connected(HOST, "192.0.2.1", "TLSv1.3", 0.0123), f"connected to {HOST} at 192.0.2.1 over TLSv1.3 after 12 ms"),
        (ConnectFailed(HOST, "refused"), f"cannot connect to {HOST}: refused"),
        (Retired(HOST, "192.0.2.1", Reason.AGE), f"the connection to {HOST} at 192.0.2.1 is retired: it is old"),
        (Closed(HOST, "192.0.2.1", 61), f"the connection to {HOST} at 192.0.2.1 has ended after 61 s"),
        (FilesUsed(), "files have changed and are in use"),
        (FilesRefused("x"), "files have changed and cannot be used, so it goes on as before: x"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_each_event_reads_as_a_sentence(event: Event, sentence: str) -> None:
    assert str(event) == sentence
    assert event.severity in {"debug", "info", "warning"}
