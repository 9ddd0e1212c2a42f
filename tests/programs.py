"""What to say of programs that are absent: each by its name, with the Debian package that brings it.

A test that cannot be where something is absent is skipped with these words, and no others.
"""

import os
import shutil
from pathlib import Path

import pytest

PACKAGES = {
    "apache2": "apache2",
    "awk": "mawk",
    "bash": "bash",
    "buildah": "buildah",
    "chromium": "chromium",
    "curl": "curl",
    "etcd": "etcd-server",
    "go": "golang-go",
    "haproxy": "haproxy",
    "ip": "iproute2",
    "java": "default-jdk-headless",
    "javac": "default-jdk-headless",
    "keytool": "default-jdk-headless",
    "mmdebstrap": "mmdebstrap",
    "nginx": "nginx-light",
    "node": "nodejs",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "pgbouncer": "pgbouncer",
    "pki": "strongswan-pki",
    "promtool": "prometheus",
    "runc": "runc",
    "sed": "sed",
    "sh": "dash",
    "softhsm2-util": "softhsm2",
    "systemd-analyze": "systemd",
    "unshare": "util-linux",
    "update-ca-certificates": "ca-certificates",
}
"""Debian packages by program; what `cat`, `cp` and the like are in is on every Debian."""

ELSEWHERE = {
    "dotnet": ".NET 9, which `.ci/run` puts into /opt/dotnet-of-packages",
    "kube-apiserver": "the server binaries of a release of Kubernetes",
    "pwsh": "PowerShell 7",
}
"""What brings the programs that Debian does not have."""

SERVERS = {"apache2", "haproxy", "nginx", "pgbouncer"}
"""Programs that Debian puts where only root's PATH leads."""

SOFTHSM = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/*/softhsm/libsofthsm2.so")
_PROVIDERS = ("/usr/lib/*/ossl-modules/pkcs11.so", "/usr/lib64/ossl-modules/pkcs11.so")


def found(program: str) -> str | None:
    """Return the path of a program, or None if it is absent."""
    path = os.environ.get("PATH", "")
    return shutil.which(program, path=f"{path}:/usr/sbin" if program in SERVERS else path)


def absent(*programs: str) -> str:
    """Return which of these are not there, and what brings each of them; empty if all are there."""
    return ", ".join(f"{each} is not on PATH ({brought(each)})" for each in programs if found(each) is None)


def brought(program: str) -> str:
    """Return what brings a program."""
    if program in ELSEWHERE:
        return f"no Debian package: {ELSEWHERE[program]}"
    return f"Debian package {PACKAGES.get(program, 'coreutils')}"


def absent_files(what: str, package: str, *patterns: str) -> str:
    """Return that there is no file of these patterns, and what would bring `what`; empty if there is one."""
    there = any(any(Path("/").glob(each.removeprefix("/"))) for each in patterns)
    return "" if there else f"{what} is not at {' or '.join(patterns)} (Debian package {package})"


def absent_provider() -> str:
    """Return that OpenSSL has no provider for PKCS#11, and what would bring it; empty if it has."""
    return absent_files("pkcs11-provider", "pkcs11-provider, in Debian 12 of its backports", *_PROVIDERS)


def require(*programs: str) -> None:
    """Skip the test unless these are there."""
    skip_if(absent(*programs))


def skip_if(missing: str) -> None:
    """Skip the test for what is missing, if anything is."""
    if missing:
        pytest.skip(missing)


def needs(*programs: str) -> pytest.MarkDecorator:
    """Return the mark of tests that are skipped unless these are there."""
    return pytest.mark.skipif(bool(absent(*programs)), reason=absent(*programs))
