"""A DNS server of our own, for tests."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


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


@contextmanager
def serving_dns() -> Iterator[DnsServer]:
    """Run a DNS server on 127.0.0.1."""
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
