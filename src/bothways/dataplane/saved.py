"""The last snapshot on disk: what an Envoy that starts without a control plane serves."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from zlib import crc32

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf.message import DecodeError

from bothways import files
from bothways.errors import Unusable
from bothways.xds import names
from bothways.xds.snapshot import Resource, Snapshot

_INDEX = "index"
_SALT, _NONCE, _KEY = 16, 12, 32
_WORK, _BLOCK, _PARALLEL = 1 << 14, 8, 1
_LIMIT = 1 << 31
_TRIES = 3
_PARTS = 256


@dataclass(frozen=True, slots=True)
class Saved:
    """A snapshot that was read back, and when it was saved."""

    snapshot: Snapshot
    saved_at: datetime


class SavedSnapshot:
    """One snapshot in a directory of its own: files with the resources of a type, and an index that names them.

    The index is replaced last, so that a reader finds the old snapshot or the new one, and only what changed is
    written: where there are many resources of a type, each file has a 256th of them. Among the resources are private
    keys, so every file is encrypted with the secret that guards the keys themselves (AES-256-GCM under a key by
    scrypt), and one that somebody changed is not read. If the secret changes, all is written anew.
    """

    def __init__(self, directory: Path, secret: Callable[[], bytes]) -> None:
        self._directory = directory
        self._ask = secret
        self._secret = secret()
        self._salt = os.urandom(_SALT)
        self._keys: dict[bytes, AESGCM] = {}
        # What an earlier process wrote may be under another secret, or damaged: it is written again.
        self._written: set[str] = set()

    def save(self, snapshot: Snapshot, now: datetime) -> None:
        """Make this the saved snapshot; it is on the disk when this returns. Raises `Unusable` if it cannot be."""
        files.make_directory(self._directory)
        self._follow_secret()
        named = {name: part for type_url in names.PUSH_ORDER for name, part in _parts(type_url, snapshot)}
        for name, (type_url, resources) in named.items():
            if name not in self._written:
                self._write(name, _message(type_url, resources).SerializeToString())
        index = {"version": snapshot.version, "saved_at": now.isoformat(), "files": [*named]}
        self._write(_INDEX, json.dumps(index).encode())
        for path in self._directory.iterdir():
            if path.name not in named and path.name != _INDEX:
                path.unlink(missing_ok=True)
        self._written = set(named)

    def outdated(self) -> bool:
        """Tell whether the secret is another one than what is saved was encrypted with, and can be read."""
        try:
            return self._ask() != self._secret
        except Unusable:
            return False

    def load(self) -> Saved | None:
        """Return the saved snapshot, or None if there is none. Raises `Unusable` if it cannot be read."""
        self._follow_secret()
        for tries_left in reversed(range(_TRIES)):
            if not (self._directory / _INDEX).exists():
                return None
            try:
                index = json.loads(self._read(_INDEX))
                resources: dict[str, dict[str, Resource]] = {}
                for name in index["files"]:
                    type_url, part = self._part(name)
                    resources.setdefault(type_url, {}).update(part)
                return Saved(Snapshot(index["version"], resources), datetime.fromisoformat(index["saved_at"]))
            except Unusable:
                # The index may have been replaced between two files.
                if not tries_left:
                    raise
        return None

    def _follow_secret(self) -> None:
        if (secret := self._ask()) != self._secret:
            self._secret = secret
            self._keys.clear()
            self._written.clear()

    def _part(self, name: str) -> tuple[str, dict[str, Resource]]:
        try:
            message = discovery_pb2.DeltaDiscoveryResponse.FromString(self._read(name))
        except DecodeError as error:
            raise self._damaged(name) from error
        return message.type_url, {
            each.name: Resource(each.name, each.version, each.resource) for each in message.resources
        }

    def _write(self, name: str, content: bytes) -> None:
        nonce = os.urandom(_NONCE)
        sealed = self._key(self._salt).encrypt(nonce, content, name.encode())
        files.replace(self._directory / name, self._salt + nonce + sealed, files.PRIVATE)

    def _read(self, name: str) -> bytes:
        raw = files.read(self._directory / name, "the saved snapshot", _LIMIT)
        salt, nonce, sealed = raw[:_SALT], raw[_SALT : _SALT + _NONCE], raw[_SALT + _NONCE :]
        try:
            return self._key(salt).decrypt(nonce, sealed, name.encode())
        except (InvalidTag, ValueError) as error:
            raise self._damaged(name) from error

    def _key(self, salt: bytes) -> AESGCM:
        if salt not in self._keys:
            derived = Scrypt(salt, _KEY, _WORK, _BLOCK, _PARALLEL).derive(self._secret)
            self._keys[salt] = AESGCM(derived)
        return self._keys[salt]

    def _damaged(self, name: str) -> Unusable:
        return Unusable(
            f"{self._directory / name} is not what the hub saved, or was saved under another passphrase. "
            f"Start the hub: it saves the snapshot anew."
        )


def _parts(type_url: str, snapshot: Snapshot) -> Iterator[tuple[str, tuple[str, list[Resource]]]]:
    """Yield the files of a type: each name, which says what is in it, with the type and its resources."""
    of_type = snapshot.of(type_url)
    count = _PARTS if len(of_type) > _PARTS else 1
    parts: list[list[Resource]] = [[] for _ in range(count)]
    for name, resource in of_type.items():
        parts[crc32(name.encode()) % count].append(resource)
    kind = type_url.rpartition(".")[2].lower()
    for number, resources in enumerate(parts):
        resources.sort(key=lambda each: each.name)
        content = "".join(f"{each.name} {each.version}\n" for each in resources)
        digest = sha256(f"{type_url} {number}\n{content}".encode()).hexdigest()[:32]
        yield f"{kind}-{digest}", (type_url, resources)


def _message(type_url: str, resources: list[Resource]) -> discovery_pb2.DeltaDiscoveryResponse:
    return discovery_pb2.DeltaDiscoveryResponse(
        type_url=type_url,
        resources=[
            discovery_pb2.Resource(name=each.name, version=each.version, resource=each.packed) for each in resources
        ],
    )
