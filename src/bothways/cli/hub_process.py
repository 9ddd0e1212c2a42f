"""The running hub: everything that `bothways hub run` starts, put together and ended in order."""

import asyncio
import json
import logging
import signal
import socket
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi import FastAPI

from bothways.cli.exit import FAILED, OK
from bothways.cli.hub_envoy import hub_site
from bothways.cli.hub_nodes import TowardsNodes, services_for_nodes
from bothways.cli.output import result, tell
from bothways.contract.render import render_contract
from bothways.dataplane.ads import AdsServer
from bothways.dataplane.canary import Canary
from bothways.dataplane.derived import first_of_all
from bothways.dataplane.envoy import find_envoy
from bothways.dataplane.fleet import Fleet
from bothways.dataplane.intake import Intake
from bothways.dataplane.loads import Loads
from bothways.dataplane.long_lived import spare_long_lived
from bothways.dataplane.publisher import Publisher
from bothways.dataplane.saved import SavedSnapshot
from bothways.dataplane.stand_in import HUB_SOCKET
from bothways.dataplane.supervised import SupervisedEnvoy, supervisor_command
from bothways.dataplane.supervisor import ADMIN_SOCKET
from bothways.errors import BothwaysError, Unreachable, Unusable
from bothways.operations.agreement import keep_agreeing
from bothways.operations.alone import alone
from bothways.operations.data_plane import DataPlane
from bothways.operations.delivery import deliver_notices
from bothways.operations.hub import Hub, contract
from bothways.operations.own_keys import require_signers
from bothways.operations.settings import EnvoyLifetime
from bothways.operations.turn import Turn
from bothways.operations.upkeep import upkeep
from bothways.outbound.rotation import keep_rotating
from bothways.outbound.schedule import Schedule
from bothways.pki.keys import sha256
from bothways.web.connectivity import connectivity_app
from bothways.web.control import control_app
from bothways.web.health import health_router
from bothways.web.metrics import render_metrics
from bothways.web.portal import portal_app
from bothways.web.scrape import envoy_statistics, metrics_app, render_data_plane
from bothways.web.server import ServerCertificate, serve_on_socket, serve_over_http, serve_over_tls
from bothways.xds.state import HubState

_log = logging.getLogger(__name__)

_READY_TIMEOUT = 30.0
_DELIVERY = 10.0
_ENDED = {
    EnvoyLifetime.HUB: "the hub and its Envoy",
    EnvoyLifetime.DETACHED: "the hub and its Envoy",
    EnvoyLifetime.SERVICE: "the hub, and Envoy goes on",
}
# What the hub binds itself, and what Envoy binds, which may be there already.
_OWN_PORTS, _ENVOY_PORTS = ("portal", "metrics", "nodes", "nodes_connectivity"), ("inbound", "egress")


def run_hub(hub: Hub, *, as_json: bool) -> int:
    """Run the hub until SIGINT or SIGTERM. Raises `Unreachable` if a port is taken, `Unusable` if Envoy fails."""
    find_envoy(hub.settings.envoy)
    with alone(hub.directory):
        site = hub_site(hub.directory, hub.settings)
        envoy = SupervisedEnvoy(site, hub.settings.envoy_lifetime, supervisor_command(hub.directory))
        _check_ports(hub, _OWN_PORTS if envoy.adopted else (*_OWN_PORTS, *_ENVOY_PORTS))
        require_signers(hub)
        for done in upkeep(hub).done:
            _log.info("before the start: %s", done)
        return asyncio.run(_run(hub, envoy, site.saved, as_json=as_json))


async def _run(hub: Hub, envoy: SupervisedEnvoy, saved: SavedSnapshot, *, as_json: bool) -> int:
    serving, stop = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # The second time, nothing is waited for.
        asyncio.get_running_loop().add_signal_handler(number, lambda: envoy.hurry() if stop.is_set() else stop.set())
    turn = Turn(hub.database)
    await turn.look()
    plane = DataPlane(hub)
    state, first = await asyncio.to_thread(first_of_all, hub, plane)
    # Some of what is told of here is made some lines later.
    nodes, intake = TowardsNodes(hub, state, lambda: fleet.change), Intake(hub)
    loads = Loads(hub, lambda cluster: publisher.serves(cluster))  # noqa: PLW0108
    ads = AdsServer(hub.run_directory / HUB_SOCKET, first, nodes.admission, services_for_nodes(hub, intake, loads))
    certificate = ServerCertificate(hub.run_directory, state.server)

    def follow(latest: HubState) -> None:
        certificate.follow(latest.server)
        nodes.follow(latest)
        canary.follow(latest)

    fleet = Fleet(hub, ads, lambda node: {"canary": canary.verdicts.get(node)}, lambda: problem())  # noqa: PLW0108
    settings = hub.settings
    publisher = Publisher(hub, ads, follow, plane, saved, turn.held, fleet, lambda node: canary.knock(node))  # noqa: PLW0108
    canary = Canary(
        state,
        settings.canary_addresses,
        lambda: contract(hub).trust.server_ca,
        publisher.shut,
        hub.run_directory,
        intake.disregard,
        fleet.elsewhere,
    )

    def problem() -> str:
        return "; ".join(filter(None, (publisher.problem, canary.problem)))

    def status() -> dict[str, Any]:
        return {
            "version": ads.snapshot.version,
            "problem": problem(),
            "held_back": publisher.held_back,
            "control_plane": fleet.name,
            "control_planes": fleet.planes(),
            "nodes": fleet.nodes(),
            "envoy": envoy.state(),
            "last_push_milliseconds": publisher.last_push_milliseconds,
            "observations": intake.document(),
        }

    def metrics(told: dict[str, Any]) -> bytes:
        said = render_metrics(hub, told["problem"], canary.refused_at, told["nodes"])
        said += render_data_plane(hub.environment.value, told)
        return said + envoy_statistics(hub.run_directory / ADMIN_SOCKET)

    portal, connectivity = portal_app(hub, publisher.apply, status, metrics), connectivity_app(hub, publisher.apply)
    await ads.start()
    try:
        parts = [
            serve_on_socket(connectivity, hub.run_directory / "connectivity.sock"),
            serve_on_socket(
                control_app(status, publisher.apply, metrics, publisher.send_for_probe), hub.control_socket
            ),
            serve_over_tls(portal, settings.portal_address, settings.portal_port, certificate),
            envoy.run(),
            turn.run(),
            publisher.run(),
            canary.run(ads),
            fleet.run(),
            intake.run(),
            loads.run(),
            _deliver(hub, turn.held),
            Schedule(hub, publisher.apply, turn.held).run(),
            *nodes.parts(ads, connectivity),
            keep_rotating(hub, turn.held),
            keep_agreeing(hub),
            spare_long_lived(plane),
        ]
        health = health_router(hub, envoy.state, serving, stop)
        parts += _inside(hub, metrics_app(lambda: metrics(status()), health))

        async def announce() -> None:
            milliseconds = await _ready(hub, publisher, ads, envoy)
            envoy.proved()
            serving.set()
            _announce(hub, milliseconds, as_json=as_json)

        await _together(stop, parts, announce(), envoy.end)
    except BothwaysError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it was, the person who runs the hub reads one line
        _log.error("a part of the hub failed: %s: %s", type(error).__name__, error)
        return FAILED
    finally:
        if not stop.is_set():
            await envoy.leave()
        await ads.stop()
    return OK


def _inside(hub: Hub, app: FastAPI) -> list[Coroutine[Any, Any, None]]:
    settings = hub.settings
    return [serve_over_http(app, settings.metrics_address, settings.metrics_port)] if settings.metrics_port else []


async def _deliver(hub: Hub, held: Callable[[], bool]) -> None:
    """Deliver notices while `held`, until this task is cancelled, beside everything else: a mail server may be slow."""
    while True:
        try:
            if held() and (sent := await deliver_notices(hub)):
                _log.info("%d notices of what ends were received", sent)
        except Exception as error:  # noqa: BLE001 - whatever it was: nobody's calls depend on a notice
            _log.error("notices cannot be delivered: %s: %s", type(error).__name__, error)
        await asyncio.sleep(_DELIVERY)


async def _together(
    stop: asyncio.Event,
    parts: Sequence[Coroutine[Any, Any, None]],
    announcement: Coroutine[Any, Any, None],
    drain: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    """Run everything until `stop`, then drain and end it.

    Raises what a part failed with: a hub with a part missing is none.
    """
    stopped, announced = asyncio.create_task(stop.wait()), asyncio.create_task(announcement)
    tasks: list[asyncio.Task[Any]] = [*(asyncio.create_task(part) for part in parts), announced, stopped]
    waiting = set(tasks)
    try:
        while True:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if stopped in done:
                # While all parts go on: some of the requests under way are theirs.
                await drain()
                return
            for task in done:
                task.result()
            if done != {announced}:
                raise RuntimeError("it ended by itself")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ready(hub: Hub, publisher: Publisher, ads: AdsServer, envoy: SupervisedEnvoy) -> float:
    """Wait until Envoy serves what is stored, saved or not yet; return after how many milliseconds it did.

    Raises `Unusable` with what Envoy refused, or said last.
    """
    started = time.perf_counter()
    try:
        async with asyncio.timeout(_READY_TIMEOUT):
            if not (await publisher.apply(saved=False)).in_force:
                why = "; ".join(ads.refusals()) or publisher.problem or envoy.last_words()
                _log.warning("Envoy does not serve the configuration yet: %s", why)
            await ads.confirmed()
            await envoy.known()
    except TimeoutError:
        if refusals := "; ".join(ads.refusals()):
            raise Unusable(
                f"Envoy refuses the configuration: {refusals}. Correct what it names (addresses and ports are in "
                f"{hub.directory / 'hub.toml'}), and start the hub again."
            ) from None
        ended = envoy.state()["restarts"]
        raise Unusable(
            f"Envoy did not take the configuration within {_READY_TIMEOUT:.0f} s, and ended {ended} times; "
            f"its last words: {envoy.last_words()}. Look at {hub.run_directory / 'envoy.log'}, and start the hub again."
        ) from None
    return round(1000 * (time.perf_counter() - started), 1)


def _announce(hub: Hub, milliseconds: float, *, as_json: bool) -> None:
    fingerprint = sha256(render_contract(contract(hub)).encode())
    settings, terms = hub.settings, hub.terms
    egress = f"http://{settings.egress_address}:{settings.egress_port}"
    document = {
        "ready": True,
        "environment": hub.environment.value,
        "endpoint": terms.endpoint,
        "portal": terms.portal,
        "egress": egress,
        "contract_fingerprint": fingerprint,
        "milliseconds": milliseconds,
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

Ctrl-C ends {_ENDED[settings.envoy_lifetime]}.""")


def _check_ports(hub: Hub, named: tuple[str, ...]) -> None:
    settings = hub.settings
    for name in named:
        address = settings.nodes_address if name.startswith("nodes") else getattr(settings, f"{name}_address")
        port = getattr(settings, f"{name}_port")
        if not port:
            continue
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
