"""The OpenSSL commands of R9, ready to paste for one customer, environment and key type. Text only; nothing is run."""

import shlex
from enum import StrEnum

from bothways.contract.document import KeyType, Terms
from bothways.contract.subject import Subject, common_name_findings, subject_findings
from bothways.errors import Refused

_KEY = {
    KeyType.ECDSA: "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out tls.key",
    KeyType.RSA: "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096 -out tls.key",
}
_REQUEST = "openssl req -new -sha256 -config tls.cnf -key tls.key -out tls.csr"
_SHOW = "openssl req -in tls.csr -noout -verify -subject"
_EXISTS = "tls.key exists already. Go to an empty directory: each environment has a key of its own."
_END = "END_OF_CONFIGURATION"


class Shell(StrEnum):
    """Where the commands are pasted. The value is what `--shell` takes."""

    BASH = "bash"
    """Any POSIX shell, Git Bash on Windows too."""

    POWERSHELL = "powershell"
    """Windows PowerShell 5.1, and PowerShell 7 on any system."""

    CONFIGURATION = "configuration"
    """None: the configuration file itself, with the commands in its first lines; for cmd.exe, and to look at."""


def openssl_recipe(
    terms: Terms, tsp_id: str, key: KeyType, subject: Subject, shell: Shell = Shell.BASH, place: str | None = None
) -> str:
    """Return commands that write `tls.key` (for its owner alone), `tls.cnf` and `tls.csr`, and no key over another.

    They write into the directory `place`, which they make, or else where they are run.

    The subject goes through a configuration file: `-subj` would need the slashes of the common name escaped, and
    Git Bash takes it for a path. Both shells get it as a here-document, in which nothing means anything to them.
    Raises `Refused` if the subject breaks R9 or the common name cannot stand in a certificate.
    """
    if mistakes := subject_findings(subject) + common_name_findings(terms, key, tsp_id):
        raise Refused(mistakes)
    title = f"# Client key and request of customer {tsp_id} for {terms.environment.value} at {terms.hub}"
    configuration = _configuration(subject, terms.request.expected_common_name(key, tsp_id, terms.environment))
    lines = {Shell.BASH: _bash, Shell.POWERSHELL: _powershell, Shell.CONFIGURATION: _file}[shell](
        key, configuration, place
    )
    return "\n".join([title, *lines, ""])


def server_recipe(organization: str) -> str:
    """Return commands that make a CA (`my-ca.key`, `server-chain.pem`) and a server's certificate under it.

    They are for SERVER-NAME, which stands for the host name, and write `server.key` and `server.crt`; keys for their
    owner alone, and none over another.
    """
    curve = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    name = "".join(f"\\{each}" if each in "/+\\" else each for each in organization)
    subject = shlex.quote(f"/O={name}/CN=Server CA")
    return "\n".join(
        [
            "(",
            "set -eu",
            "umask 077",
            "if [ -e my-ca.key ]; then echo 'my-ca.key exists already; this would be another CA.' >&2; exit 1; fi",
            f"openssl req -x509 -utf8 {curve} \\",
            "    -keyout my-ca.key -out server-chain.pem -days 3650 \\",
            f"    -subj {subject} \\",
            "    -addext keyUsage=critical,keyCertSign,cRLSign",
            f"openssl req {curve} \\",
            "    -keyout server.key -out server.csr \\",
            "    -subj /CN=SERVER-NAME -addext subjectAltName=DNS:SERVER-NAME",
            "openssl x509 -req -in server.csr -CA server-chain.pem -CAkey my-ca.key -CAcreateserial \\",
            "    -copy_extensions copy -days 365 -out server.crt",
            ")",
            "",
        ]
    )


def _bash(key: KeyType, configuration: list[str], place: str | None) -> list[str]:
    # In a shell of its own, so that neither a failure nor the umask stays.
    return [
        "(",
        "set -eu",
        "umask 077",
        *([f"mkdir -p {shlex.quote(place)}", f"cd {shlex.quote(place)}"] if place else []),
        f"if [ -e tls.key ]; then echo '{_EXISTS}' >&2; exit 1; fi",
        f"cat > tls.cnf << '{_END}'",
        *configuration,
        _END,
        _KEY[key],
        _REQUEST,
        _SHOW,
        ")",
    ]


def _powershell(key: KeyType, configuration: list[str], place: str | None) -> list[str]:
    # Set-Content would write a byte order mark in 5.1; openssl does not stop PowerShell when it fails.
    check = "if ($LASTEXITCODE) { throw 'openssl failed; its message stands above.' }"
    quoted = "'" + (place or "").replace("'", "''") + "'"
    saved = "# Paste this; a file that holds it must be saved as UTF-8 with byte order mark."
    return [
        *([] if all(line.isascii() for line in configuration) else [saved]),
        "& {",
        "$ErrorActionPreference = 'Stop'",
        *([f"New-Item -ItemType Directory -Force {quoted} | Out-Null", f"Set-Location {quoted}"] if place else []),
        f"if (Test-Path tls.key) {{ throw '{_EXISTS}' }}",
        "$configuration = @'",
        *configuration,
        "'@",
        "[IO.File]::WriteAllText((Join-Path (Get-Location).ProviderPath 'tls.cnf'), $configuration)",
        "New-Item -ItemType File tls.key | Out-Null",
        "if ($env:OS -ne 'Windows_NT') { chmod 600 tls.key }",
        'else { icacls tls.key /inheritance:r /grant:r "${env:USERNAME}:F" | Out-Null }',
        _KEY[key],
        check,
        _REQUEST,
        check,
        _SHOW,
        "}",
    ]


def _file(key: KeyType, configuration: list[str], place: str | None) -> list[str]:
    return [
        f"# Save this as tls.cnf, in UTF-8, {f'in {place}, ' if place else ''}and run beside it:",
        f"#   {_KEY[key]}",
        f"#   {_REQUEST}",
        *configuration,
    ]


def _configuration(subject: Subject, common_name: str) -> list[str]:
    return [
        "[req]",
        "prompt = no",
        "utf8 = yes",
        "string_mask = utf8only",
        "distinguished_name = subject",
        "[subject]",
        *(f"{name} = {_value(value)}" for name, value in subject.attributes().items()),
        f"CN = {_value(common_name)}",
    ]


def _value(text: str) -> str:
    """Quote a value for an OpenSSL configuration file, where several characters mean something (config(5))."""
    return '"' + "".join(f"\\{character}" if character in '"\\$`#' else character for character in text) + '"'
