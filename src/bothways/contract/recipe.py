"""The OpenSSL commands of R9, ready to paste for one customer, environment and key type. Text only; nothing is run."""

import shlex

from bothways.contract.document import KeyType, Terms
from bothways.contract.subject import Subject, attribute_mistakes, subject_findings
from bothways.errors import Refused
from bothways.findings import Finding

_KEY = {
    KeyType.ECDSA: "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out tls.key",
    KeyType.RSA: "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096 -out tls.key",
}


def openssl_recipe(terms: Terms, tsp_id: str, key: KeyType, subject: Subject) -> str:
    """Return commands for a POSIX shell that write `tls.key` (mode 0600), `tls.cnf` and `tls.csr`.

    The subject goes through a configuration file: `-subj` would need the slashes of the common name escaped, and
    Git Bash mangles it. The values are quoted for the shell and for OpenSSL. Raises `Refused` if the subject breaks R9
    or the common name cannot stand in a certificate.
    """
    common_name = terms.request.expected_common_name(key.marker, tsp_id, terms.environment)
    unfit = tuple(
        Finding("CSR-SUBJECT-02", mistake, "Check the tspId; the pattern is in the contract.", "R8")
        for mistake in attribute_mistakes("CN", common_name)
    )
    if mistakes := subject_findings(subject) + unfit:
        raise Refused(mistakes)
    configuration = "\n".join(
        [
            "[req]",
            "prompt = no",
            "utf8 = yes",
            "string_mask = utf8only",
            "distinguished_name = subject",
            "[subject]",
            *(f"{name} = {_value(value)}" for name, value in subject.attributes().items()),
            f"CN = {_value(common_name)}",
            "",
        ]
    )
    return "\n".join(
        [
            f"# Client key and request of customer {tsp_id} for {terms.environment.value} at {terms.hub}",
            "umask 077",
            _KEY[key],
            f"printf '%s' {shlex.quote(configuration)} > tls.cnf",
            "openssl req -new -sha256 -config tls.cnf -key tls.key -out tls.csr",
            "openssl req -in tls.csr -noout -verify -subject",
            "",
        ]
    )


def _value(text: str) -> str:
    """Quote a value for an OpenSSL configuration file, where several characters mean something (config(5))."""
    return '"' + "".join(f"\\{character}" if character in '"\\$`#' else character for character in text) + '"'
