"""The files of a sidecar: written before its Envoy starts, and renewed when those behind them change.

Envoy looks for renamed files alone. People and their tools also write in place, swap links, and use file systems that
tell nothing. So Envoy reads through links of ours, which are renewed, by renaming, when what they lead to has changed
and was found to be good: it is never given a key without its certificate, or a CA that is none.
"""

import json
import secrets
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography import x509

from bothways import files
from bothways.errors import Unusable
from bothways.spoke.directory import CERTIFICATE, KEY, Spoke, open_spoke, stands
from bothways.spoke.passphrase import is_encrypted
from bothways.spoke.reload import Reloading
from bothways.spoke.sidecar import Sidecar, bootstrap
from bothways.spoke.sidecar import secrets as secret_files
from bothways.spoke.tls import load_pair
from bothways.spoke.token_key import is_reference

BOOTSTRAP = "envoy.json"

Pair = tuple[Path, Path]
"""A certificate file with its chain, and its key file."""


class SidecarFiles:
    """Writes all files of a sidecar; `look` renews them. `tell` is told in a sentence what changed.

    `plan` makes the sidecar for the spoke as it is now; `pairs` are the files behind each pair, by the pair's name.
    Raises `Unusable` or `Refused` if something cannot be used from the start.
    """

    def __init__(
        self, spoke: Spoke, plan: Callable[[Spoke], Sidecar], pairs: Mapping[str, Pair], tell: Callable[[str], None]
    ) -> None:
        self._tell = tell
        self._plan = Reloading(
            (spoke.contract_file,),
            lambda: _Plan(plan(spoke)),
            lambda: _Plan(plan(open_spoke(spoke.directory))),
            lambda said: tell(f"the contract: {said}"),
        )
        self._pairs = {name: _watched(name, pair, tell) for name, pair in pairs.items()}
        self._files = pairs
        self._used = self._plan.now()
        files.make_directory(self._used.sidecar.run_directory)
        self._write(self._used)
        self._shown: dict[str, x509.Certificate] = {}
        for name in pairs:
            files.make_directory(self._used.sidecar.pair_directory(name))
            self._show(name)

    @property
    def bootstrap_file(self) -> Path:
        """Envoy's bootstrap."""
        return self._used.sidecar.run_directory / BOOTSTRAP

    @property
    def sidecar(self) -> Sidecar:
        """What is in force."""
        return self._used.sidecar

    def certificate(self, pair: str) -> x509.Certificate:
        """Return the end entity's certificate that a pair shows now."""
        return self._shown[pair]

    def look(self) -> None:
        """Give Envoy what has changed. What cannot be used is told, once, and stays away from it."""
        for name, pair in self._pairs.items():
            if pair.now() is not self._shown[name]:
                self._show(name)
        if (latest := self._plan.now()) is not self._used:
            self._write(latest)
            before, self._used = self._used, latest
            # What Envoy reads only when it starts.
            if latest.files[BOOTSTRAP] != before.files[BOOTSTRAP]:
                self._tell("the contract has another endpoint or hub: end this sidecar, and start it again")

    def _write(self, plan: "_Plan") -> None:
        for name, content in plan.files.items():
            files.replace(plan.sidecar.run_directory / name, json.dumps(content, indent=1).encode(), files.PRIVATE)

    def _show(self, name: str) -> None:
        """Renew the links of a pair. The certificate's comes last, and is what Envoy hears of."""
        self._shown[name] = self._pairs[name].now()
        certificate, key = self._files[name]
        place = self._used.sidecar.pair_directory(name)
        for link, target in ((place / KEY, key), (place / CERTIFICATE, certificate)):
            temporary = link.with_name(f".{link.name}.{secrets.token_hex(4)}")
            temporary.symlink_to(target.absolute())
            temporary.replace(link)


class _Plan:
    """A sidecar, and its files by name, which prove that its trust can be used."""

    def __init__(self, sidecar: Sidecar) -> None:
        self.sidecar = sidecar
        self.files = {**secret_files(sidecar), BOOTSTRAP: bootstrap(sidecar)}


def _watched(name: str, pair: Pair, tell: Callable[[str], None]) -> Reloading[x509.Certificate]:
    def checked() -> x509.Certificate:
        if stands(pair[1]) and is_reference(files.read(pair[1], "the private key")):
            raise Unusable(
                f"the key of {pair[1]} lies in a PKCS#11 token, and Envoy (BoringSSL) reaches none. "
                "Run a proxy that does in place of the sidecar: bothways spoke config nginx; or haproxy"
            )
        loaded = load_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), *pair)
        if is_encrypted(files.read(pair[1], "the private key")):
            raise Unusable(
                f"{pair[1]} is encrypted, and the sidecar's Envoy reads it by itself. Give it a key without passphrase."
            )
        return loaded

    return Reloading(pair, checked, checked, lambda said: tell(f"{name}: {said}"))
