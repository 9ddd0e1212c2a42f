"""Typed values out of a TOML document, with all mistakes named at once. For the contract and for a hub's settings."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509

from bothways.errors import Refused
from bothways.findings import Finding, errors

_PLACES = ("{algorithm}", "{tspId}", "{environment}")
_FIXED_MOST = 64 - len("ECDSA") - 32 - len("PPR")
"""Characters of a pattern beside its places: every tspId still fits a common name (RFC 5280 appendix A.1)."""

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MARKER = re.compile(r"[A-Za-z0-9]{1,5}", re.ASCII)
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)


def read_toml(text: str, subject: str) -> "Reader":
    """Return a reader of the TOML document. Raises `Refused` if it is none; `subject` names the file in findings."""
    try:
        return Reader(tomllib.loads(text), subject)
    # TOMLDecodeError is a ValueError; a number of 5000 digits and 10,000 nested lists raise the bare ones.
    except (ValueError, RecursionError) as error:
        raise Refused(
            (
                Finding(
                    "CONTRACT-TOML",
                    f"this is not TOML: {error}",
                    "Take the file again from the hub, byte for byte.",
                    "TOML 1.0.0",
                    subject,
                ),
            )
        ) from error


@dataclass
class Reader:
    """Takes typed values out of a TOML document and remembers what was wrong, and what was never asked for."""

    document: Mapping[str, Any]
    subject: str
    findings: list[Finding] = field(default_factory=list)
    known: set[str] = field(default_factory=set)

    def find(self, id: str, key: str, message: str, hint: str) -> None:  # noqa: A002 - as in Finding
        """Remember a mistake at `key`."""
        self.findings.append(Finding(id, f"{key}: {message}", hint, "docs/contract.md", self.subject))

    def value(self, key: str, kind: type, default: Any = None) -> Any:
        """Return the value at the dotted `key`, of this kind, or the default; without one, an empty text is missing."""
        self.known.add(key)
        node: Any = self.document
        for part in key.split("."):
            node = node.get(part) if isinstance(node, Mapping) else None
        if node is None and default is not None:
            return default
        if node is None or (node == "" and default is None):
            self.find("CONTRACT-MISSING", key, "the value is missing", "Take the contract again from the hub.")
        elif not isinstance(node, kind) or (kind is int and isinstance(node, bool)):
            found = type(node).__name__
            self.find("CONTRACT-TYPE", key, f"found {found}, wanted {kind.__name__}", "Correct the value.")
        else:
            return node
        return kind()

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text."""
        return str(self.value(key, str, default))

    def integer(self, key: str, default: int, low: int = 0, high: int = 1 << 31) -> int:
        """Return an integer from `low` to `high`."""
        number = int(self.value(key, int, default))
        if not low <= number <= high:
            self.find("CONTRACT-RANGE", key, f"found {number}, wanted {low} to {high}", "Correct the value.")
        return number

    def choice(self, key: str, allowed: list[str], default: str | None = None) -> str:
        """Return one of the allowed texts."""
        chosen = self.text(key, default)
        if chosen not in allowed:
            if chosen:
                said = f"found {chosen!r}, wanted one of {', '.join(allowed)}"
                self.find("CONTRACT-CHOICE", key, said, "Correct the value.")
            return allowed[0]
        return chosen

    def choices(self, key: str, allowed: list[str], default: Sequence[str]) -> list[str]:
        """Return a list of allowed texts, one at least."""
        chosen = self.value(key, list, default)
        if not chosen or any(each not in allowed for each in chosen) or len({*chosen}) != len(chosen):
            self.find(
                "CONTRACT-CHOICE", key, f"found {chosen}, wanted some of {', '.join(allowed)}", "Correct the value."
            )
            return list(default)
        return list(chosen)

    def fixed(self, key: str, only: Any) -> Any:
        """Return the one value that this version knows: the document may say it, and nothing else."""
        known = len(self.findings)
        found = self.value(key, type(only), only)
        if found != only and len(self.findings) == known:
            hint = "Correct the value; if the hub means it, install a newer bothways."
            self.find("CONTRACT-CHOICE", key, f"found {found!r}, wanted {only!r}, which is what is enforced", hint)
        return only

    def ports(self, key: str, default: list[int]) -> list[int]:
        """Return a list of TCP ports, one at least."""
        ports = self.value(key, list, default)
        if not ports or not all(type(port) is int and 0 < port < 1 << 16 for port in ports):
            self.find("CONTRACT-RANGE", key, f"found {ports}, wanted ports from 1 to 65535", "Correct the value.")
            return default
        return list(ports)

    def address(self, key: str, default: str | None = None) -> str:
        """Return an address of the form https://HOST or https://HOST:PORT."""
        url = self.text(key, default)
        if url and not _is_address(url):
            self.find(
                "CONTRACT-URL", key, f"found {url!r}, wanted https://HOST or https://HOST:PORT", "Correct the value."
            )
        return url

    def domain(self, key: str, default: str | None = None) -> str:
        """Return a domain name."""
        name = self.text(key, default)
        if name and not _DOMAIN.fullmatch(name):
            self.find("CONTRACT-DOMAIN", key, f"found {name!r}, wanted a domain name", "Correct the value.")
        return name

    def flag(self, key: str) -> bool:
        """Return a switch, off where nothing is said."""
        return bool(self.value(key, bool, default=False))

    def path(self, key: str, default: str) -> str:
        """Return the path of a URL."""
        path = self.text(key, default)
        if not path.startswith("/") or not _is_visible(path):
            self.find("CONTRACT-PATH", key, f"found {path!r}, wanted a path that begins with /", "Correct the value.")
        return path

    def pattern(self, key: str, default: str) -> str:
        """Return a pattern for common names, with each place once (R8)."""
        pattern = self.text(key, default)
        for place in _PLACES:
            if pattern.count(place) != 1:
                self.find(
                    "CONTRACT-PATTERN",
                    key,
                    f"{place} stands {pattern.count(place)} times in {pattern!r}, wanted once",
                    "R8 wants the algorithm, the tspId and the environment in every common name.",
                )
        fixed = pattern
        for place in _PLACES:
            fixed = fixed.replace(place, "")
        if not _is_visible(pattern.replace(" ", "")) or pattern != pattern.strip():
            message = f"{pattern!r} has other characters than those of ASCII that can be seen, or blanks around it"
            self.find("CONTRACT-PATTERN", key, message, "Such a name could be mistaken for another; leave them out.")
        if len(fixed) > _FIXED_MOST:
            message = f"{len(fixed)} characters stand around the places, at most {_FIXED_MOST} fit"
            self.find("CONTRACT-PATTERN", key, message, "A common name has 64 characters at most, a tspId up to 32.")
        return pattern

    def marker(self, key: str, default: str) -> str:
        """Return what stands for an algorithm in common names: letters and digits, so that the places stay apart."""
        marker = self.text(key, default)
        if not _MARKER.fullmatch(marker):
            wanted = f"1 to {len('ECDSA')} letters and digits"
            self.find("CONTRACT-PATTERN", key, f"found {marker!r}, wanted {wanted}", "Correct the value.")
        return marker

    def certificates(self, key: str, *, needed: bool = True) -> str:
        """Return PEM text that holds a certificate at least; an empty one only where none is `needed`."""
        pem = self.text(key, None if needed else "")
        if "PRIVATE KEY" in pem:
            message = "a private key stands beside the certificates; it counts as disclosed if this was published"
            self.find("CONTRACT-CA", key, message, "Take it out, and replace that CA.")
        try:
            if pem:
                x509.load_pem_x509_certificates(pem.encode())
        except ValueError:
            self.find("CONTRACT-CA", key, "no certificate in PEM can be read", "Take the contract again from the hub.")
        return pem

    def fingerprint(self, key: str) -> str:
        """Return a SHA-256 in hex, or an empty text where nothing is said."""
        text = self.text(key, "")
        if text and not _SHA256.fullmatch(text):
            self.find(
                "CONTRACT-SHA256", key, f"found {text[:70]!r}, wanted 64 hexadecimal digits", "Correct the value."
            )
        return text

    def finish(self) -> None:
        """Raise `Refused` if anything was wrong, or was in the document and is not known."""
        for key in _leaves(self.document):
            if key not in self.known:
                self.find("CONTRACT-UNKNOWN", key, "there is no such setting", "Correct the spelling, or take it out.")
        if errors(self.findings):
            raise Refused(tuple(self.findings))


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    bare = not (parts.path or parts.query or parts.fragment) and parts.username is None
    return parts.scheme == "https" and bool(parts.hostname) and port != 0 and bare and _is_visible(url)


def _is_visible(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _leaves(document: Mapping[str, Any], prefix: str = "") -> list[str]:
    leaves: list[str] = []
    for key, value in document.items():
        leaves += _leaves(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [f"{prefix}{key}"]
    return leaves
