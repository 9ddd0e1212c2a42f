"""The steps of the demo, in order: `all_steps()`. Inbound and outbound acts stand in files of their own."""

from collections.abc import Callable, Iterator
from functools import partial

from bothways.cli.opening import control
from bothways.contract.document import Environment
from bothways.demo import inbound, outbound
from bothways.demo.stage import Party, Scene, Stage
from bothways.demo.step import Step, require
from bothways.operations.services import add_service
from bothways.registry.service import Service

Act = Callable[[Scene, Party], str]

_START_SECONDS = 30.0
_INBOUND: tuple[tuple[str, str, Act], ...] = (
    ("contract", "read the hub's contract", inbound.read_contract),
    ("csr", "make a key and a CSR", inbound.make_csr),
    ("approval", "submit the CSR, run the rules, approve it", inbound.approve_csr),
    ("install", "install the certificate", inbound.install),
    ("gate", "call a service that is granted, before the flow is established", inbound.call_too_early),
    ("connectivity", "call GET /connectivity for the first time", inbound.prove_inbound),
    ("call", "call the granted service", inbound.call_service),
    ("not-granted", "call a service that is not granted", inbound.call_not_granted),
)
_OUTBOUND: tuple[tuple[str, str, Act], ...] = (
    ("chain", "submit and endorse the CA chain of the customer's server", outbound.endorse),
    ("probe", "probe the customer's server through Envoy", outbound.prove_outbound),
    ("callback", "call the customer from a service of the hub", outbound.call_customer),
)


def all_steps() -> tuple[Step, ...]:
    """Return all steps, in the order in which they are run."""
    return tuple(_steps())


def _steps() -> Iterator[Step]:
    for environment in Environment:
        yield _step("hub.start", environment, "both", "start the hub with its Envoy", start_hub)
        for place, kind in enumerate(("issuer", "merchant")):
            for flow, acts in (("inbound", _INBOUND), ("outbound", _OUTBOUND)):
                for name, what, act in acts:
                    run = partial(_with_party, place, act)
                    yield _step(f"{kind}.{name}", environment, flow, f"{kind}: {what}", run)
        yield _step(
            "hub.rotate",
            environment,
            "outbound",
            "rotate the hub's client certificate between two calls",
            outbound.rotate,
        )
        yield _step(
            "issuer.revoke",
            environment,
            "inbound",
            "revoke a certificate while its connection is open",
            inbound.revoke_on_open_connection,
        )
    for place, kind in enumerate(("issuer", "merchant")):
        what = f"{kind}: call PRD with the PPR certificate"
        yield Step(f"{kind}.isolation", Environment.PRD, "inbound", what, partial(inbound.cross_environments, place))


def start_hub(scene: Scene) -> str:
    """Wait until the hub's Envoy serves, and put two services behind it."""
    ready = scene.process.next_line(_START_SECONDS)
    require(ready.get("ready"), str(ready))
    scene.fingerprint = ready["contract_fingerprint"]
    for name in ("tokens", "vault"):
        add_service(scene.hub, Service(name, f"/{name}", f"http://127.0.0.1:{scene.echo_port}"))
    applied = control(scene.hub, "POST", "/apply")
    require(applied and applied["in_force"], f"the services are not in force: {applied}")
    status = control(scene.hub, "GET", "/status") or {}
    return f"process {scene.process.pid}, Envoy {status['envoy']['pid']}, endpoint {ready['endpoint']}"


def _step(id: str, environment: Environment, flow: str, what: str, act: Callable[[Scene], str]) -> Step:  # noqa: A002
    def run(stage: Stage) -> str:
        return act(stage.scenes[environment])

    return Step(id, environment, flow, what, run)


def _with_party(place: int, act: Act, scene: Scene) -> str:
    return act(scene, scene.parties[place])
