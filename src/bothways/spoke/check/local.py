"""What stands on this machine: the files of the spoke and their modes, the pair, its name, purpose, dates and chain."""

import stat
from collections.abc import Iterator
from datetime import datetime

from cryptography.x509.oid import NameOID

from bothways import files
from bothways.errors import BothwaysError
from bothways.findings import Finding, Level
from bothways.pki.encoding import CHAIN_LIMIT
from bothways.pki.keys import key_type
from bothways.spoke.certificate import read_certificates
from bothways.spoke.check.report import Area, Step
from bothways.spoke.directory import Spoke, stands
from bothways.spoke.status import SpokeStatus, spoke_status

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def local_steps(spoke: Spoke, now: datetime) -> Iterator[Step]:
    """Yield what is seen of the spoke's own files; nothing is changed, and nobody is called."""
    yield Step(Area.LOCAL, "contract", _contract(spoke))
    yield Step(Area.LOCAL, "directory", str(spoke.directory), tuple(_directory_findings(spoke)))
    status = spoke_status(spoke, now)
    own: list[Finding] = []
    server: list[Finding] = []
    for each in status.findings:
        of_server = status.server is not None and each in status.server.findings
        (server if of_server else own).append(each)
    yield Step(Area.LOCAL, "key and certificate", _pair(status), (*own, *_missing(status), *_name_findings(spoke)))
    if status.server or server:
        said = f"{status.server.subject}, until {status.server.not_after:%Y-%m-%d}" if status.server else "not readable"
        yield Step(Area.LOCAL, "server certificate", said, tuple(server))


def _contract(spoke: Spoke) -> str:
    terms = spoke.contract.terms
    return f"{spoke.tsp_id} in {terms.environment.value}, {terms.endpoint}"


def _directory_findings(spoke: Spoke) -> Iterator[Finding]:
    for path in (spoke.directory, spoke.contract_file):
        if not stands(path):
            continue
        mode = path.stat().st_mode
        if mode & _OTHERS_WRITE:
            message = f"{path} has mode {stat.S_IMODE(mode):04o}: others can put another key or contract in its place"
            yield Finding("CHECK-FILE-01", message, f"Run: chmod go-w {path}.", "R1", str(path), Level.WARNING)


def _pair(status: SpokeStatus) -> str:
    if status.certificate is None:
        return f"{status.key or 'no key'}, no certificate that can be used"
    until = f"{status.certificate.not_after:%Y-%m-%d}, {status.certificate.days_left} days left"
    return f"{status.key or 'no key that can be used'}, {status.certificate.subject}, until {until}"


def _missing(status: SpokeStatus) -> Iterator[Finding]:
    if status.broken and not status.findings:
        where = str(status.spoke.directory)
        if status.request:
            yield Finding("SPOKE-WAITING", f"{status.request} waits for its certificate", status.step, "R9", where)
        else:
            yield Finding("SPOKE-MISSING", "there is no certificate, and no request for one", status.step, "R9", where)


def _name_findings(spoke: Spoke) -> Iterator[Finding]:
    """Yield what is wrong with the common name (R8). The hub looks at it when it signs, and at nothing of it later."""
    path, terms = spoke.certificate_file, spoke.contract.terms
    try:
        certificate = read_certificates(files.read(path, "the certificate", CHAIN_LIMIT), str(path))[0]
    except BothwaysError:
        # Said already, by the status.
        return
    kind = key_type(certificate.public_key())
    names = [str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if kind is None:
        return
    wanted = terms.request.expected_common_name(kind, spoke.tsp_id, terms.environment)
    if names != [wanted]:
        message = f"the common name is {' and '.join(names) or 'missing'}, wanted {wanted}"
        hint = "Install the certificate of this customer and environment, or make a new request."
        yield Finding("CHECK-CN-01", message, hint, "R8", str(path))
