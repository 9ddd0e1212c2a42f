"""pkcs11-provider, by which OpenSSL 3 uses keys in PKCS#11 tokens: its configuration, and its use in this process.

The configuration is for every program that is built on OpenSSL; this one's `ssl` module is one of them.
"""

import ctypes
import re
import tempfile
import threading
from pathlib import Path
from typing import Any

from bothways import files
from bothways.errors import Unusable
from bothways.signer.token_uri import TokenUri

PACKAGE = "pkcs11-provider"
"""The package's name in Debian, Fedora and RHEL."""

_NAME = b"pkcs11"
_MEANT = re.compile(r'([\\$#"\'])')
_LOCK = threading.Lock()
_LOADED: set[Path] = set()


def openssl_conf(uri: TokenUri) -> str:
    """Return an `openssl.cnf` for the token's library, to be named by `OPENSSL_CONF`. No PIN is in it."""
    module = _MEANT.sub(r"\\\1", str(uri.module))
    return "\n".join(
        [
            "# OpenSSL 3 with pkcs11-provider, for a key in a PKCS#11 token: name this file as OPENSSL_CONF in the",
            "# environment of the program that uses the key.",
            "openssl_conf = openssl",
            "[openssl]",
            "providers = providers",
            "[providers]",
            "default = default_provider",
            "pkcs11 = pkcs11_provider",
            "[default_provider]",
            "activate = 1",
            "[pkcs11_provider]",
            f"pkcs11-module-path = {module}",
            # Libraries that use OpenSSL themselves, as SoftHSM2 does, crash when OpenSSL ends them at its own end.
            "pkcs11-module-quirks = no-deinit",
            # A copy in the session is void after a fork, and when the first of two users of a key has gone.
            "pkcs11-module-cache-keys = false",
            "activate = 1",
            "",
        ]
    )


def provide(uri: TokenUri) -> None:
    """Let this process's OpenSSL use the keys of the token's library; nothing happens if it can already.

    Raises `Unusable` if it cannot be had, with what to do then.
    """
    with _LOCK:
        if uri.module in _LOADED:
            return
        if _LOADED:
            raise Unusable(
                f"the key {uri.object} lies in a token of the library {uri.module}, and this process uses "
                f"{' and '.join(map(str, _LOADED))} already: OpenSSL takes one. Use the other in a process of its own."
            )
        library = _library(uri)
        if library.OSSL_PROVIDER_available(None, _NAME):
            # By the system's configuration, or OPENSSL_CONF: whoever wrote it, chose the library too.
            return
        with files.readable(openssl_conf(uri).encode(), Path(tempfile.gettempdir())) as path:
            loaded = library.OSSL_LIB_CTX_load_config(None, path.encode())
        if not (loaded and library.OSSL_PROVIDER_available(None, _NAME)):
            # A configuration fails without a word; this says why.
            library.OSSL_PROVIDER_try_load(None, _NAME, 1)
            raise _unreachable(uri, f"OpenSSL says: {_said(library)}")
        _LOADED.add(uri.module)


def _library(uri: TokenUri) -> Any:
    """Return the OpenSSL of the `ssl` module: whoever loads another copy configures that one."""
    try:
        import _ssl  # noqa: PLC0415 - the module that is linked with it

        library = ctypes.CDLL(_ssl.__file__)
        _typed(library.OSSL_PROVIDER_available, ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)
        _typed(library.OSSL_LIB_CTX_load_config, ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)
        _typed(library.OSSL_PROVIDER_try_load, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int)
        _typed(library.ERR_get_error, ctypes.c_ulong)
        _typed(library.ERR_error_string_n, None, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_size_t)
    except (ImportError, OSError, AttributeError) as error:
        raise _unreachable(uri, f"this Python's OpenSSL takes no provider at run time ({error})") from error
    return library


def _typed(function: Any, result: Any, *arguments: Any) -> None:
    function.restype, function.argtypes = result, arguments


def _said(library: Any) -> str:
    """Return the errors that OpenSSL queued, and leave none behind: the `ssl` module would take them for its own."""
    lines, buffer = [], ctypes.create_string_buffer(256)
    while code := library.ERR_get_error():
        library.ERR_error_string_n(code, buffer, len(buffer))
        lines.append(buffer.value.decode(errors="replace").rpartition("::")[2])
    # A reason without a name is a number, which tells nobody anything.
    return "; ".join(dict.fromkeys(each for each in lines if not each.startswith("reason("))) or "nothing"


def _unreachable(uri: TokenUri, why: str) -> Unusable:
    return Unusable(
        f"the key {uri.object} lies in the token {uri.token}, and TLS reaches it through OpenSSL 3 and {PACKAGE}, "
        f"which cannot be used here: {why}. Install {PACKAGE} (Debian: apt install {PACKAGE}, in bookworm from "
        "backports); or let a proxy on this machine hold the connection: bothways spoke config nginx"
    )
