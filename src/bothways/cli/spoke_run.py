"""`bothways spoke run`: the sidecar, in front of applications that speak plain HTTP."""

import contextlib
import json as json_module
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways import files
from bothways.cli.addresses import dns_server, listening
from bothways.cli.exit import OK
from bothways.cli.output import HERE, Json, tell
from bothways.cli.sidecar_process import run_sidecar
from bothways.errors import BothwaysError, Unusable
from bothways.pki.chain import fingerprint
from bothways.spoke.addresses import STALE_SECONDS
from bothways.spoke.directory import Spoke, open_spoke, remember_server
from bothways.spoke.sidecar import LOCAL_PORT, RUN_DIRECTORY, Callbacks, Sidecar, application
from bothways.spoke.sidecar_files import Pair, SidecarFiles
from bothways.spoke.sidecar_tls import CLIENT_PAIR, SERVER_PAIR
from bothways.spoke.tls import client_anchors

_LOOPBACK = "127.0.0.1"


def run(
    *,
    app: Annotated[
        str | None,
        Parameter(
            help="Your application, which gets the hub's calls, as http://HOST:PORT. Without it: calls to it only."
        ),
    ] = None,
    certificate: Annotated[
        Path | None, Parameter(help="With --app: your server's certificate in PEM, followed by those that issued it.")
    ] = None,
    key: Annotated[Path | None, Parameter(help="With --app: its private key in PEM, without a passphrase.")] = None,
    address: Annotated[str, Parameter(help="The address of this machine at which the hub calls.")] = "0.0.0.0",  # noqa: S104 - the hub calls from outside
    port: Annotated[int, Parameter(help="The hub calls 443 or 8443.")] = 8443,
    local_port: Annotated[
        int, Parameter(help="Where your applications call the hub, at http://127.0.0.1:PORT.")
    ] = LOCAL_PORT,
    danger_local_address: Annotated[
        str,
        Parameter(help="Listen for your applications at another address: whoever reaches it calls the hub as you."),
    ] = _LOOPBACK,
    dns: Annotated[
        list[str] | None,
        Parameter(negative="", help="Ask this DNS server, IP or IP:PORT, in place of the system's; repeatable."),
    ] = None,
    stale_seconds: Annotated[
        int, Parameter(help="For how long the hub's last addresses serve while DNS fails; then calls get 503.")
    ] = int(STALE_SECONDS),
    run_directory: Annotated[
        Path | None, Parameter(help="Where Envoy's files go: by default run/ in the spoke's directory.")
    ] = None,
    envoy: Annotated[str, Parameter(help="An Envoy to run in place of the one of the extra [sidecar].")] = "",
    directory: Annotated[Path, Parameter(help="The spoke's directory, one for each environment.")] = HERE,
    json: Json = False,
) -> int:
    """Run the sidecar: mutual TLS for applications that speak plain HTTP, in both directions, until Ctrl-C.

    Applications call the hub at http://127.0.0.1:15002. With --app, the hub's calls arrive at your application, with
    the caller in the headers Bothways-Hub, Bothways-Environment and Bothways-Certificate; whoever else sends these is
    stripped of them. Certificates, keys and the contract are taken anew when they change. The end waits for what was
    begun; a second Ctrl-C does not.
    """
    spoke = open_spoke(directory)
    place = (run_directory or directory / RUN_DIRECTORY).absolute()
    pairs: dict[str, Pair] = {CLIENT_PAIR: (spoke.certificate_file, spoke.key_file)}
    callbacks = None
    if app is not None:
        if certificate is None or key is None:
            raise Unusable("--app needs the certificate of your server, to be called at: --certificate FILE --key FILE")
        pairs[SERVER_PAIR] = (certificate, key)
        callbacks = Callbacks(listening(address, port), application(app))
    elif certificate is not None or key is not None:
        raise Unusable("--certificate and --key are for the hub's calls. Say where those go: --app http://HOST:PORT")
    local = listening(danger_local_address, local_port)
    resolvers = tuple(dns_server(each) for each in dns or ())

    def plan(now: Spoke) -> Sidecar:
        return Sidecar(now.contract, place, local, callbacks, resolvers)

    def ready(made: SidecarFiles) -> None:
        document, text = _told(spoke, made)
        print(json_module.dumps(document) if json else text, flush=True)  # noqa: T201 - where it listens

    files.make_directory(place)
    if certificate is not None:
        with contextlib.suppress(BothwaysError):
            # Only for `spoke status`: a directory that cannot be written to keeps no call away.
            remember_server(spoke, certificate)
    run_sidecar(lambda: SidecarFiles(spoke, plan, pairs, tell), place, envoy, ready, tell, stale_seconds)
    return OK


def _told(spoke: Spoke, made: SidecarFiles) -> tuple[dict[str, object], str]:
    sidecar = made.sidecar
    terms = spoke.contract.terms
    own = made.certificate(CLIENT_PAIR)
    document: dict[str, object] = {
        "hub": terms.endpoint,
        "local": f"http://{sidecar.local}",
        "not_after": own.not_valid_after_utc.isoformat(),
        "callbacks": None,
    }
    lines = [
        f"calls to http://{sidecar.local} go to {terms.endpoint}, as customer {spoke.tsp_id}; Ctrl-C ends",
        f"with {spoke.certificate_file}, valid until {own.not_valid_after_utc:%Y-%m-%d}",
    ]
    if sidecar.callbacks:
        server, trusted = made.certificate(SERVER_PAIR), client_anchors(spoke.contract)
        document["callbacks"] = {
            "listening": str(sidecar.callbacks.listen),
            "application": f"http://{sidecar.callbacks.application}",
            "not_after": server.not_valid_after_utc.isoformat(),
            "trusts": [
                {"subject": each.subject.rfc4514_string(), "fingerprint": fingerprint(each)} for each in trusted
            ],
        }
        lines += [
            f"calls of the hub at {sidecar.callbacks.listen} go to http://{sidecar.callbacks.application}",
            f"with {server.subject.rfc4514_string()}, valid until {server.not_valid_after_utc:%Y-%m-%d}",
            *(f"trusts {each.subject.rfc4514_string()} (SHA-256 {fingerprint(each)})" for each in trusted),
            f"and under it {terms.hub} alone, with any certificate, for the hub changes its own without notice",
        ]
    return document, "\n".join(lines)
