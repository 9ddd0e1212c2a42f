"""A spoke of a real hub at each stage: the contract as a file, a spoke made from it, one with its certificate."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from bothways.contract.document import KeyType
from bothways.contract.render import render_contract
from bothways.contract.subject import Subject
from bothways.operations.certificates import certificate_chain
from bothways.operations.hub import Hub, contract
from bothways.operations.requests import approve_request, submit_request
from bothways.spoke.csr import make_request
from bothways.spoke.directory import Spoke, init_spoke
from bothways.spoke.install import install_certificate


@pytest.fixture
def subject() -> Subject:
    return Subject("FR", "Ile-de-France", "Paris", "First Bank", "Payments")


@pytest.fixture
def contract_file(hub: Hub, tmp_path: Path) -> Path:
    """The hub's contract, as it is published."""
    path = tmp_path / "published.toml"
    path.write_text(render_contract(contract(hub)))
    return path


@pytest.fixture
def spoke(contract_file: Path, issuer: str, tmp_path: Path) -> Spoke:
    """The issuer's spoke, with nothing but the contract."""
    return init_spoke(tmp_path / "spoke", str(contract_file), issuer)


@pytest.fixture
def certified(hub: Hub, subject: Subject) -> Callable[[Spoke], bytes]:
    """Return a maker of the certificate that the hub issues for a new request of a spoke, in PEM with its issuer."""

    def make(spoke: Spoke) -> bytes:
        request = make_request(spoke, KeyType.ECDSA, subject)
        stored = submit_request(hub, spoke.tsp_id, request.pem.encode())
        return certificate_chain(hub, approve_request(hub, stored.id)).encode()

    return make


@pytest.fixture
def ready_spoke(spoke: Spoke, certified: Callable[[Spoke], bytes]) -> Spoke:
    """The issuer's spoke with its certificate."""
    install_certificate(spoke, certified(spoke))
    return spoke


@pytest.fixture
def renewed(hub: Hub) -> Callable[[Spoke], bytes]:
    """Return a maker of the certificate for the request that is under way in a spoke, in PEM with its issuer."""

    def make(spoke: Spoke) -> bytes:
        stored = submit_request(hub, spoke.tsp_id, (spoke.pending / "tls.csr").read_bytes())
        return certificate_chain(hub, approve_request(hub, stored.id)).encode()

    return make


@pytest.fixture
def killed_at() -> Callable[[int, Callable[[], object]], bool]:
    """Return a runner of an action in a child process that is killed (SIGKILL) at the n-th change of a file.

    It tells whether the child was killed; if not, the action did less than n changes, and went to its end.
    """
    changes = {"os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate"}

    def run(place: int, action: Callable[[], object]) -> bool:
        child = os.fork()
        if child == 0:
            left = place

            def count(event: str, arguments: tuple[object, ...]) -> None:
                nonlocal left
                writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
                if event in changes or writes:
                    left -= 1
                    if left == 0:
                        os.kill(os.getpid(), signal.SIGKILL)

            sys.addaudithook(count)
            try:
                action()
            except BaseException:  # noqa: BLE001 - the child must never go on as a second pytest
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
        return os.WIFSIGNALED(status)

    return run


@dataclass
class DnsServer:
    """An authoritative server of our own, on UDP: text of records by name and type; it counts the questions.

    A name without records does not exist; `mode` can be "SERVFAIL" or "silent".
    """

    port: int = 0
    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    mode: str = ""
    questions: list[str] = field(default_factory=list)

    def answer(self, data: bytes) -> bytes | None:
        query = dns.message.from_wire(data)
        name, kind = query.question[0].name, query.question[0].rdtype
        self.questions.append(f"{name} {kind.name}")
        if self.mode == "silent":
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        if self.mode:
            response.set_rcode(dns.rcode.from_text(self.mode))
            return response.to_wire()
        text = name.to_text(omit_final_dot=True)
        while alias := self.records.get((text, "CNAME")):
            ttl, target = alias[0].split()
            response.answer.append(dns.rrset.from_text(f"{text}.", int(ttl), "IN", "CNAME", f"{target}."))
            text = target
        for record in self.records.get((text, kind.name), []):
            ttl, value = record.split()
            response.answer.append(dns.rrset.from_text(f"{text}.", int(ttl), "IN", kind.name, value))
        if not any(owner == text for owner, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        soa = "ns.test. admin.test. 1 60 60 60 7"
        response.authority.append(dns.rrset.from_text("test.", 9, "IN", "SOA", soa))
        return response.to_wire()


@pytest.fixture
def dns_server() -> Iterator[DnsServer]:
    """A DNS server on 127.0.0.1."""
    server, ended = DnsServer(), threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        server.port = listening.getsockname()[1]

        def serve() -> None:
            while not ended.is_set():
                data, client = listening.recvfrom(4096)
                if data and (answer := server.answer(data)):
                    listening.sendto(answer, client)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server
        ended.set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waking:
            waking.sendto(b"", ("127.0.0.1", server.port))
        thread.join()
