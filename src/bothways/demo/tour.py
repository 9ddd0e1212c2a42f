"""What can be tried by hand while the demo stays up: addresses, and lines ready to paste. Text only."""

from urllib.parse import urlsplit

from bothways.demo.stage import Scene, Stage


def tour(stage: Stage) -> str:
    """Return the text."""
    lines = [*(line for scene in stage.scenes.values() for line in _scene(scene))]
    return "\n".join(["", "Everything stays up to be tried. Ctrl-C ends it.", *lines, ""])


def _scene(scene: Scene) -> list[str]:
    terms, settings = scene.hub.terms, scene.hub.settings
    endpoint = urlsplit(terms.endpoint)
    issuer = scene.parties[0]
    directory = issuer.directory
    name, port = endpoint.hostname, endpoint.port
    tls = f"--cacert {directory}/ca.crt --cert {directory}/tls.crt --key {directory}/tls.key"
    openssl = f"-CAfile {directory}/ca.crt -cert {directory}/tls.crt -key {directory}/tls.key"
    resolve = f"--resolve {name}:{port}:127.0.0.1"
    return [
        "",
        f"{scene.environment.value}",
        f"  endpoint {terms.endpoint}",
        f"  portal   {terms.portal}",
        f"  egress   http://{settings.egress_address}:{settings.egress_port}",
        "  the issuer calls the hub:",
        f"    curl {tls} {resolve} {terms.endpoint}/connectivity",
        f"    curl {tls} {resolve} {terms.endpoint}/tokens/hello",
        "  without a certificate it is refused:",
        f"    curl --cacert {directory}/ca.crt {resolve} {terms.endpoint}/connectivity",
        "  a service of the hub calls the issuer:",
        f"    curl -H 'Bothways-Customer: {issuer.tsp_id}' http://{settings.egress_address}:{settings.egress_port}/hello",
        "  the handshake, seen by OpenSSL:",
        f"    openssl s_client -connect 127.0.0.1:{port} -servername {name} -brief {openssl} </dev/null",
        "  the operator's view:",
        f"    .venv/bin/bothways hub status --directory {scene.hub.directory}",
        f"    .venv/bin/bothways customer show {issuer.tsp_id} --directory {scene.hub.directory}",
    ]
