import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from envoy.config.bootstrap.v3 import bootstrap_pb2
from envoy.extensions.clusters.dns.v3 import dns_cluster_pb2
from google.protobuf import json_format

from bothways.dataplane.envoy import find_envoy
from bothways.errors import Unusable
from bothways.spoke.directory import Spoke
from bothways.spoke.sidecar import HUB, Callbacks, Sidecar, application, bootstrap, secrets
from bothways.xds.state import Address


@pytest.fixture
def sidecar(spoke: Spoke, tmp_path: Path) -> Sidecar:
    callbacks = Callbacks(Address("127.0.0.1", 8443), Address("127.0.0.1", 8080))
    return Sidecar(spoke.contract, tmp_path / "run", Address("127.0.0.1", 15002), callbacks)


def test_each_word_is_one_that_envoy_knows(sidecar: Sidecar) -> None:
    found = json_format.ParseDict(bootstrap(sidecar), bootstrap_pb2.Bootstrap())
    assert [each.name for each in found.static_resources.listeners] == ["hub", "callbacks"]
    assert [each.name for each in found.static_resources.clusters] == ["hub", "application"]
    assert [each.ignore_global_conn_limit for each in found.static_resources.listeners] == [True, False]


@pytest.mark.envoy
def test_the_real_envoy_takes_it(sidecar: Sidecar) -> None:
    sidecar.run_directory.mkdir()
    for name, content in {**secrets(sidecar), "envoy.json": bootstrap(sidecar)}.items():
        (sidecar.run_directory / name).write_text(json.dumps(content))
    for name in ("client-pair", "server-pair"):
        sidecar.pair_directory(name).mkdir()
    command = [str(find_envoy()), "--mode", "validate", "-c", str(sidecar.run_directory / "envoy.json"), "-l", "error"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_addresses_are_kept_for_their_ttl_and_connections_for_a_minute(sidecar: Sidecar) -> None:
    found = json_format.ParseDict(bootstrap(sidecar), bootstrap_pb2.Bootstrap())
    [cluster] = [each for each in found.static_resources.clusters if each.name == HUB]
    dns = dns_cluster_pb2.DnsCluster()
    assert cluster.cluster_type.typed_config.Unpack(dns)
    assert dns.respect_dns_ttl
    assert (
        bootstrap(sidecar)["static_resources"]["clusters"][0]["typed_extension_protocol_options"][
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
        ]["common_http_protocol_options"]["max_connection_duration"]
        == "60s"
    )


def test_without_an_application_nobody_is_let_in(sidecar: Sidecar) -> None:
    alone = replace(sidecar, callbacks=None)
    assert [each["name"] for each in bootstrap(alone)["static_resources"]["listeners"]] == ["hub"]
    assert sorted(secrets(alone)) == ["client-pair.json", "hub-trust.json"]


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:8080", "127.0.0.1:8080", "http://127.0.0.1:99999", "http://127.0.0.1/base", "http://"]
)
def test_an_application_is_a_plain_host_and_port(url: str) -> None:
    assert application("http://127.0.0.1:8080/") == Address("127.0.0.1", 8080)
    with pytest.raises(Unusable, match=r"http://127\.0\.0\.1:8080"):
        application(url)


def test_a_directory_that_is_too_long_for_a_socket_is_said(sidecar: Sidecar) -> None:
    with pytest.raises(Unusable, match="--run-directory"):
        replace(sidecar, run_directory=Path("/" + "a" * 120))


def test_it_is_made_without_the_hubs_libraries() -> None:
    """The extra `[sidecar]` has Envoy, and neither gRPC nor the messages of xDS."""
    program = (
        "import sys\n"
        "for each in ('grpc', 'google', 'sqlalchemy', 'fastapi', 'uvicorn', 'envoy'): sys.modules[each] = None\n"
        "import bothways.cli.spoke_run"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_other_dns_servers_are_asked_where_they_are_named(sidecar: Sidecar) -> None:
    asked = replace(sidecar, resolvers=(Address("10.0.0.2", 5353),))
    assert '"10.0.0.2"' in json.dumps(bootstrap(asked))
    assert '"10.0.0.2"' not in json.dumps(bootstrap(sidecar))
