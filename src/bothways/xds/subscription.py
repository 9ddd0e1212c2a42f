"""What one node asked for of one type, on one stream, and what is known of what it has. `stream.py` alone writes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bothways.xds import names


@dataclass(slots=True)
class Subscription:
    """What the node asked for of one type, what it was sent and has confirmed (name to version), what it refused.

    `pending` holds, by nonce, what each unanswered response brought: the version "" stands for a removal, None for what
    the node gave up meanwhile. `unpacked` is what it lacks because it could not be packed; as if it had refused that.
    """

    wildcard: bool = False
    named: set[str] = field(default_factory=set)
    sent: dict[str, str] = field(default_factory=dict)
    confirmed: dict[str, str] = field(default_factory=dict)
    pending: dict[str, dict[str, str | None]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    unpacked: set[str] = field(default_factory=set)
    fresh: bool = True

    @property
    def reasons_unpacked(self) -> tuple[str, ...]:
        """Why what could not be packed could not."""
        return tuple(said for name, said in self.refused.items() if name in self.unpacked)

    def ask_for_all(self) -> None:
        """Take note of a wildcard."""
        self.wildcard = self.fresh = True
        # What was under way when the node gave its names up may have met the new wildcard: its version is unknown.
        for versions in self.pending.values():
            for name in (each for each, version in versions.items() if version is None):
                self.sent.setdefault(name, "")

    def wants(self, name: str) -> bool:
        """Tell whether the node asked for it, by name or with all others."""
        return name in self.named or (self.wildcard and not names.on_demand(name))

    def possible(self, name: str) -> set[str | None]:
        """Return in which versions the node may have it: that which it has confirmed, and what is under way."""
        brought = {each[name] for each in self.pending.values() if name in each}
        return brought | {self.confirmed[name]} if name in self.confirmed else brought

    def certain(self) -> dict[str, str]:
        """Return what the node has, name to version: what it has confirmed, where nothing else is under way."""
        return {
            name: version
            for name, version in self.confirmed.items()
            if not any(name in brought for brought in self.pending.values())
        }

    def refuse(self, versions: Mapping[str, str | None], said: str) -> None:
        """Take note of why the node did not take these, where nothing else was sent since."""
        self.refused |= {name: said for name, version in versions.items() if self.sent.get(name, "") == version}

    def not_packed(self, nonce: str, failed: Mapping[str, str]) -> None:
        """Take note of what was to be in a response and is not: no answer to that confirms it."""
        brought = self.pending.get(nonce, {})
        for name, why in failed.items():
            self.refuse({name: brought.pop(name, None)}, why)
            self.unpacked.add(name)

    def again(self, name: str) -> None:
        """Take note that it is sent again, or that it is gone."""
        self.refused.pop(name, None)
        self.unpacked.discard(name)

    def forget(self, name: str) -> None:
        """Forget what the node had of it: it gave it up."""
        self.again(name)
        for known in (self.sent, self.confirmed):
            known.pop(name, None)
        for versions in self.pending.values():
            if name in versions:
                versions[name] = None
