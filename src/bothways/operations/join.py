"""A further control plane on the database of a hub: made of settings, terms and passphrase, and of nothing else."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bothways import files
from bothways.errors import Conflict, Refused
from bothways.operations.agreement import prove_passphrase, require_agreed
from bothways.operations.audit import verify_audit
from bothways.operations.audit_head import sign_head
from bothways.operations.directory import CONTRACT_FILE, passphrase, read_terms
from bothways.operations.hub import Hub, open_hub
from bothways.operations.new_directory import new_directory
from bothways.operations.own_keys import require_signers
from bothways.operations.settings import FILE, Settings, read_settings, render_settings

_NAMED = ("used_elsewhere", "smtp_password_file", "smtp_ca_file", "oidc_secret_file", "oidc_ca_file", "trace_ca_file")


@dataclass(frozen=True, slots=True)
class Joined:
    """Which hub it is a control plane of, and the files that its settings name and that are not there yet."""

    environment: str
    endpoint: str
    missing: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return it as the JSON object that the command line shows."""
        return {"environment": self.environment, "endpoint": self.endpoint, "missing": list(self.missing)}


def join_hub(source: Path, directory: Path, actor: str, passphrase_file: Path | None = None) -> Joined:
    """Make a control plane in `directory`, which appears whole or not at all, by `hub.toml` and `contract.toml`.

    Those are in `source`; the passphrase is in `passphrase_file`, or where the settings say. It has to open the keys in
    the database, and the terms have to be those that the others have. Raises `Conflict` if the database is a file, or
    something is in the directory; `Unusable`, `Refused` if one of these does not hold.
    """
    settings, terms = read_settings(source), read_terms(source)
    if not settings.database:
        raise Conflict(
            f"{source / FILE} names no PostgreSQL database, and a hub whose database is a file has one control plane. "
            "Move it first: bothways hub migrate-store"
        )
    if passphrase_file:
        settings = replace(settings, passphrase_file=str(passphrase_file.absolute()))
    # It is missed at once, and by the name that it has for a person.
    passphrase(source, settings)
    with new_directory(directory) as draft:
        files.write_new(draft / CONTRACT_FILE, files.read(source / CONTRACT_FILE, "the hub's terms"))
        files.make_directory(draft / "run")
        missing = _carried(source, draft, settings)
        files.write_new(draft / FILE, render_settings(settings).encode())
        with open_hub(draft, actor, taking_terms=True) as hub:
            require_agreed(hub.database, terms, str(source / CONTRACT_FILE))
            prove_passphrase(hub, source / settings.passphrase_file)
            _require_sound(hub)
            with hub.write() as transaction:
                transaction.audit("hub.join", terms.hub, directory=str(directory.absolute()))
            # From here on it is a witness of its own.
            sign_head(hub, anew=True)
    return Joined(terms.environment.value, terms.endpoint, missing)


def _require_sound(hub: Hub) -> None:
    require_signers(hub)
    # Nobody is a witness of what is broken already; that it was none before is no fault.
    found = tuple(each for each in verify_audit(hub).findings if each.id != "AUDIT-04")
    if found:
        raise Refused(found)


def _carried(source: Path, draft: Path, settings: Settings) -> tuple[str, ...]:
    """Copy the files that the settings name in the hub's directory, and return which are not in the source."""
    named = [settings.passphrase_file, *(getattr(settings, each) for each in _NAMED)]
    inside = [each for each in named if each and not Path(each).is_absolute()]
    missing = []
    for each in dict.fromkeys(inside):
        if (source / each).exists():
            files.make_directory((draft / each).parent)
            files.write_new(draft / each, files.read(source / each, each), files.PRIVATE)
        else:
            missing.append(each)
    return tuple(missing)
