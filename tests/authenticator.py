"""A passkey in software: makes and answers as a browser with an authenticator does (WebAuthn Level 3, section 6.5)."""

import hashlib
import json
import os
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import bytes_to_base64url

_PRESENT, _VERIFIED, _ATTESTED = 1, 4, 64


class Authenticator:
    """One passkey; `verifies` is whether it asked its owner for a finger or a PIN."""

    def __init__(self, origin: str, host: str, *, verifies: bool = True) -> None:
        self.origin, self.host = origin, host
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._id = os.urandom(32)
        self._flags = _PRESENT | (_VERIFIED if verifies else 0)
        self.uses = 0

    def created(self, options: dict[str, Any]) -> str:
        """Return what a browser answers to the offer of a new passkey."""
        point = self._key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        credential = bytes(16) + len(self._id).to_bytes(2, "big") + self._id + cbor2.dumps(public)
        data = self._data(self._flags | _ATTESTED) + credential
        response = {"attestationObject": cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})}
        return self._answer(response, self._client("webauthn.create", options))

    def answered(self, options: dict[str, Any]) -> str:
        """Return what a browser answers when somebody signs in."""
        self.uses += 1
        data, client = self._data(self._flags), self._client("webauthn.get", options)
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer({"authenticatorData": data, "signature": signature}, client)

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.uses.to_bytes(4, "big")

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        return json.dumps({"type": kind, "challenge": options["challenge"], "origin": self.origin}).encode()

    def _answer(self, response: dict[str, bytes], client: bytes) -> str:
        name = bytes_to_base64url(self._id)
        encoded = {key: bytes_to_base64url(value) for key, value in (response | {"clientDataJSON": client}).items()}
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": encoded})
