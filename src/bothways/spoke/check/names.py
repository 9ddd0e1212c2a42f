"""The hub's name: what DNS says of it and for how long, and what on this machine would keep an address longer (R10)."""

import re
import shutil
import socket
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bothways.findings import Finding, Level
from bothways.spoke.addresses import Answer, Failed, Found, Missing
from bothways.spoke.check.report import Area, Step
from bothways.spoke.resolver import Question

_CITED = "R10"
_LOCAL = ("localhost", ".localhost")
_JAVA_TTL = re.compile(r"^\s*networkaddress\.cache\.ttl\s*=\s*(-?\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Stack:
    """What of this machine decides about names, as paths, so that others can be looked at.

    `proxies` are those that the environment names, by protocol; `no` are the hosts that are called without one.
    """

    resolvers: Path = Path("/etc/resolv.conf")
    nscd: Path = Path("/var/run/nscd/socket")
    java: Path | None = None
    proxies: Mapping[str, str] = field(default_factory=dict)


def this_machine() -> Stack:
    """Return this machine's, with the security settings of the Java that is found first, if there is one."""
    found = shutil.which("java")
    homes = Path(found).resolve().parents[1:3] if found else ()
    places = [home / way for home in homes for way in ("conf/security/java.security", "lib/security/java.security")]
    java = next((each for each in places if each.is_file()), None)
    return Stack(java=java, proxies=urllib.request.getproxies_environment())


def name_steps(host: str, question: Question, stack: Stack) -> tuple[Answer, tuple[Step, ...]]:
    """Return what is known of the host's addresses, and what to say about it."""
    answer = question.ask(host)
    findings = [*_answer_findings(host, answer)]
    if isinstance(answer, Found):
        ttl = min((*answer.ttls.values(), *answer.chain), default=0.0)
        said = f"{host} is {', '.join(answer.ttls)} for {ttl:.0f} s"
        said += f", by way of {', '.join(answer.aliases)}" if answer.aliases else ""
    else:
        said = f"{host} has no address"
    if not host.endswith(_LOCAL):
        findings += _hosts_findings(host, question)
        if isinstance(answer, Found):
            findings += _lookup_findings(host, answer)
        findings += _proxy_findings(host, stack)
    caches = Step(Area.DNS, "what keeps addresses", _caches(stack), tuple(_cache_findings(stack)))
    return answer, (Step(Area.DNS, "name of the hub", said, tuple(findings)), caches)


def _answer_findings(host: str, answer: Answer) -> Iterator[Finding]:
    if isinstance(answer, Missing):
        message = f"the hub's name {host} does not exist in DNS, or has no address"
        hint = "Ask another resolver; if it knows the name, yours has a view of the inside. Else ask the hub."
        yield Finding("CHECK-DNS-01", message, hint, _CITED, host)
    elif isinstance(answer, Failed):
        message = f"DNS does not answer for {host}: {answer.reason}"
        yield Finding("CHECK-DNS-02", message, "Mend the resolver of this machine (/etc/resolv.conf).", _CITED, host)


def _hosts_findings(host: str, question: Question) -> Iterator[Finding]:
    if found := question.local(host):
        message = f"{question.hosts} says that {host} is {', '.join(found)}, whatever DNS says"
        hint = f"Take the line out of {question.hosts}: the hub has no fixed address, and calls would end one day."
        yield Finding("CHECK-DNS-03", message, hint, _CITED, host)


def _lookup_findings(host: str, answer: Found) -> Iterator[Finding]:
    try:
        heard = {str(each[4][0]) for each in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError) as error:
        message = f"DNS knows {host}, and this machine's own lookup does not: {error}"
    else:
        # Of many addresses, each answer may have others.
        if not heard or heard & set(answer.ttls):
            return
        message = f"this machine's own lookup says {', '.join(sorted(heard))}, and DNS says {', '.join(answer.ttls)}"
    hint = "Have the line `hosts:` of /etc/nsswitch.conf say `files dns`; programs of other makes look names up so."
    yield Finding("CHECK-DNS-06", message, hint, _CITED, host, Level.WARNING)


def _proxy_findings(host: str, stack: Stack) -> Iterator[Finding]:
    proxy = stack.proxies.get("https") or stack.proxies.get("all")
    without = (each.strip().lstrip(".") for each in stack.proxies.get("no", "").split(","))
    if proxy and not any(each in {"*", host} or (each and host.endswith(f".{each}")) for each in without):
        # It may have a password in it.
        named = proxy.rpartition("@")[2]
        message = f"the environment sends https by way of the proxy {named}; Bothways and Envoy call the hub without it"
        hint = f"Have this machine reach the hub directly, and add {host} to NO_PROXY, for a proxy that opens TLS "
        hint += "cannot pass mutual TLS on, and one that keeps addresses breaks R10."
        yield Finding("CHECK-PROXY-01", message, hint, _CITED, host, Level.INFO)


def _cache_findings(stack: Stack) -> Iterator[Finding]:
    if stack.nscd.exists():
        message = f"nscd runs ({stack.nscd}), and may keep addresses longer than their TTL"
        hint = "Set `enable-cache hosts no` in /etc/nscd.conf; systemd-resolved or unbound keep to the TTL."
        yield Finding("CHECK-DNS-04", message, hint, _CITED, str(stack.nscd), Level.WARNING)
    if (kept := _java_ttl(stack)) is not None and (kept < 0 or kept > _JAVA_MOST):
        long = "for ever" if kept < 0 else f"for {kept} s"
        message = f"Java keeps addresses {long} (networkaddress.cache.ttl={kept})"
        hint = f"Set networkaddress.cache.ttl=30 in {stack.java}."
        yield Finding("CHECK-DNS-05", message, hint, _CITED, str(stack.java), Level.WARNING)


def _caches(stack: Stack) -> str:
    servers: list[str] = []
    with suppress(OSError):
        rows = (line.split() for line in stack.resolvers.read_text(errors="replace").splitlines())
        servers = [row[1] for row in rows if len(row) > 1 and row[0] == "nameserver"]
    kinds = {"127.0.0.53": "systemd-resolved, which keeps to the TTL", "127.0.0.1": "a resolver of this machine"}
    said = [f"{each} ({kinds[each]})" if each in kinds else each for each in servers] or ["no resolver is named"]
    java = _java_ttl(stack)
    more = [] if stack.java is None else [f"Java: {'30 s, its default' if java is None else f'{java} s'}"]
    return "; ".join([f"asked: {', '.join(said)}", *(["nscd"] if stack.nscd.exists() else []), *more])


def _java_ttl(stack: Stack) -> int | None:
    if stack.java is None:
        return None
    with suppress(OSError):
        if found := _JAVA_TTL.search(stack.java.read_text(errors="replace")):
            return int(found[1])
    return None


_JAVA_MOST = 60
"""Seconds that are let pass: a minute is a common TTL."""
