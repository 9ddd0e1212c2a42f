from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2, tls_pb2
from google.protobuf import json_format

from bothways.errors import Refused
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.spoke import sidecar_tls
from bothways.spoke.directory import Spoke
from bothways.xds.tls import control_plane_socket, inbound_socket


def context(socket: dict[str, Any], kind: Any) -> Any:
    content = dict(socket["typed_config"])
    assert content.pop("@type") == f"type.googleapis.com/{kind.DESCRIPTOR.full_name}"
    return json_format.ParseDict(content, kind())


def secret(made: dict[str, Any]) -> Any:
    [content] = (dict(each) for each in made["resources"])
    del content["@type"]
    return json_format.ParseDict(content, secret_pb2.Secret())


def test_what_is_spoken_is_what_the_hubs_own_builders_say() -> None:
    ours, theirs = context(sidecar_tls.callback_socket("/run"), tls_pb2.DownstreamTlsContext), inbound_socket()
    expected = tls_pb2.DownstreamTlsContext()
    assert theirs.typed_config.Unpack(expected)
    assert ours.common_tls_context.tls_params == expected.common_tls_context.tls_params
    assert ours.require_client_certificate.value
    assert (ours.disable_stateless_session_resumption, ours.disable_stateful_session_resumption) == (True, True)
    upstream = context(sidecar_tls.hub_socket("api.hub.example", "/run"), tls_pb2.UpstreamTlsContext)
    other = tls_pb2.UpstreamTlsContext()
    assert control_plane_socket("a", "b", "c", "h2").typed_config.Unpack(other)
    assert upstream.common_tls_context.tls_params == other.common_tls_context.tls_params
    assert (upstream.sni, upstream.max_session_keys) == ("api.hub.example", other.max_session_keys)


def test_the_hub_is_believed_under_its_cas_and_by_its_name_in_both_directions(spoke: Spoke) -> None:
    trust = spoke.contract.trust
    for made, name in (
        (sidecar_tls.hub_trust(spoke.contract, "api.hub.example"), "api.hub.example"),
        (sidecar_tls.client_ca_trust(spoke.contract), spoke.contract.terms.hub),
    ):
        validation = secret(made).validation_context
        assert validation.trusted_ca.inline_string in {trust.server_ca, trust.client_ca}
        assert [each.matcher.exact for each in validation.match_typed_subject_alt_names] == [name]


def test_a_certificate_of_the_hub_cannot_stand_in_the_place_of_its_ca(spoke: Spoke, hub: Hub) -> None:
    pinned = replace(spoke.contract.trust, client_ca=hub_state(hub).client.certificate_pem)
    with pytest.raises(Refused) as refused:
        sidecar_tls.client_ca_trust(replace(spoke.contract, trust=pinned))
    assert [each.id for each in refused.value.findings] == ["SPOKE-PIN"]


def test_without_anchors_nothing_is_made(spoke: Spoke) -> None:
    empty = replace(spoke.contract, trust=replace(spoke.contract.trust, server_ca=" "))
    with pytest.raises(ValueError, match="PEM"):
        sidecar_tls.hub_trust(empty, "api.hub.example")


def test_a_pair_is_read_from_its_directory_which_is_watched() -> None:
    made = secret(
        sidecar_tls.pair_secret("client-pair", Path("/run/client-pair/tls.crt"), Path("/run/client-pair/tls.key"))
    ).tls_certificate
    assert made.certificate_chain.filename == "/run/client-pair/tls.crt"
    assert made.private_key.filename == "/run/client-pair/tls.key"
    assert made.watched_directory.path == "/run/client-pair"
