"""The last snapshot on disk: what an Envoy that starts without a control plane serves."""

import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf.message import DecodeError

from bothways import files
from bothways.errors import Unusable
from bothways.xds import names
from bothways.xds.resource import Resource
from bothways.xds.snapshot import Snapshot

_INDEX, _ASKED_FOR = "index", "asked-for-"
_SALT, _NONCE, _KEY = 16, 12, 32
_WORK, _BLOCK, _PARALLEL = 1 << 14, 8, 1
_LIMIT = 1 << 31
_TRIES = 3
_PARTS = 256
_AT_ONCE = 8
_TOGETHER = 32

_Part = tuple[str, tuple[str, list[Resource]]]
"""A file: its name, which says what is in it, with the type and its resources."""


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
    scrypt), and one that somebody changed is not read. What an earlier process wrote and is whole stays. If the secret
    changes, all is written anew.
    """

    def __init__(self, directory: Path, secret: Callable[[], bytes]) -> None:
        self._directory = directory
        self._ask = secret
        self._secret = secret()
        self._salt = os.urandom(_SALT)
        self._keys: dict[bytes, AESGCM] = {}
        self._written: set[str] = set()
        self._earlier: list[str] | None = None
        self._known: dict[str, tuple[Mapping[str, Resource], list[_Part]]] = {}

    def save(self, snapshot: Snapshot, now: datetime) -> bool:
        """Make this the saved snapshot; it is on the disk when this returns. Raises `Unusable` if it cannot be.

        Of what nodes have to ask for, only so much is brought to the disk at once, and the rest by the next calls: who
        waits for a revocation does not wait for the servers of thousands. Until all is there, which is returned, what
        was saved of them before stands in for the rest.
        """
        files.make_directory(self._directory)
        self._follow_secret()
        own, on_demand = dict(self._own(snapshot)), dict(self._on_demand(snapshot))
        named = own | on_demand
        self._written &= named.keys()
        asked_for = [name for name in on_demand if name not in self._written]
        chosen = [*(name for name in own if name not in self._written), *asked_for[:_TOGETHER]]
        self._bring({name: named[name] for name in chosen})
        self._written.update(chosen)
        there = [name for name in named if name in self._written]
        whole = len(there) == len(named)
        kept = [] if whole else [name for name in self._saved_before() if name not in named]
        # Read in this order: of what is in both, the later one counts.
        index = {"version": snapshot.version, "saved_at": now.isoformat(), "files": [*kept, *there]}
        self._write(_INDEX, json.dumps(index).encode())
        for path in self._directory.iterdir():
            if path.name not in {*named, *kept, _INDEX}:
                path.unlink(missing_ok=True)
        if whole:
            self._earlier = [*on_demand]
        return whole

    def _saved_before(self) -> list[str]:
        """Return the files of what nodes ask for that were saved last as a whole, by whichever process."""
        if self._earlier is None:
            try:
                listed = json.loads(self._read(_INDEX))["files"] if (self._directory / _INDEX).exists() else []
            except Unusable:
                listed = []
            self._earlier = [name for name in listed if name.startswith(_ASKED_FOR) and self._is_whole(name)]
        return self._earlier

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
                return Saved(self._snapshot(index), datetime.fromisoformat(index["saved_at"]))
            except Unusable:
                # The index may have been replaced between two files.
                if not tries_left:
                    raise
        return None

    def _own(self, snapshot: Snapshot) -> Iterator[_Part]:
        for type_url in names.PUSH_ORDER:
            yield from _parts(type_url, snapshot.unasked(type_url), "")

    def _on_demand(self, snapshot: Snapshot) -> Iterator[_Part]:
        """Yield the files of what is asked for by name; found again while nothing of any customer changes."""
        for type_url in names.PUSH_ORDER:
            if on_demand := snapshot.on_demand_of(type_url):
                known = self._known.get(type_url)
                if known is None or known[0] is not on_demand:
                    known = self._known[type_url] = (on_demand, [*_parts(type_url, on_demand, _ASKED_FOR)])
                yield from known[1]

    def _snapshot(self, index: dict[str, Any]) -> Snapshot:
        own: dict[str, dict[str, Resource]] = {}
        on_demand: dict[str, dict[str, Resource]] = {}
        for file in index["files"]:
            type_url, part = self._part(file)
            own.setdefault(type_url, {})
            for name, resource in part.items():
                (on_demand if names.on_demand(name) else own).setdefault(type_url, {})[name] = resource
        return Snapshot(index["version"], own, on_demand=on_demand)

    def _follow_secret(self) -> None:
        if (secret := self._ask()) != self._secret:
            self._secret = secret
            self._keys.clear()
            self._written.clear()
            self._earlier = None

    def _is_whole(self, name: str) -> bool:
        """Tell whether a file is there as it was written: to read 10,000 servers takes a tenth of making them again."""
        try:
            return bool(self._read(name))
        except Unusable:
            return False

    def _part(self, name: str) -> tuple[str, dict[str, Resource]]:
        try:
            message = discovery_pb2.DeltaDiscoveryResponse.FromString(self._read(name))
        except DecodeError as error:
            raise self._damaged(name) from error
        return message.type_url, {
            each.name: Resource(each.name, each.version, each.resource) for each in message.resources
        }

    def _bring(self, parts: Mapping[str, tuple[str, list[Resource]]]) -> None:
        """Have these files on the disk; while some wait for that, the next ones are packed."""
        self._key(self._salt)
        waiting: deque[Future[None]] = deque()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for name, (type_url, resources) in parts.items():
                # What an earlier process wrote may be under another secret, or damaged.
                if self._is_whole(name):
                    continue
                content = _message(type_url, resources).SerializeToString()
                waiting.append(pool.submit(self._write, name, content))
                if len(waiting) > _AT_ONCE:
                    waiting.popleft().result()
            for each in waiting:
                each.result()

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


def _parts(type_url: str, resources: Mapping[str, Resource], beginning: str) -> Iterator[_Part]:
    """Yield the files with these resources of one type; their names begin like that."""
    count = _PARTS if len(resources) > _PARTS else 1
    parts: list[list[Resource]] = [[] for _ in range(count)]
    for name, resource in resources.items():
        parts[crc32(name.encode()) % count].append(resource)
    kind = type_url.rpartition(".")[2].lower()
    for number, part in enumerate(parts):
        part.sort(key=lambda each: each.name)
        content = "".join(f"{each.name} {each.version}\n" for each in part)
        digest = sha256(f"{type_url} {number}\n{content}".encode()).hexdigest()[:32]
        yield f"{beginning}{kind}-{digest}", (type_url, part)


def _message(type_url: str, resources: list[Resource]) -> discovery_pb2.DeltaDiscoveryResponse:
    message = discovery_pb2.DeltaDiscoveryResponse(type_url=type_url)
    for each in resources:
        try:
            packed = each.packed
        except Exception as error:
            raise Unusable(f"{each.name} cannot be packed: {type(error).__name__}: {error}; report it") from error
        message.resources.add(name=each.name, version=each.version, resource=packed)
    return message
