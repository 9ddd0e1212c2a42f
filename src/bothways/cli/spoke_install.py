"""`bothways spoke install`: the certificate that the hub issued, and CAs that its contract does not name."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways import files
from bothways.cli.exit import OK
from bothways.cli.output import HERE, Json, result, tell
from bothways.cli.spoke import Directory
from bothways.cli.spoke_confirm import is_the_hubs
from bothways.errors import Unusable
from bothways.pki.chain import fingerprint
from bothways.pki.encoding import CHAIN_LIMIT
from bothways.spoke.authorities import add_client_ca
from bothways.spoke.certificate import read_certificates
from bothways.spoke.directory import open_spoke
from bothways.spoke.install import install_certificate
from bothways.spoke.pair import previous


def install(
    certificate: Annotated[
        Path | None,
        Parameter(help="The file that the hub sent: PEM, with its issuers or without, in any order; or DER."),
    ] = None,
    *,
    key_file: Annotated[
        Path | None, Parameter(help="The private key in PEM, if it was made elsewhere; it is copied.")
    ] = None,
    ca: Annotated[
        Path | None,
        Parameter(help="The CA that issued it, if the hub's contract names none: it is trusted from now on."),
    ] = None,
    ca_fingerprint: Annotated[
        str | None, Parameter(help="As --ca, for a CA that is in the file: its SHA-256, as the hub read it out.")
    ] = None,
    client_ca: Annotated[
        Path | None,
        Parameter(help="The Client CA, if the contract names none: calls of the hub are known by it from now on."),
    ] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Check the certificate that the hub issued, and put it in use: tls.crt and tls.key.

    Key and certificate change in one step, and the pair before is kept in previous/. If anything is wrong, all of it is
    said, and nothing changes.
    """
    spoke = open_spoke(directory)
    if client_ca:
        trusted = read_certificates(files.read(client_ca, "the Client CA", CHAIN_LIMIT), str(client_ca))
        spoke = add_client_ca(spoke, trusted)
        for each in trusted:
            tell(f"Client CA: {each.subject.rfc4514_string()} (SHA-256 {fingerprint(each)}). Compare it by phone.")
    if certificate is None:
        if client_ca is None:
            raise Unusable("name the file with the certificate that the hub sent.")
        result({"client_ca": str(client_ca)}, f"{client_ca} is the hub's Client CA from now on", as_json=json)
        return OK
    data = files.read(certificate, "the certificate", CHAIN_LIMIT)
    authority = files.read(ca, "the CA", CHAIN_LIMIT) if ca else None
    installed = install_certificate(
        spoke, data, str(certificate), key_file, authority, lambda found: is_the_hubs(found, ca_fingerprint)
    )
    kept = previous(spoke)
    document = {
        "certificate": str(spoke.certificate_file),
        "uri_id": installed.uri_id,
        "fingerprint": installed.fingerprint,
        "not_after": installed.not_after.isoformat(),
        "chain": list(installed.chain),
        "changed": installed.changed,
        "previous": str(kept) if kept else None,
    }
    done = "is installed" if installed.changed else "was installed already"
    lines = [f"{spoke.certificate_file} {done}, valid until {installed.not_after:%Y-%m-%d}"]
    lines += [f"  {place}: {name}" for place, name in enumerate(installed.chain)]
    result(document, "\n".join(lines), as_json=json)
    if kept and installed.changed:
        tell(f"The pair before is kept in {kept}.")
    tell(f"Next: bothways spoke check --directory {directory}")
    return OK
