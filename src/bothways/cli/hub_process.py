"""The running hub: everything that `bothways hub run` starts, put together and ended in order."""

import asyncio
import contextlib
import fcntl
import hashlib
import json
import logging
import signal
import socket
from collections.abc import Iterator
from typing import Any

from bothways import files
from bothways.cli.exit import FAILED, OK
from bothways.cli.output import result, tell
from bothways.contract.render import render_contract
from bothways.dataplane.ads import AdsServer
from bothways.dataplane.envoy import EnvoyProcess, find_envoy
from bothways.dataplane.publisher import Publisher, current_snapshot
from bothways.errors import Conflict, Unreachable
from bothways.operations.certificates import finish_certificates
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub, contract
from bothways.web.connectivity import connectivity_app
from bothways.web.control import control_app
from bothways.web.portal import portal_app
from bothways.web.server import serve_on_socket, serve_over_tls
from bothways.xds.bootstrap import bootstrap

_log = logging.getLogger(__name__)

_READY_TIMEOUT = 30.0


def run_hub(hub: Hub, *, as_json: bool) -> int:
    """Run the hub until SIGINT or SIGTERM. Raises `Unreachable` if a port is taken, `Unusable` without Envoy."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    binary = find_envoy(hub.settings.envoy)
    with _alone(hub):
        _check_ports(hub)
        if finished := finish_certificates(hub):
            _log.warning("%d certificates, approved before the hub ended unexpectedly, are signed now", finished)
        run = hub.run_directory
        node = f"{hub.environment.value.lower()}-embedded"
        text = bootstrap(node, str(run.absolute() / "ads.sock"), str(run.absolute() / "admin.sock"))
        files.replace(run / "envoy.json", text.encode(), files.PRIVATE)
        envoy = EnvoyProcess(binary, run / "envoy.json", run / "envoy.log")
        return asyncio.run(_run(hub, envoy, as_json=as_json))


async def _run(hub: Hub, envoy: EnvoyProcess, *, as_json: bool) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    ads = AdsServer(hub.run_directory / "ads.sock", await asyncio.to_thread(current_snapshot, hub))
    publisher = Publisher(hub, ads)

    def status() -> dict[str, Any]:
        return {
            "version": ads.snapshot.version,
            "nodes": ads.nodes(),
            "envoy": {"pid": envoy.pid, "restarts": envoy.restarts},
        }

    server = hub_state(hub).server
    settings = hub.settings
    await ads.start()
    parts = [
        serve_on_socket(connectivity_app(hub, publisher.apply), hub.run_directory / "connectivity.sock"),
        serve_on_socket(control_app(status, publisher.apply), hub.control_socket),
        serve_over_tls(portal_app(hub), settings.portal_address, settings.portal_port, server),
        envoy.run(),
        publisher.run(),
    ]
    tasks = [asyncio.create_task(part) for part in parts]
    tasks.append(asyncio.create_task(_announce(hub, publisher, as_json=as_json)))
    stopped = asyncio.create_task(stop.wait())
    # The announcement ends; any other part that ends has failed, and a hub with a part missing is no hub.
    waiting: set[asyncio.Task[Any]] = {*tasks, stopped}
    code = OK
    while not stopped.done():
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if broken := next((task for task in done if task is not stopped and task.exception()), None):
            _log.error("a part of the hub failed: %s", broken.exception())
            code = FAILED
            break
    for task in (*tasks, stopped):
        task.cancel()
    await asyncio.gather(*tasks, stopped, return_exceptions=True)
    await ads.stop()
    return code


async def _announce(hub: Hub, publisher: Publisher, *, as_json: bool) -> None:
    async with asyncio.timeout(_READY_TIMEOUT):
        while not (applied := await publisher.apply()).in_force:
            _log.warning("Envoy does not serve the configuration yet; see %s", hub.run_directory / "envoy.log")
    fingerprint = hashlib.sha256(render_contract(contract(hub)).encode()).hexdigest()
    settings, terms = hub.settings, hub.terms
    egress = f"http://{settings.egress_address}:{settings.egress_port}"
    document = {
        "ready": True,
        "environment": hub.environment.value,
        "endpoint": terms.endpoint,
        "portal": terms.portal,
        "egress": egress,
        "contract_fingerprint": fingerprint,
        "milliseconds": applied.milliseconds,
    }
    if as_json:
        print(json.dumps(document), flush=True)  # noqa: T201 - one line, for the program that started the hub
        return
    result(document, f"{hub.environment.value} is ready: {terms.endpoint}", as_json=False)
    where = f"--directory {hub.directory}"
    tell(f"""
  endpoint   {terms.endpoint}   (customers call, mutual TLS)
  portal     {terms.portal}
  egress     {egress}   (services call customers, with the header Bothways-Customer)
  contract   {terms.portal}/contract.toml
             SHA-256 {fingerprint}

Next, in another terminal:
  bothways customer add 12345678 --kind issuer --organization 'First Bank' {where}
  bothways hub status {where}

Ctrl-C ends the hub and its Envoy.""")


@contextlib.contextmanager
def _alone(hub: Hub) -> Iterator[None]:
    files.make_directory(hub.run_directory)
    with (hub.run_directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict(f"the hub in {hub.directory} runs already. Look at: bothways hub status") from error
        yield


def _check_ports(hub: Hub) -> None:
    settings = hub.settings
    for name in ("inbound", "egress", "portal"):
        address, port = getattr(settings, f"{name}_address"), getattr(settings, f"{name}_port")
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                why = (error.strerror or str(error)).lower()
                raise Unreachable(
                    f"port {port} at {address} cannot be used: {why}. "
                    f"End what uses it, or set listen.{name}_port in {hub.directory / 'hub.toml'}."
                ) from error
