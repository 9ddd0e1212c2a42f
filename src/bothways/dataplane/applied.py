"""What comes of a change that was brought to the nodes, as whoever made it is told."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a change: the version, whether every node serves it or a later one, and the milliseconds it took.

    `away` names the nodes on record that are not connected: they are not waited for, and go on with what they have.
    """

    version: str
    in_force: bool
    milliseconds: float
    away: tuple[str, ...] = ()

    def document(self) -> dict[str, object]:
        """Return it as the JSON object that the control socket answers."""
        return {
            "version": self.version,
            "in_force": self.in_force,
            "milliseconds": self.milliseconds,
            "away": list(self.away),
        }
