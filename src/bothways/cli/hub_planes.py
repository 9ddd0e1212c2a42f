"""`bothways hub join`, `passphrase` and `terms`: what several control planes of one hub have in common."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways.cli.exit import FAILED, OK
from bothways.cli.opening import actor
from bothways.cli.output import HERE, Directory, Json, result, tell
from bothways.operations import agreement
from bothways.operations.audit_head import sign_head
from bothways.operations.hub import open_hub
from bothways.operations.join import join_hub
from bothways.operations.passphrase import change_passphrase
from bothways.operations.settings import FILE
from bothways.signer.secret import read_secret


def join(
    source: Annotated[Path, Parameter(help="A directory with hub.toml and contract.toml of a control plane.")],
    *,
    directory: Directory = HERE,
    passphrase_file: Annotated[
        Path | None, Parameter(help="The file with the passphrase of the keys, if it is not where hub.toml says.")
    ] = None,
    json: Json = False,
) -> int:
    """Make a further control plane of a hub whose database is in PostgreSQL, by its settings, terms and passphrase.

    It looks whether the passphrase opens the keys, and whether the terms are those of the others. Addresses that are
    others on this machine are to be changed in hub.toml, before or after. See docs/control-planes.md.
    """
    joined = join_hub(source, directory, actor(), passphrase_file)
    text = f"{directory} is a control plane of the hub for {joined.environment}: {joined.endpoint}"
    result(joined.document() | {"directory": str(directory)}, text, as_json=json)
    for each in joined.missing:
        tell(f"{FILE} names the file {each}, which is not in {source}: put it into {directory}.")
    tell(f"Look at the addresses in {directory / FILE}, then: bothways hub run --directory {directory}")
    return OK


def passphrase(
    *,
    to: Annotated[Path, Parameter(help="The file with the new passphrase, mode 0600.")],
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Change the passphrase of the hub's private keys: all are sealed anew, in one transaction. The hub may run.

    A control plane reads its passphrase file again; one that does not have the new one within a minute ends.
    """
    with open_hub(directory, actor()) as hub:
        done = change_passphrase(hub, read_secret(to, "the new passphrase"))
        sign_head(hub)
        sealed = f"{done.keys} keys and {done.secrets} secrets of codes"
        text = f"{sealed} are sealed with the new passphrase, version {done.version}."
        result(done.document(), text, as_json=json)
        if done.file:
            tell(f"{done.file} has it. {to} is yours to keep elsewhere, or to remove.")
        else:
            tell(f"Put it into {hub.settings.passphrase_file} within a minute, or the hub ends: this command did not.")
        if hub.settings.database:
            tell("Each other control plane needs it in its own file, within a minute too.")
        tell("Backups and dumps from before are opened by the passphrase from before: keep it as long as those.")
        return OK


def terms(
    *,
    take: Annotated[bool, Parameter(negative="", help="Make them the terms of all control planes.")] = False,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Show whether contract.toml in the directory has the terms of all control planes. Exits with 1 if it does not.

    With a file as database there is one control plane, and what it has counts.
    """
    with open_hub(directory, actor(), taking_terms=True) as hub:
        if take:
            before, found = agreement.take_terms(hub)
            sign_head(hub)
            result({"agreed": found, "found": found, "before": before}, f"All have to have: {found}", as_json=json)
            tell("Each control plane that runs with others ends. Copy contract.toml to all of them, and start them.")
            return OK
        with hub.read() as connection:
            agreed = agreement.agreed(connection)
        found = agreement.digest(hub.terms)
        result({"agreed": agreed, "found": found}, f"agreed  {agreed or 'on none yet'}\nfound   {found}", as_json=json)
        if found == agreed or not hub.settings.database:
            return OK
        tell("Copy contract.toml from a control plane that has those; or let all have these: bothways hub terms --take")
        return FAILED
