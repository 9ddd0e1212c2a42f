"""Each message is read back as Envoy's own type; what runs of it is proved in tests/wire/test_sidecar.py."""

from pathlib import Path

from envoy.config.core.v3 import address_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2
from google.protobuf import json_format

from bothways.spoke import sidecar_http as http
from bothways.xds.state import Address

ROUTE = {"match": {"prefix": "/"}, "route": {"cluster": "hub"}}


def test_a_listener_takes_requests_within_limits_and_tells_itself_what_fails() -> None:
    made = http.listener("hub", http.address(Address("127.0.0.1", 15002)), http.manager("hub", ROUTE))
    listener = json_format.ParseDict(made, listener_pb2.Listener())
    managed = http_connection_manager_pb2.HttpConnectionManager()
    assert listener.filter_chains[0].filters[0].typed_config.Unpack(managed)
    assert listener.enable_reuse_port.value is False
    assert managed.max_request_headers_kb.value == 32
    assert managed.common_http_protocol_options.max_headers_count.value == 100
    assert managed.local_reply_config.body_format.json_format["type"] == http.PROBLEM
    assert managed.route_config.virtual_hosts[0].routes[0].route.cluster == "hub"


def test_a_unix_socket_is_for_this_user_alone() -> None:
    found = json_format.ParseDict(http.unix_socket(Path("/run/it.sock")), address_pb2.Address())
    assert (found.pipe.path, found.pipe.mode) == ("/run/it.sock", 0o600)
