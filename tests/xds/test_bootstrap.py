import json
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf import json_format

from bothways.xds.bootstrap import bootstrap
from bothways.xds.overload import overload_manager

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
    message = json.loads(bootstrap("ppr-1", "/run/ads.sock", "/run/admin.sock"))
    assert message.pop("overloadManager") == json_format.MessageToDict(overload_manager())
    assert message == {
        "node": {"id": "ppr-1", "cluster": "inbound"},
        "admin": {"address": pipe("/run/admin.sock")},
        "statsConfig": {"statsMatcher": {"inclusionList": {"patterns": [{"prefix": each} for each in STATISTICS]}}},
        "staticResources": {"clusters": [cluster, logs]},
        "dynamicResources": {
            "adsConfig": {
                "apiType": "DELTA_GRPC",
                "transportApiVersion": "V3",
                "setNodeOnFirstMessageOnly": True,
                "grpcServices": [
                    {
                        "envoyGrpc": {
                            "clusterName": "ads",
                            "retryPolicy": {"retryBackOff": {"baseInterval": "0.200s", "maxInterval": "2s"}},
                        }
                    }
                ],
            },
            "cdsConfig": over_ads,
            "ldsConfig": over_ads,
        },
    }


def test_a_name_that_yaml_would_read_as_false_stays_a_name() -> None:
    assert json.loads(bootstrap("n", "/a", "/b"))["node"]["id"] == "n"


@pytest.mark.envoy
def test_the_real_envoy_takes_it(validated: Callable[[Any], str]) -> None:
    assert validated(bootstrap("ppr-1", "/tmp/ads.sock", "/tmp/admin.sock")) == ""  # noqa: S108 - nothing is made there


@pytest.mark.envoy
def test_the_real_envoy_would_refuse_a_bootstrap_that_is_wrong(validated: Callable[[Any], str]) -> None:
    text = bootstrap("ppr-1", "/a.sock", "/b.sock").replace('"clusterName": "ads",', '"clusterName": "",')
    assert "ClusterName: value length must be at least 1" in validated(text)
