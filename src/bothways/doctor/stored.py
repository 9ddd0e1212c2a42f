"""What is stored: settings that are dangerous, the database, the audit, the keys of the CAs, and what ends soon."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from bothways.contract.document import Environment
from bothways.doctor.report import EXPIRING, Area
from bothways.errors import BothwaysError
from bothways.findings import Finding, Level, Step
from bothways.operations.audit import verify_audit
from bothways.operations.expiry import THRESHOLDS, Ending, expiring
from bothways.operations.hub import Hub
from bothways.operations.key_files import KEYS, key_files
from bothways.operations.own_keys import require_signers
from bothways.operations.revocation import list_states
from bothways.operations.settings import FILE, TwoPeople
from bothways.store import sealed_keys
from bothways.store.copies import unsound

_DANGER = "danger_"


def stored_steps(hub: Hub) -> Iterator[Step]:
    """Yield what is seen of what the hub keeps."""
    yield _settings(hub)
    yield _database(hub)
    yield _audit(hub)
    yield _keys(hub)
    yield _stored_keys(hub)
    yield _lists(hub)
    yield _ends(expiring(hub))


def _settings(hub: Hub) -> Step:
    settings, production = hub.settings, hub.environment is Environment.PRD
    knobs = [each.name for each in fields(settings) if each.name.startswith(_DANGER) and getattr(settings, each.name)]
    if production and settings.two_people is TwoPeople.DANGER_NEVER:
        knobs.append(f"two_people = {settings.two_people.value}")
    level = Level.ERROR if production else Level.WARNING
    found = [
        Finding(
            "DOCTOR-DANGER-01",
            f"{each} is set in {hub.environment.value}",
            f"Take it out of {FILE}, and start the hub again; docs/defaults.md says what it lets happen.",
            "R5",
            FILE,
            level,
        )
        for each in knobs
    ]
    if production and not Path(settings.passphrase_file).is_absolute():
        message = f"the passphrase lies beside the database, in {settings.passphrase_file}: one copy has keys and all"
        hint = "Keep it elsewhere, on another disk or as a credential of the unit, and name that file in hub.toml."
        found.append(Finding("DOCTOR-SECRET-01", message, hint, "R5", settings.passphrase_file, Level.WARNING))
    return Step(Area.STORED, "settings", f"{hub.environment.value}, {hub.terms.endpoint}", tuple(found))


def _database(hub: Hub) -> Step:
    place = hub.database.place
    # The server of PostgreSQL looks after its own pages; what it would not open, it has said already.
    wrong = unsound(place) if isinstance(place, Path) else ""
    said = place.name if isinstance(place, Path) else "PostgreSQL"
    if not wrong:
        return Step(Area.STORED, "database", f"{said}, sound")
    hint = "Stop the hub, and restore the last backup into a new directory: docs/disaster.md."
    found = Finding("DOCTOR-DATABASE-01", f"the database is damaged: {wrong}", hint, "R5", said)
    return Step(Area.STORED, "database", f"{said}, damaged", (found,))


def _audit(hub: Hub) -> Step:
    state = verify_audit(hub)
    return Step(Area.STORED, "audit", f"{state.lines} lines, {'broken' if state.findings else 'whole'}", state.findings)


def _keys(hub: Hub) -> Step:
    try:
        require_signers(hub)
    except BothwaysError as error:
        hint = "Mend what it says; until then nothing that this CA signs can be issued, revoked or renewed."
        found = Finding("DOCTOR-KEY-01", f"the key of a CA cannot be used: {error}", hint, "R5")
        return Step(Area.STORED, "keys of the CAs", "not all can sign", (found,))
    return Step(Area.STORED, "keys of the CAs", "all open, and fit their certificates")


def _stored_keys(hub: Hub) -> Step:
    with hub.read() as connection:
        missing, stored = sealed_keys.missing(connection), len(sealed_keys.every(connection))
    found = []
    if missing:
        message = f"{len(missing)} keys that the database names are not in it, like {missing[0]}"
        hint = "If they are in files beside it: bothways hub migrate. Else restore them: docs/disaster.md."
        found.append(Finding("DOCTOR-KEY-02", message, hint, "R5"))
    if beside := key_files(hub.directory):
        message = f"{len(beside)} files of keys are in {hub.directory / KEYS}, where none belongs any more"
        hint = "Take them in: bothways hub migrate. It removes what the database has, and names what it has not."
        found.append(Finding("DOCTOR-KEY-03", message, hint, "R5", KEYS, Level.WARNING))
    return Step(Area.STORED, "keys", f"{stored} in the database, sealed", tuple(found))


def _lists(hub: Hub) -> Step:
    now = hub.now().isoformat()
    lists = list_states(hub)
    found = [
        Finding(
            "DOCTOR-CRL-01",
            f"the revocation list of issuing CA {each['authority']} ended on {each['next_update'][:16]}",
            "Start the hub, which publishes the next one; if it runs, look at its problems: bothways hub status.",
            "RFC 5280 section 5.1.2.5",
        )
        for each in lists
        if each["next_update"] and each["next_update"] <= now
    ]
    return Step(Area.STORED, "revocation lists", f"{len(lists)} issuing CAs", tuple(found))


def _ends(endings: tuple[Ending, ...]) -> Step:
    own = [each for each in endings if each.tsp_id is None]
    found = [
        Finding(
            EXPIRING,
            f"{each.kind} {each.subject} ends on {each.ends_at:%Y-%m-%d}",
            each.text,
            "R5",
            level=Level.WARNING,
        )
        for each in own
    ]
    said = f"within {max(THRESHOLDS)} days: {len(own)} of the hub's own, {len(endings) - len(own)} of customers"
    return Step(Area.STORED, "what ends", said, tuple(found))
