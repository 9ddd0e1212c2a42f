"""Presets: contracts with hubs that publish none for us, from public facts; what is unsure is asked, never guessed.

A preset is a contract with a table `preset` in it. Ours stand in `presets/`; a user's own is one more file.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from bothways import files
from bothways.contract.document import PUBLIC
from bothways.errors import Unusable
from bothways.spoke.fetch import CONTRACT_LIMIT

_OURS = Path(__file__).parent / "presets"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*", re.ASCII)
_SETTING = re.compile(r"(hub|request|certificate|outbound|tls|trust)\.[a-z_]+", re.ASCII)
_FORM = "A preset's unsure settings have three texts each: setting, suggestion, why (docs/contract.md)"


@dataclass(frozen=True, slots=True)
class Unsure:
    """A setting that the hub's representative has to confirm; `why` says what is known of it."""

    setting: str
    suggestion: str
    why: str


@dataclass(frozen=True, slots=True)
class Preset:
    """A contract that is complete once what is `unsure` was said; `source` is its file."""

    source: Path
    title: str
    unsure: tuple[Unsure, ...]
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Settled:
    """The contract in TOML, and what the user confirmed for it, each as `setting = value`."""

    contract: bytes
    confirmed: tuple[str, ...]


def own_presets() -> Path:
    """Return the directory of the user's own presets, as the XDG base directories have it."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".config") / "bothways" / "presets"


def find_preset(name_or_path: str) -> Preset | None:
    """Return the preset of this name, the user's own before ours, or in this file; None for a file that is none.

    Raises `Unusable` for a name that no preset has, with all that there are, and for a preset that cannot be read.
    """
    if "://" in name_or_path:
        return None
    path = Path(name_or_path)
    if not path.exists() and _NAME.fullmatch(name_or_path):
        path = next((each for each in _places(name_or_path) if each.is_file()), path)
        if not path.is_file():
            known = ", ".join(sorted({each.stem for place in (own_presets(), _OURS) for each in place.glob("*.toml")}))
            raise Unusable(f"{name_or_path} is neither a file nor a preset. Presets are: {known}.")
    try:
        document = tomllib.loads(files.read(path, "the contract", CONTRACT_LIMIT).decode("utf-8-sig"))
    except (ValueError, RecursionError):
        # What it is instead, the reader of contracts says.
        return None
    table = document.pop("preset", None)
    return None if table is None else _preset(path, table, document)


def settle(preset: Preset, said: Mapping[str, str]) -> Settled:
    """Return the contract with what was said of each unsure setting; a CA is said as a file, or as `public`.

    Raises `Unusable` if something was not said, with the options to say it, or if something else was.
    """
    known = {each.setting for each in preset.unsure}
    if strange := sorted(said.keys() - known):
        sure = ", ".join(sorted(known)) or "nothing"
        raise Unusable(f"{', '.join(strange)} is not among what {preset.title} leaves open, which is {sure}.")
    if missing := [each for each in preset.unsure if each.setting not in said]:
        lines = [f"{preset.title}: ask the hub's representative, and say what is true. Not known for sure:"]
        lines += [f"  {each.setting}: {each.why}" for each in missing]
        options = " ".join(f"--confirm '{each.setting}={each.suggestion}'" for each in missing)
        raise Unusable("\n".join([*lines, f"If it is so: {options}"]))
    document = deepcopy(dict(preset.document))
    for setting, value in said.items():
        table, _, key = setting.partition(".")
        document.setdefault(table, {})[key] = _authority(value) if table == "trust" else value
    confirmed = tuple(f"{each.setting} = {said[each.setting]}" for each in preset.unsure)
    return Settled(tomli_w.dumps(document, multiline_strings=True).encode(), confirmed)


def _places(name: str) -> tuple[Path, ...]:
    return tuple(each / f"{name}.toml" for each in (own_presets(), _OURS))


def _authority(value: str) -> str:
    if value == PUBLIC:
        return value
    return files.read(Path(value), "the CA", CONTRACT_LIMIT).decode(errors="replace")


def _preset(path: Path, table: Any, document: Mapping[str, Any]) -> Preset:
    listed = table.get("unsure", []) if isinstance(table, dict) else None
    if not isinstance(listed, list):
        raise Unusable(f"{path} is no preset that can be read. {_FORM}.")
    unsure = []
    for each in listed:
        if not isinstance(each, dict) or {*each} != {"setting", "suggestion", "why"}:
            raise Unusable(f"{path} has an unsure setting of another form: {each!r}. {_FORM}.")
        found = Unsure(*(str(each[name]) for name in ("setting", "suggestion", "why")))
        if not _SETTING.fullmatch(found.setting):
            raise Unusable(f"{path} is unsure of {found.setting!r}, which is no setting of a contract. {_FORM}.")
        unsure.append(found)
    return Preset(path, str(table.get("title", path.stem)), tuple(unsure), document)
