import json
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf import json_format

from bothways.xds.bootstrap import bootstrap, remote_files
from bothways.xds.overload import overload_manager
from bothways.xds.state import Address, RemoteHub

HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


# Nothing of the customers' clusters: there may be 10,000 of them.
STATISTICS = (
    "access_logs.",
    "cluster.access-log.",
    "cluster.ads.",
    "cluster.connectivity.",
    "cluster.service/",
    "cluster_manager.",
    "control_plane.",
    "http.egress.",
    "http.inbound.",
    "http.probe.",
    "listener.",
    "listener_manager.",
    "server.",
    "tls_inspector.",
)


def pipe(path: str) -> dict[str, Any]:
    return {"pipe": {"path": path, "mode": 0o600}}


def named(name: str) -> dict[str, Any]:
    """Return a cluster that leads to the socket of the control plane over HTTP/2."""
    return {
        "name": name,
        "type": "STATIC",
        "connectTimeout": "1s",
        "typedExtensionProtocolOptions": {
            HTTP_OPTIONS: {
                "@type": f"type.googleapis.com/{HTTP_OPTIONS}",
                "explicitHttpConfig": {"http2ProtocolOptions": {}},
            }
        },
        "loadAssignment": {
            "clusterName": name,
            "endpoints": [{"lbEndpoints": [{"endpoint": {"address": pipe("/run/ads.sock")}}]}],
        },
    }


def test_the_bootstrap_names_the_control_plane_and_nothing_that_is_served() -> None:
    over_ads = {"ads": {}, "resourceApiVersion": "V3"}
    cluster = named("ads")
    logs = named("access-log") | {
        "circuitBreakers": {"thresholds": [{"maxConnections": 1, "maxPendingRequests": 4, "maxRequests": 4}]}
    }
    services = [
        {
            "envoyGrpc": {
                "clusterName": "ads",
                "retryPolicy": {"retryBackOff": {"baseInterval": "0.200s", "maxInterval": "2s"}},
            }
        }
    ]
    message = json.loads(bootstrap("ppr-1", "/run/ads.sock", "/run/admin.sock"))
    assert message.pop("overloadManager") == json_format.MessageToDict(overload_manager())
    assert message == {
        "node": {"id": "ppr-1", "cluster": "inbound"},
        "admin": {"address": pipe("/run/admin.sock")},
        "statsConfig": {"statsMatcher": {"inclusionList": {"patterns": [{"prefix": each} for each in STATISTICS]}}},
        "clusterManager": {
            "loadStatsConfig": {"apiType": "GRPC", "transportApiVersion": "V3", "grpcServices": services}
        },
        "staticResources": {"clusters": [cluster, logs]},
        "dynamicResources": {
            "adsConfig": {
                "apiType": "DELTA_GRPC",
                "transportApiVersion": "V3",
                "setNodeOnFirstMessageOnly": True,
                "grpcServices": services,
            },
            "cdsConfig": over_ads,
            "ldsConfig": over_ads,
        },
    }


def test_a_name_that_yaml_would_read_as_false_stays_a_name() -> None:
    assert json.loads(bootstrap("n", "/a", "/b"))["node"]["id"] == "n"


REMOTE = RemoteHub(
    (Address("10.0.0.1", 18000), Address("10.0.0.2", 18000)),
    (Address("10.0.0.1", 18001), Address("control-plane.hub.example", 18001)),
    "control-plane.hub.example",
)


def test_a_remote_node_finds_its_control_plane_by_mutual_tls_with_what_is_in_files_beside_it() -> None:
    message = json.loads(remote_files("eu-1", REMOTE)["envoy.json"])
    beside = json.loads(bootstrap("eu-1", "/a", "./admin.sock"))
    assert {key: value for key, value in message.items() if key != "staticResources"} == {
        key: value for key, value in beside.items() if key != "staticResources"
    }
    ads, logs, connectivity = message["staticResources"]["clusters"]
    assert [(each["name"], each["type"]) for each in (ads, logs, connectivity)] == [
        ("ads", "STATIC"),
        ("access-log", "STATIC"),
        ("connectivity", "STRICT_DNS"),
    ]
    [bounds] = logs.pop("circuitBreakers")["thresholds"]
    assert bounds == {"maxConnections": 1, "maxPendingRequests": 4, "maxRequests": 4}
    # It shows the certificate that is in force a minute later at most.
    options = logs["typedExtensionProtocolOptions"][HTTP_OPTIONS]
    assert options.pop("commonHttpProtocolOptions") == {"maxConnectionDuration": "60s"}
    assert logs == ads | {"name": "access-log", "loadAssignment": ads["loadAssignment"] | {"clusterName": "access-log"}}
    places = [
        each["endpoint"]["address"]["socketAddress"]
        for cluster in (ads, connectivity)
        for each in cluster["loadAssignment"]["endpoints"][0]["lbEndpoints"]
    ]
    assert [(each["address"], each["portValue"]) for each in places] == [
        ("10.0.0.1", 18000),
        ("10.0.0.2", 18000),
        ("10.0.0.1", 18001),
        ("control-plane.hub.example", 18001),
    ]
    for cluster, protocol in ((ads, "h2"), (connectivity, "http/1.1")):
        context = cluster["transportSocket"]["typedConfig"]
        # No session is resumed: the next connection shows the certificate that is in the files then.
        assert (context["sni"], context["maxSessionKeys"]) == ("control-plane.hub.example", 0)
        common = context["commonTlsContext"]
        assert common["alpnProtocols"] == [protocol]
        assert common["tlsParams"]["tlsMinimumProtocolVersion"] == "TLSv1_2"
        assert common["tlsCertificateSdsSecretConfigs"] == [from_file("node-certificate")]
        assert common["validationContextSdsSecretConfig"] == from_file("node-trust")
    http2 = ads["typedExtensionProtocolOptions"][HTTP_OPTIONS]["explicitHttpConfig"]["http2ProtocolOptions"]
    assert http2 == {"connectionKeepalive": {"interval": "5s", "timeout": "3s"}}
    http1 = connectivity["typedExtensionProtocolOptions"][HTTP_OPTIONS]
    assert http1["commonHttpProtocolOptions"] == {"idleTimeout": "4s", "maxConnectionDuration": "60s"}


def from_file(name: str) -> dict[str, Any]:
    source = {"pathConfigSource": {"path": f"./{name}.json"}, "resourceApiVersion": "V3"}
    return {"name": name, "sdsConfig": source}


def test_a_remote_nodes_certificate_and_trust_are_read_again_when_they_are_replaced() -> None:
    files = remote_files("eu-1", REMOTE)
    assert set(files) == {"envoy.json", "node-certificate.json", "node-trust.json"}
    [own], [trust] = (json.loads(files[f"node-{each}.json"])["resources"] for each in ("certificate", "trust"))
    assert own["tlsCertificate"] == {
        "certificateChain": {"filename": "./tls.crt"},
        "privateKey": {"filename": "./tls.key"},
        "watchedDirectory": {"path": "."},
    }
    # Exactly one name is believed, and only under the CA of the nodes.
    assert trust["validationContext"] == {
        "trustedCa": {"filename": "./ca.crt"},
        "watchedDirectory": {"path": "."},
        "matchTypedSubjectAltNames": [{"sanType": "DNS", "matcher": {"exact": "control-plane.hub.example"}}],
    }


@pytest.mark.envoy
def test_the_real_envoy_takes_it(validated: Callable[[Any], str]) -> None:
    assert validated(bootstrap("ppr-1", "/tmp/ads.sock", "/tmp/admin.sock")) == ""  # noqa: S108 - nothing is made there


@pytest.mark.envoy
def test_the_real_envoy_would_refuse_a_bootstrap_that_is_wrong(validated: Callable[[Any], str]) -> None:
    text = bootstrap("ppr-1", "/a.sock", "/b.sock").replace('"clusterName": "ads",', '"clusterName": "",')
    assert "ClusterName: value length must be at least 1" in validated(text)
