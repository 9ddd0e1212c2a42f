"""Figure `check`: a complete `spoke check` of a healthy customer, the hub's probe of its server included."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator

from bench.harness import Figure, figure
from bench.probe import hub_with_server, register
from bothways.contract.document import KeyType
from bothways.contract.subject import Subject
from bothways.operations.certificates import certificate_chain
from bothways.operations.requests import approve_request, submit_request
from bothways.outbound.asked import APART
from bothways.spoke.csr import make_request
from bothways.spoke.directory import open_spoke
from bothways.spoke.install import install_certificate

_RUNS = 4
_SECONDS_MOST = 5.0


def check() -> Iterator[Figure]:
    """Measure seconds of the command, from the start of the process to its end."""
    with hub_with_server() as (hub, port, chain):
        spoke = open_spoke(hub.directory.parent / "spoke")
        register(hub, port, chain)
        request = make_request(spoke, KeyType.ECDSA, Subject("FR", "IDF", "Paris", "Bank", "Payments"))
        record = approve_request(hub, submit_request(hub, spoke.tsp_id, request.der).id)
        install_certificate(spoke, certificate_chain(hub, record).encode())
        command = [sys.executable, "-m", "bothways", "spoke", "check", "--json", "--directory", str(spoke.directory)]
        seconds = []
        for run in range(_RUNS):
            if run:
                # Sooner, the hub would show its last probe and make none.
                time.sleep(APART.total_seconds())
            started = time.perf_counter()
            told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
            seconds.append(time.perf_counter() - started)
            if told["findings"]:
                raise RuntimeError(f"not everything is right: {told['findings']}")
        steps = len(told["checks"])
    what = f"`bothways spoke check`, {steps} checks on both ways and a probe by the hub, wall clock"
    goal = f"under {_SECONDS_MOST:g} s"
    yield figure("check", seconds, "s", goal, what, met=lambda value: value < _SECONDS_MOST)
