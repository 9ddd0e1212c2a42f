"""From what the hub's operator hands over to both flows, with openssl, curl and nginx alone, by what is printed.

The customer has the files of the bundle, and types what stands on its page, with real values where that leaves a place
for them. No other program is on its PATH but those that every system has.
"""

import html
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from tests.programs import absent, require
from tests.shell_pages import Block, Machine, Terminal, machine
from tests.wire.conftest import MERCHANT
from tests.wire.servers import NGINX

from bothways.bundle.seal import INSTRUCTIONS
from bothways.cli.opening import control
from bothways.operations.bundles import export_bundle
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.customers import add_customer
from bothways.operations.endpoints import set_endpoint
from bothways.operations.hub import Hub
from bothways.operations.requests import approve_request, submit_request
from bothways.registry.customer import CustomerKind
from bothways.web.pages.instructions import enclosed

pytestmark = [pytest.mark.envoy, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
SYSTEM = ("awk", "cat", "cp", "mkdir", "sed", "sh")
HOST = "shop.ppr.localhost"
VALUES = {"SERVER-NAME": HOST, '"XX"': '"FR"', "STATE": "IDF", "LOCALITY": "Paris", "UNIT": "Payments"}
DNS = """
import sys
from tests.dns_server import serving_dns
with serving_dns() as server:
    server.records["api.ppr.hub.localhost", "A"] = ["5 127.0.0.1"]
    print(server.port, flush=True)
    sys.stdin.read()
"""


class Customer(Terminal):
    """Types what is printed; `bothways` is not among its programs."""

    def __init__(self, here: Machine) -> None:
        self.directory = here.directory / "shop"
        self.directory.mkdir()
        super().__init__(here)
        self._nginx = here.directory / "nginx"
        self.programs = self._installed(here.directory / "bin")
        self.prepare(f"cd '{self.directory}'; PATH='{self.programs}'; hash -r")

    def _installed(self, place: Path) -> Path:
        place.mkdir()
        for name in ("openssl", "curl", *SYSTEM):
            (place / name).symlink_to(shutil.which(name) or pytest.skip(absent(name)))
        # An installation, which has its files elsewhere than the system's.
        (self._nginx / "conf.d").mkdir(parents=True)
        (place / "nginx").write_text(
            f'#!/bin/sh\nexec {NGINX} -e stderr -p {self._nginx} -c {self._nginx / "nginx.conf"} "$@"\n'
        )
        (place / "nginx").chmod(0o755)
        temporary = " ".join(f"{each}_temp_path {self._nginx / each};" for each in TEMPORARY)
        (self._nginx / "nginx.conf").write_text(
            f"{'user root;' if os.geteuid() == 0 else ''} pid {self._nginx / 'pid'}; error_log stderr;\nevents {{}}\n"
            f"http {{ access_log off; {temporary} include conf.d/*.conf; server {{ listen 127.0.0.1:9000; }} }}\n"
        )
        return place

    def received(self, bundle: Path) -> list[str]:
        """Unpack a bundle, and return what its page says to type, in its order."""
        with ZipFile(bundle) as archive:
            archive.extractall(self.directory)
        page = (self.directory / INSTRUCTIONS).read_text()
        shown = re.findall(r"<pre>(.*?)</pre>", page, flags=re.DOTALL)
        return [text for each in shown if not (text := html.unescape(each)).startswith("bothways")]

    def types(self, printed: str) -> str:
        """Type a text of the page, with real values where it leaves a place for them, and return what is said."""
        for place, value in VALUES.items():
            printed = printed.replace(place, value)
        text = printed.replace("/etc/nginx/conf.d", str(self._nginx / "conf.d"))
        return self.follow(Block("instructions", 0, "sh", "", text))


def dns_port(here: Machine) -> int:
    """Start a DNS server beside the customer, and return its port."""
    process = here.start([sys.executable, "-c", DNS], ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    return int(process.stdout.readline())


TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@pytest.fixture
def here() -> Iterator[Machine]:
    require("nginx")
    with machine() as made:
        yield made


def test_openssl_curl_and_nginx_lead_to_both_flows_by_what_is_printed(hub: Hub, here: Machine) -> None:
    customer, out = Customer(here), here.directory / "out.zip"
    add_customer(hub, MERCHANT, CustomerKind.MERCHANT, "Corner Shop")
    here.listen(f"bothways hub run --directory {hub.directory}", hub.settings.inbound_port, here.directory)
    out.write_bytes(export_bundle(hub, MERCHANT, enclosed(hub, MERCHANT)).data)

    compare, request, server, pin, *_ = customer.received(out)
    digests = re.findall(r"= ([0-9a-f]{64})", customer.types(compare))
    shown = re.sub(r"\s", "", (customer.directory / INSTRUCTIONS).read_text())
    assert [each in shown for each in digests] == [True, True, True]
    customer.types(request)
    customer.types(server)

    # By mail: the request, the chain, and the address on the form; by phone the request's digest.
    handed_in = submit_request(hub, MERCHANT, (customer.directory / "tls.csr").read_bytes())
    assert handed_in.request.fingerprint in customer.types(pin)
    approve_request(hub, handed_in.id)
    set_endpoint(hub, MERCHANT, f"https://{HOST}:8443")
    endorse_chain(hub, submit_chain(hub, MERCHANT, (customer.directory / "server-chain.pem").read_bytes()).id)
    assert control(hub, "POST", "/apply")
    out.write_bytes(export_bundle(hub, MERCHANT, enclosed(hub, MERCHANT)).data)

    *_, place, call, nginx, again = customer.received(out)
    customer.types(place)
    answer = json.loads(customer.types(call))
    assert (answer["customer"], answer["inbound"]["state"]) == (MERCHANT, "established")
    calling, _, _ = (customer.directory / "openssl.txt").read_text().partition("# From the hub")
    # Names below localhost are known to curl and Envoy; OpenSSL asks the system, which may have no DNS for them.
    assert '"established"' in customer.types(calling.replace("-connect api.ppr.hub.localhost", "-connect localhost"))

    customer.types(f"sed -i 's|127.0.0.53:53|127.0.0.1:{dns_port(here)}|' nginx.conf")
    here.listen(f"exec {customer.programs}/nginx -g 'daemon off;'", 9000, here.directory)
    customer.types(nginx)
    operator = Terminal(here)
    operator.prepare(f"bothways probe {MERCHANT} --directory {hub.directory}")
    answer = json.loads(customer.types(again))
    assert [answer[way]["state"] for way in ("inbound", "outbound")] == ["established", "established"]
