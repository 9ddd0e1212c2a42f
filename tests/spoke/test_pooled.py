import ssl
import time

import httpx2
import pytest

from bothways.spoke.events import ConnectFailed, Event
from bothways.spoke.line import Line
from bothways.spoke.pooled import LIMITS, Opening, check, pooling


@pytest.mark.parametrize("scheme", ["http", "ws", "ftp"])
def test_what_has_no_tls_is_refused(scheme: str) -> None:
    with pytest.raises(httpx2.UnsupportedProtocol, match="both sides have to be authenticated"):
        check(httpx2.Request("GET", f"{scheme}://api.hub.test/"))


def test_the_pools_options_are_those_of_the_limits() -> None:
    assert pooling(LIMITS, http1=True, http2=False) == {
        "max_connections": 100,
        "max_keepalive_connections": 100,
        "keepalive_expiry": 60.0,
        "http1": True,
        "http2": False,
    }


def test_a_step_that_fails_is_told_and_ends_the_lease() -> None:
    events: list[Event] = []
    line = Line(ssl.create_default_context, on_event=events.append)
    opening = Opening(line, 0)
    with opening.step("api.hub.test"):
        opening.opened("api.hub.test", "192.0.2.1")
    # Nobody asked DNS for the name: nothing allows the address.
    assert opening.over
    with pytest.raises(OSError, match="refused"), opening.step("api.hub.test"):
        raise OSError("refused")
    assert events == [ConnectFailed("api.hub.test", "refused")]
    line.close()


def test_the_time_out_counts_from_the_first_step() -> None:
    opening = Opening(Line(ssl.create_default_context), 0)
    with opening.step("api.hub.test"):
        before = opening.left(60)
        time.sleep(0.01)
        after = opening.left(60)
    assert before
    assert after
    assert before - after >= 0.01
    assert opening.left(None) is None
    assert opening.left(0) == 0
