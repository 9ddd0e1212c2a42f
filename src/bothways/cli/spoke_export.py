"""`bothways spoke export`: key and certificate in the forms that other software takes."""

import getpass
import os
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways import files
from bothways.cli.exit import OK
from bothways.cli.output import HERE, Json, result, tell
from bothways.errors import Unusable
from bothways.spoke.directory import open_spoke
from bothways.spoke.export import keystore_recipe, kubernetes_secret, pkcs12_file

_PASSWORD = "BOTHWAYS_P12_PASSWORD"  # noqa: S105 - a variable's name


def export(
    *,
    p12: Annotated[
        Path | None, Parameter(help="Write key, certificate and its issuers to this file, as PKCS #12, mode 0600.")
    ] = None,
    legacy: Annotated[
        bool, Parameter(negative="", help="With --p12: 3DES and SHA-1, for Windows before 2019 and Java before 8u301.")
    ] = False,
    password_file: Annotated[
        Path | None,
        Parameter(help=f"With --p12: the file with the password, mode 0600. Otherwise {_PASSWORD}, or a prompt."),
    ] = None,
    replace: Annotated[bool, Parameter(negative="", help="With --p12: replace the file if it is there.")] = False,
    kubernetes: Annotated[
        str | None,
        Parameter(help="Print a Secret of this name, with the private key, for `kubectl apply -f -`."),
    ] = None,
    namespace: Annotated[str, Parameter(help="With --kubernetes: the namespace.")] = "",
    jks: Annotated[bool, Parameter(negative="", help="Print the commands that make Java keystores.")] = False,
    directory: Annotated[Path, Parameter(help="The spoke's directory, one for each environment.")] = HERE,
    json: Json = False,
) -> int:
    """Write or print key and certificate in another form: --p12 FILE, --kubernetes NAME, or --jks.

    What is exported is a copy: after a renewal, export again.
    """
    spoke = open_spoke(directory)
    if sum((p12 is not None, kubernetes is not None, jks)) != 1:
        raise Unusable("say one form: --p12 FILE, --kubernetes NAME, or --jks")
    if p12 is not None:
        content = pkcs12_file(spoke, _password(password_file), legacy=legacy)
        (files.replace if replace else files.write_new)(p12, content, files.PRIVATE)
        result({"file": str(p12), "legacy": legacy}, f"{p12} has key, certificate and its issuers", as_json=json)
        tell("After a renewal, export again: this is a copy.")
    elif kubernetes is not None:
        text = kubernetes_secret(spoke, kubernetes, namespace)
        result({"manifest": text}, text.rstrip("\n"), as_json=json)
        tell("The private key stands in it: hand it to kubectl, and keep it in no file and no repository.")
    else:
        text = keystore_recipe(spoke)
        result({"commands": text}, text.rstrip("\n"), as_json=json)
    return OK


def _password(file: Path | None) -> str:
    if file is not None:
        try:
            lines = files.read_private(file, "the password").decode().splitlines()
        except UnicodeDecodeError as error:
            raise Unusable(f"{file} is not UTF-8 text. Write the password into its first line") from error
        return lines[0] if lines else ""
    if (given := os.environ.get(_PASSWORD)) is not None:
        return given
    if not sys.stdin.isatty():
        raise Unusable(f"there is no terminal to ask for the password. Give --password-file FILE, or set {_PASSWORD}")
    password = getpass.getpass("Password of the new file: ")
    if getpass.getpass("Once more: ") != password:
        raise Unusable("the two passwords differ. Try again")
    return password
