"""Fetching the hub's contract from its portal."""

import ssl

import httpx2

from bothways.errors import Unreachable, Unusable
from bothways.spoke.line import Line
from bothways.spoke.transport import Transport

CONTRACT_LIMIT = 256 * 1024
"""Bytes that a contract may have; one with three CAs has less than 10 KiB."""

_TIMEOUT = 10.0
_OK = 200


def fetched(url: str, *, verified: bool) -> bytes:
    """Return what the https address answers, `verified` by a public CA, or else by the caller, by fingerprint.

    Raises `Unusable` for another address, `Unreachable` if it does not answer with 200, or with too much.
    """
    if not url.startswith("https://"):
        raise Unusable(f"{url} is not an https address. Give one, or the path of a file.")
    context = ssl.create_default_context()
    if not verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        with (
            httpx2.Client(transport=Transport(Line(lambda: context)), timeout=_TIMEOUT, trust_env=False) as client,
            client.stream("GET", url) as answer,
        ):
            status, content = answer.status_code, b""
            for part in answer.iter_bytes():
                content += part
                if len(content) > CONTRACT_LIMIT:
                    break
    # A host name that cannot be encoded is a UnicodeError.
    except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
        hint = (
            "If the hub's certificate is not from a public CA, give --fingerprint."
            if "CERTIFICATE" in str(error)
            else "Check the address, or take the contract as a file."
        )
        said = str(error) or type(error).__name__
        raise Unreachable(f"the contract cannot be fetched from {url}: {said}. {hint}") from error
    if status != _OK:
        raise Unreachable(f"{url} answers with status {status}, and not with a contract. Check the address.")
    if len(content) > CONTRACT_LIMIT:
        raise Unreachable(
            f"{url} answers with more than {CONTRACT_LIMIT} bytes, which is no contract. Check the address."
        )
    return content
