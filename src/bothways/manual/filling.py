"""What the pages call their example hub and its customer, and how those names become the ones of a real hub. Pure."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

ENDPOINT = "https://api.hub.example"
PORTAL = "https://portal.hub.example"
DOMAIN = "hub.example"
TSP_ID = "12345678"

_HTTPS = 443
# A name inside another one (`other.hub.example`, `my-hub.example`, `hub.example.org`) is none of ours.
_NAMED = re.compile(
    # What stands before: of a Host header, which wants a port that is not the usual one, as a URL does.
    rf"(?:(?<![\w.-])|(?<=\\n))(?:(?P<before>https://|Host:? \"?|host_rewrite_literal\": \")?"
    rf"(?P<host>(?:api|portal)\.{re.escape(DOMAIN)})(?:(?P<port>:|\",\s+(?:\"port_value\": |port: )?){_HTTPS})?"
    rf"|(?P<domain>{re.escape(DOMAIN)})|(?P<customer>{TSP_ID}))(?![\w-]|\.\w)"
)


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a reader knows their hub by; `tsp_id` is that of the customer who reads, if it is known."""

    endpoint: str = ENDPOINT
    portal: str = PORTAL
    domain: str = DOMAIN
    tsp_id: str = TSP_ID

    def fill(self, text: str) -> str:
        """Return a text with these names where the example's stand."""
        return _NAMED.sub(self._own, text)

    def _own(self, match: re.Match[str]) -> str:
        if match["customer"]:
            return self.tsp_id
        if match["domain"]:
            return self.domain
        url = self.endpoint if match["host"].startswith("api.") else self.portal
        place = urlsplit(url)
        if match["port"]:
            # Where the example writes a port, the program wants one.
            written = f"{place.hostname}{match['port']}{place.port or _HTTPS}"
        else:
            # A name by itself is looked up, or compared with a certificate: it has no port.
            written = place.netloc if match["before"] else place.hostname or ""
        return f"{match['before'] or ''}{written}"
