"""`python -m bench [NAME ...] [--record]`: measure, print one JSON object per figure, and record them on request."""

import sys

from bench.change_100k import change_100k
from bench.check import check
from bench.cli_start import cli_start
from bench.client import client
from bench.crl_100k import crl_100k
from bench.demo import demo
from bench.dns_change import dns_change
from bench.egress import egress
from bench.failover import failover
from bench.harness import Bench, record
from bench.inbound_handshake import inbound_handshake
from bench.inbound_keepalive import inbound_keepalive
from bench.issue_p256 import issue_p256
from bench.issue_rsa4096 import issue_rsa4096
from bench.memory import memory
from bench.portal_100k import portal_100k
from bench.probe import probe
from bench.push_100k import push_100k
from bench.revoke import revoke
from bench.rotation import rotation
from bench.rules import rules
from bench.schedule_100k import schedule_100k
from bench.start_100k import start_100k

BENCHES: dict[str, Bench] = {
    "change-100k": change_100k,
    "check": check,
    "cli-start": cli_start,
    "client": client,
    "crl-100k": crl_100k,
    "demo": demo,
    "dns-change": dns_change,
    "egress": egress,
    "failover": failover,
    "inbound-handshake": inbound_handshake,
    "inbound-keepalive": inbound_keepalive,
    "issue-p256": issue_p256,
    "issue-rsa4096": issue_rsa4096,
    "memory": memory,
    "portal-100k": portal_100k,
    "probe": probe,
    "push-100k": push_100k,
    "revoke": revoke,
    "rotation": rotation,
    "rules": rules,
    "schedule-100k": schedule_100k,
    "start-100k": start_100k,
}


def main(arguments: list[str]) -> int:
    """Run the benches that are named, or all; return 1 if a goal is missed, 2 for an unknown name or option."""
    if "--help" in arguments:
        print(f"{__doc__}\nThere are: {', '.join(BENCHES)}")
        return 0
    names = [each for each in arguments if each != "--record"] or list(BENCHES)
    if unknown := [each for each in names if each not in BENCHES]:
        print(f"there is no bench {', '.join(unknown)}; there are: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    figures = []
    for name in names:
        for each in BENCHES[name]():
            print(each.line(), flush=True)
            figures.append(each)
    if "--record" in arguments:
        record(figures, f"make bench ONLY={names[0]}" if len(names) == 1 else "make bench")
    return 0 if all(each.met for each in figures) else 1


sys.exit(main(sys.argv[1:]))
