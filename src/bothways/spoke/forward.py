"""A call of the hub, handed on to an application over plain HTTP, and its answer; once, for nothing is sent twice."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from json import dumps

from bothways.spoke.caller import Caller, trusted_headers
from bothways.xds.state import Address

ANSWER_SECONDS = 60.0
"""For the application's answer; as long as the sidecar waits for it."""

_HOP_BY_HOP = {
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_FOLD = re.compile(r"\r?\n[ \t]+")

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the hub is answered. `failure` says what is wrong with the application, if it did not answer."""

    status: int
    headers: Headers
    body: bytes
    failure: str = ""


def handed_on(
    application: Address, method: str, path: str, headers: Iterable[tuple[str, str]], body: bytes, caller: Caller
) -> Answer:
    """Hand a call on as it is, save for what concerns the connection and what tells the caller; return the answer.

    An application that cannot be reached, breaks off, or says something that is no HTTP is a 502; a silent one a 504.
    """
    where = f"the application at http://{application}"
    connection = HTTPConnection(application.host, application.port, timeout=ANSWER_SECONDS)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in trusted_headers(_end_to_end(headers), caller):
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        said = connection.getresponse()
        return Answer(said.status, _end_to_end(said.getheaders()), said.read())
    except ConnectionRefusedError:
        return _failed(HTTPStatus.BAD_GATEWAY, f"nobody listens at http://{application}. Start the application there.")
    except TimeoutError:
        return _failed(HTTPStatus.GATEWAY_TIMEOUT, f"{where} did not answer within {ANSWER_SECONDS:.0f} s.")
    except (HTTPException, OSError) as error:
        return _failed(HTTPStatus.BAD_GATEWAY, f"{where} gave no answer that could be read: {error!r}")
    except ValueError as error:
        return _failed(HTTPStatus.BAD_REQUEST, f"the call cannot be handed on as it is: {error}")
    finally:
        connection.close()


def _end_to_end(headers: Iterable[tuple[str, str]]) -> Headers:
    """Return the headers that are not about one connection (RFC 9110 section 7.6.1), each on one line."""
    found = [(name, _FOLD.sub(" ", value)) for name, value in headers]
    named = {each.strip().lower() for name, value in found if name.lower() == "connection" for each in value.split(",")}
    return [(name, value) for name, value in found if name.lower() not in _HOP_BY_HOP | named]


def _failed(status: HTTPStatus, failure: str) -> Answer:
    problem = {
        "type": "urn:bothways:problem:receiver",
        "title": status.phrase,
        "status": status.value,
        "detail": failure,
    }
    headers = [("Content-Type", "application/problem+json")]
    return Answer(status.value, headers, dumps(problem).encode() + b"\n", failure)
