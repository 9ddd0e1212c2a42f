"""The first message of a TLS handshake, made and read by hand: which versions a server offers. Bytes alone, no I/O.

A library speaks only the versions that its own policy allows; a question about TLS 1.0 must not depend on that. Nothing
follows the hello: for TLS 1.3 no key share is sent, which a server answers with a HelloRetryRequest (RFC 8446
section 4.1.4), and for older versions the ServerHello is all that is wanted.
"""

from dataclasses import dataclass

VERSIONS = {0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3"}
"""The versions on the wire, and their names."""

TLS_1_2, TLS_1_3 = 0x0303, 0x0304

_ALERT, _HANDSHAKE, _SERVER_HELLO = 21, 22, 2
_RANDOM = 32
_SUITES_1_3 = (0x1301, 0x1302, 0x1303)
# Those that the data plane offers, and no others: a version without a common suite is as good as none.
_SUITES_1_2 = (0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8)
_SUITES_OLD = (0xC00A, 0xC014, 0xC009, 0xC013, 0x0039, 0x0033, 0x0035, 0x002F, 0x000A)
_GROUPS = (0x001D, 0x0017, 0x0018)
# P-521 and Ed25519 too: a server with such a key speaks the version all the same, and its key is judged elsewhere.
_SIGNATURES = (0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0603, 0x0807, 0x0806, 0x0601)
_SERVER_NAME, _SUPPORTED_GROUPS, _POINT_FORMATS, _SIGNATURE_ALGORITHMS = 0, 10, 11, 13
_SUPPORTED_VERSIONS, _PSK_MODES, _KEY_SHARE, _RENEGOTIATION_INFO = 43, 45, 51, 0xFF01
_HEADER = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said to a hello: the version that it chose, or the number of its alert, or neither: no TLS."""

    version: int | None = None
    alert: int | None = None


def client_hello(host: str, version: int, random: bytes) -> bytes:
    """Return the record with a ClientHello that offers this one version, for the host name. `random` are 64 bytes."""
    old = min(version, TLS_1_2)
    suites = {TLS_1_3: _SUITES_1_3, TLS_1_2: _SUITES_1_2}.get(version, _SUITES_OLD)
    name = host.encode("ascii")
    extensions = [
        _extension(_SERVER_NAME, _vector(2, b"\0" + _vector(2, name))),
        _extension(_SUPPORTED_GROUPS, _vector(2, _numbers(_GROUPS))),
        _extension(_POINT_FORMATS, _vector(1, b"\0")),
        _extension(_RENEGOTIATION_INFO, _vector(1, b"")),
    ]
    if version >= TLS_1_2:
        extensions.append(_extension(_SIGNATURE_ALGORITHMS, _vector(2, _numbers(_SIGNATURES))))
    if version == TLS_1_3:
        extensions.append(_extension(_SUPPORTED_VERSIONS, _vector(1, _numbers((TLS_1_3,)))))
        extensions.append(_extension(_PSK_MODES, _vector(1, b"\1")))
        extensions.append(_extension(_KEY_SHARE, _vector(2, b"")))
    body = _numbers((old,)) + random[:_RANDOM] + _vector(1, random[_RANDOM : 2 * _RANDOM])
    body += _vector(2, _numbers(suites)) + _vector(1, b"\0") + _vector(2, b"".join(extensions))
    return bytes((_HANDSHAKE, 3, 1)) + _vector(2, b"\1" + _vector(3, body))


def answer(heard: bytes) -> Answer | None:
    """Return what the server said, or None if that needs more bytes than were heard."""
    if len(heard) < _HEADER:
        return None
    kind, content = heard[0], heard[_HEADER : _HEADER + int.from_bytes(heard[3:_HEADER], "big")]
    if heard[1] != 3 or kind not in {_ALERT, _HANDSHAKE}:  # noqa: PLR2004 - the major version of all TLS
        return Answer()
    if kind == _ALERT:
        return Answer(alert=content[1]) if len(content) > 1 else None
    length = int.from_bytes(content[1:4], "big")
    hello = content[4 : 4 + length]
    if len(content) < 4 or len(hello) < length:  # noqa: PLR2004 - type and length
        return None
    return _server_hello(hello) if content[0] == _SERVER_HELLO else Answer()


def _server_hello(hello: bytes) -> Answer:
    try:
        place = 2 + _RANDOM
        # The session's id, then cipher suite and compression.
        place += 1 + hello[place] + 3
    except IndexError:
        return Answer()
    extensions, chosen = hello[place + 2 :], int.from_bytes(hello[:2], "big")
    while len(extensions) >= 4:  # noqa: PLR2004 - type and length
        kind, length = int.from_bytes(extensions[:2], "big"), int.from_bytes(extensions[2:4], "big")
        if kind == _SUPPORTED_VERSIONS:
            chosen = int.from_bytes(extensions[4:6], "big")
        extensions = extensions[4 + length :]
    return Answer(version=chosen)


def _extension(kind: int, content: bytes) -> bytes:
    return _numbers((kind,)) + _vector(2, content)


def _vector(size: int, content: bytes) -> bytes:
    return len(content).to_bytes(size, "big") + content


def _numbers(values: tuple[int, ...]) -> bytes:
    return b"".join(each.to_bytes(2, "big") for each in values)
