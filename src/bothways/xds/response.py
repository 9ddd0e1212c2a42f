"""A response of delta xDS before it is a message: what is large is packed when it is written, and not before."""

from dataclasses import dataclass, field
from typing import Any

from envoy.service.discovery.v3 import discovery_pb2

from bothways.xds import names
from bothways.xds.resource import Resource


@dataclass(frozen=True, slots=True)
class Response:
    """What a node is sent in one go: resources in new versions, and the names of those that are gone.

    What cannot be packed ends the stream on which it was to go, and the node keeps what it has. `version` is that of
    the snapshot. Of type `names.ON_DEMAND_TYPE`, it goes on the second stream.
    """

    type_url: str
    nonce: str
    version: str
    resources: tuple[Resource, ...] = field(repr=False)
    removed_resources: tuple[str, ...]

    def message(self) -> Any:
        """Return the `DeltaDiscoveryResponse`, made now."""
        message = discovery_pb2.DeltaDiscoveryResponse(
            system_version_info=self.version,
            type_url=self.type_url,
            nonce=self.nonce,
            removed_resources=self.removed_resources,
        )
        for each in self.resources:
            message.resources.add(name=each.name, version=each.version, resource=each.packed)
        return message

    def serialized(self) -> bytes:
        """Return the message as it goes on its stream, serialized."""
        message = self.message()
        if self.type_url == names.ON_DEMAND_TYPE:
            # On their own stream, those on demand are clusters as any.
            message.type_url = names.CLUSTER_TYPE
        return bytes(message.SerializeToString())
