"""What to say of programs that are absent: each by its name, with the Debian package that brings it."""

import shutil

PACKAGES = {
    "bash": "bash",
    "curl": "curl",
    "haproxy": "haproxy",
    "keytool": "default-jdk-headless",
    "nginx": "nginx-light",
    "openssl": "openssl",
    "pki": "strongswan-pki",
    "sh": "dash",
    "sed": "sed",
    "awk": "mawk",
    "unshare": "util-linux",
}
"""Debian packages by program; what `cat`, `cp` and the like are in is on every Debian."""


def absent(*programs: str) -> str:
    """Return which of these are not on PATH, and what brings each of them; empty if all are there."""
    names = [each for each in programs if shutil.which(each) is None]
    return ", ".join(f"{each} is not on PATH (Debian package {PACKAGES.get(each, 'coreutils')})" for each in names)
