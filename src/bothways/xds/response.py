"""A response of delta xDS before it is a message: what is large is packed when it is written, and not before."""

from dataclasses import dataclass, field
from typing import Any

from envoy.service.discovery.v3 import discovery_pb2

from bothways.xds import names
from bothways.xds.resource import Resource


@dataclass(frozen=True, slots=True)
class Response:
    """What a node is sent in one go: resources in new versions, and the names of those that are gone.

    What cannot be packed is left out, and the node keeps what it has of it; whoever writes the response tells its
    `DeltaStream` of that. `version` is that of the snapshot. Of type `names.ON_DEMAND_TYPE`, it goes on the second
    stream.
    """

    type_url: str
    nonce: str
    version: str
    resources: tuple[Resource, ...] = field(repr=False)
    removed_resources: tuple[str, ...]

    def message(self) -> Any:
        """Return the `DeltaDiscoveryResponse`, made now. Raises `ValueError` for what cannot be packed."""
        message, failed = self._made()
        if failed:
            raise ValueError("; ".join(failed.values()))
        return message

    def serialized(self) -> tuple[bytes, dict[str, str]]:
        """Return the message as it goes on its stream, and why what is not in it could not be packed, by name."""
        message, failed = self._made()
        if self.type_url == names.ON_DEMAND_TYPE:
            # On their own stream, those on demand are clusters as any.
            message.type_url = names.CLUSTER_TYPE
        return bytes(message.SerializeToString()), failed

    def _made(self) -> tuple[Any, dict[str, str]]:
        failed: dict[str, str] = {}
        message = discovery_pb2.DeltaDiscoveryResponse(
            system_version_info=self.version,
            type_url=self.type_url,
            nonce=self.nonce,
            removed_resources=self.removed_resources,
        )
        for each in self.resources:
            try:
                packed = each.packed
            except Exception as error:  # noqa: BLE001 - whatever it was, all others are to reach the node
                why = f"{type(error).__name__}: {error}"
                failed[each.name] = f"{each.name} cannot be packed, so no node is sent it: {why}; report it"
            else:
                message.resources.add(name=each.name, version=each.version, resource=packed)
        return message, failed
