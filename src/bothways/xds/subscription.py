"""What one node asked for of one type, on one stream, and what is known of what it has. `stream.py` alone writes it."""

from dataclasses import dataclass, field

from bothways.xds import names


@dataclass(slots=True)
class Subscription:
    """What the node asked for of one type, what it was sent and has confirmed (name to version), what it refused.

    `pending` holds, by nonce, what each unanswered response brought: the version "" stands for a removal, None for what
    the node gave up meanwhile.
    """

    wildcard: bool = False
    named: set[str] = field(default_factory=set)
    sent: dict[str, str] = field(default_factory=dict)
    confirmed: dict[str, str] = field(default_factory=dict)
    pending: dict[str, dict[str, str | None]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    fresh: bool = True

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

    def forget(self, name: str) -> None:
        """Forget what the node had of it: it gave it up."""
        for known in (self.sent, self.confirmed, self.refused):
            known.pop(name, None)
        for versions in self.pending.values():
            if name in versions:
                versions[name] = None
