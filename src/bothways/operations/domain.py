"""The domain of a hub: which names can be one."""

import re

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.ASCII)
_DOMAIN_LIMIT = 48
"""Characters: the names of the hub's CAs carry the domain, and a common name has 64 at most (RFC 5280 appendix A.1)."""


def require_domain(value: str) -> None:
    """Raise `ValueError` unless `value` can be a hub's domain."""
    if len(value) > _DOMAIN_LIMIT or not all(_LABEL.fullmatch(label) for label in value.split(".")):
        raise ValueError(
            f"{value!r} is no domain; at most {_DOMAIN_LIMIT} small letters, digits, - and dots are wanted, "
            "like hub.example."
        )
