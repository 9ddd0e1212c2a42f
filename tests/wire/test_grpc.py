"""gRPC through the endpoint, with a real server and a real client: calls, streams, trailers, refusals."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from tests.conftest import free_ports
from tests.wire.conftest import ISSUER, World

from bothways.operations.certificates import revoke_certificate
from bothways.pki.revocation import RevocationReason
from bothways.registry.service import Service
from bothways.spoke.directory import Spoke

pytestmark = pytest.mark.envoy

NAME = "pay.v1.Payments"
_SECONDS = 10.0


def unary(request: bytes, context: Any) -> bytes:
    told = dict(context.invocation_metadata())
    context.set_trailing_metadata((("customer", told["bothways-customer"]),))
    if request == b"fail":
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not today")
    return request[::-1]


def count(request: bytes, _: Any) -> Iterator[bytes]:
    yield from (str(number).encode() for number in range(int(request)))


def echo(requests: Iterator[bytes], _: Any) -> Iterator[bytes]:
    yield from requests


@pytest.fixture(scope="module")
def service(world: World) -> Iterator[str]:
    """A gRPC service behind the endpoint, streams of which live ten seconds at most."""
    handlers = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "Count": grpc.unary_stream_rpc_method_handler(count),
        "Echo": grpc.stream_stream_rpc_method_handler(echo),
    }
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    world.serve(Service("payments", f"/{NAME}", f"http://127.0.0.1:{port}", http2=True, streaming=10), ISSUER)
    yield NAME
    server.stop(None)


@contextmanager
def channel(world: World, spoke: Spoke) -> Iterator[Any]:
    """Open a channel to the endpoint with the spoke's certificate."""
    credentials = grpc.ssl_channel_credentials(
        spoke.contract.trust.server_ca.encode(), spoke.key_file.read_bytes(), spoke.certificate_file.read_bytes()
    )
    host = world.host.split(":")[0]
    options = (("grpc.ssl_target_name_override", host), ("grpc.enable_http_proxy", 0))
    address = f"{world.hub.settings.inbound_address}:{world.hub.settings.inbound_port}"
    with grpc.secure_channel(address, credentials, options) as opened:
        yield opened


def refusal(call: Callable[[], Any]) -> tuple[Any, str]:
    with pytest.raises(grpc.RpcError) as refused:
        call()
    error: Any = refused.value
    return error.code(), error.details()


def test_calls_streams_and_trailers_pass(world: World, caller: Spoke, service: str) -> None:
    with channel(world, caller) as opened:
        call = opened.unary_unary(f"/{service}/Unary")
        answer, done = call.with_call(b"abc", timeout=_SECONDS)
        assert (answer, dict(done.trailing_metadata())["customer"]) == (b"cba", ISSUER)
        assert list(opened.unary_stream(f"/{service}/Count")(b"200", timeout=_SECONDS)) == [
            str(number).encode() for number in range(200)
        ]
        sent = [bytes([number]) * 5000 for number in range(100)]
        assert list(opened.stream_stream(f"/{service}/Echo")(iter(sent), timeout=_SECONDS)) == sent


def test_what_the_service_refuses_arrives_as_it_said_it(world: World, caller: Spoke, service: str) -> None:
    with channel(world, caller) as opened:
        call = opened.unary_unary(f"/{service}/Unary")
        assert refusal(lambda: call(b"fail", timeout=_SECONDS)) == (grpc.StatusCode.FAILED_PRECONDITION, "not today")


def test_what_the_hub_refuses_is_a_status_with_a_sentence(world: World, caller: Spoke, service: str) -> None:
    assert service == NAME
    with channel(world, caller) as opened:
        code, said = refusal(lambda: opened.unary_unary("/vault/Unary")(b"", timeout=_SECONDS))
        assert code is grpc.StatusCode.PERMISSION_DENIED
        assert said.startswith("The certificate does not open this path: ")
        code, said = refusal(lambda: opened.unary_unary("/nothing.Here/Unary")(b"", timeout=_SECONDS))
        assert (code, said) == (grpc.StatusCode.UNIMPLEMENTED, "No service of the hub stands at this path.")


def test_a_service_that_is_away_is_unavailable(world: World, caller: Spoke) -> None:
    [port] = free_ports(1)
    world.serve(Service("away", "/away.v1.Away", f"http://127.0.0.1:{port}", http2=True), ISSUER)
    with channel(world, caller) as opened:
        code, said = refusal(lambda: opened.unary_unary("/away.v1.Away/Call")(b"", timeout=_SECONDS))
    assert code is grpc.StatusCode.UNAVAILABLE
    assert said == "The service cannot be reached now. It has not seen this request: send it again later."


def test_a_revoked_certificate_makes_no_new_call_and_its_stream_ends_with_the_bound(world: World, service: str) -> None:
    spoke, serial = world.connected()
    with channel(world, spoke) as opened:
        call = opened.unary_unary(f"/{service}/Unary")
        assert call(b"ab", timeout=_SECONDS) == b"ba"
        stream = opened.stream_stream(f"/{service}/Echo")(never_ending())
        assert next(stream) == b"first"
        revoke_certificate(world.hub, serial, RevocationReason.KEY_COMPROMISE)
        world.apply()
        assert refusal(lambda: call(b"ab", timeout=_SECONDS))[0] is grpc.StatusCode.PERMISSION_DENIED
        # No deadline of the client's own: what ends it is the bound of the service.
        code, _ = refusal(lambda: next(stream))
        assert code is not grpc.StatusCode.OK


def never_ending() -> Iterator[bytes]:
    """Return requests of which the second never comes."""
    yield b"first"
    threading.Event().wait(60)
