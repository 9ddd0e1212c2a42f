"""A node's certificate, renewed by its agent near its end or under the next CA; no person carries files for it."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import grpc
import grpc.aio
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from bothways import files
from bothways.dataplane.hub_line import HubLine, Identity, identity_of
from bothways.dataplane.node_service import RENEW, SERVICE, TRUST
from bothways.errors import BothwaysError, Unreachable
from bothways.pki.chain import issued_by
from bothways.xds import names

_log = logging.getLogger(__name__)

NEXT_FILE = "next.pem"
"""A new key with its certificate, until both are in their places: a machine that ends in between finds them here."""
_LOOK, _AGAIN, _ANSWER = 3600.0, 60.0, 30.0


class _Away(Exception):
    """The control plane does not say which CA signs now."""


class NodeRenewal:
    """Keeps the files of a node in `directory` fresh, and has the line show what is in them.

    `problem` is why that fails, and `changed` is called when that changes.
    """

    def __init__(
        self,
        node: str,
        directory: Path,
        line: HubLine,
        now: Callable[[], datetime],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._node = node
        self._directory = directory
        self._line = line
        self._now = now
        self._changed = changed
        self._asked_for = asyncio.Event()
        self.problem = ""

    def hurry(self) -> None:
        """Look now, and not only when the hour is over."""
        self._asked_for.set()

    async def run(self) -> None:
        """Renew whenever it is due, until this task is cancelled; what fails is told, and tried again."""
        while True:
            pause = _LOOK
            try:
                await self.look()
                self._say("")
            except _Away:
                # Nothing is due, and the relay tells of it.
                pause = _AGAIN
            except (BothwaysError, ValueError, KeyError, grpc.RpcError) as error:
                why = error.details() if isinstance(error, grpc.aio.AioRpcError) else str(error)
                self._say(f"the node's certificate is not renewed: {why}")
                pause = _AGAIN
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked_for.wait(), pause)
            self._asked_for.clear()

    async def look(self) -> bool:
        """Renew if it is due, or if another CA signs now; tell whether it was done. Whom to trust is learned as well.

        Raises what it fails with, and then the old one goes on.
        """
        place = self._directory / names.CERTIFICATE_FILE
        current = x509.load_pem_x509_certificate(files.read(place, "the node's certificate"))
        begin, end = current.not_valid_before_utc, current.not_valid_after_utc
        if self._now() < end - (end - begin) / 3 and not await self._replaced(current):
            return False
        identity = await self._asked()
        # First: once the new certificate was shown, the control plane may show one of the next CA.
        files.replace(self._directory / names.TRUST_FILE, identity.trust)
        # Both in one file first: whoever ends in between finds them there.
        files.replace(self._directory / NEXT_FILE, identity.key + identity.certificate, files.PRIVATE)
        await self._line.change(identity)
        settle(self._directory)
        _log.info("the node's certificate is renewed")
        return True

    async def _replaced(self, current: x509.Certificate) -> bool:
        """Tell whether another CA signs than that of the certificate; if it is the same, trust whom the hub trusts."""
        ask = self._line.channel.unary_unary(f"/{SERVICE}/{TRUST}")
        try:
            trust = json.loads(await ask(b"", timeout=_ANSWER))["trust"].encode()
        except grpc.aio.AioRpcError as error:
            if error.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}:
                raise _Away from error
            raise
        signing, *_ = x509.load_pem_x509_certificates(trust)
        if not issued_by(current, signing):
            return True
        if trust != files.read(self._directory / names.TRUST_FILE, "the CA of the control plane"):
            await self._line.change(replace(identity_of(self._directory), trust=trust))
            files.replace(self._directory / names.TRUST_FILE, trust)
        return False

    async def _asked(self) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self._node)])
        csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())
        ask = self._line.channel.unary_unary(f"/{SERVICE}/{RENEW}")
        answer = json.loads(await ask(csr.public_bytes(Encoding.PEM), timeout=_ANSWER))
        certificate = x509.load_pem_x509_certificate(answer["certificate"].encode())
        if certificate.public_key() != key.public_key():
            raise Unreachable("the hub answered with a certificate of another key. Look at its log.")
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Identity(pem, answer["certificate"].encode(), answer["trust"].encode())

    def _say(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            if problem:
                _log.error("%s", problem)
            self._changed()


def settle(directory: Path) -> None:
    """Put a renewed key and certificate in their places, if there are any; also what was begun and cut short."""
    following = directory / NEXT_FILE
    if not following.exists():
        return
    both = files.read_private(following, "the node's next key")
    key = load_pem_private_key(both, None).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    certificate = x509.load_pem_x509_certificate(both).public_bytes(Encoding.PEM)
    # The certificate before the key: an Envoy that looks in between finds no pair, and keeps what it has.
    files.replace(directory / names.CERTIFICATE_FILE, certificate)
    files.replace(directory / names.KEY_FILE, key, files.PRIVATE)
    following.unlink()
