"""The instructions for one customer and environment as one page, to read, to print on A4, and to fill in by hand.

Without script, picture, font or address of elsewhere; its one style sheet is allowed by its hash, so a strict
Content-Security-Policy holds, which the page carries itself for who opens it as a file.
"""

import shlex
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from html import escape

from cryptography import x509

from bothways.bundle.seal import CURL, NGINX, OPENSSL, PLACE
from bothways.contract.document import Contract, Terms
from bothways.contract.recipe import openssl_recipe, server_recipe
from bothways.contract.subject import Subject
from bothways.pki.chain import fingerprint

_STYLE = """
:root{color-scheme:light dark;--ink:#16202a;--soft:#52606d;--line:#c9d2da;--ground:#fff;--box:#f3f6f8;--mark:#0b5c8a}
@media(prefers-color-scheme:dark){:root{--ink:#e6ebef;--soft:#a9b6c2;--line:#3b4854;--ground:#12181e;--box:#1c252d;
--mark:#7cc4ee}}
*{box-sizing:border-box}
body{font:1rem/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground);max-width:48rem;margin:2rem auto;
padding:0 1rem}
header{border-bottom:3px solid var(--mark);padding-bottom:.8rem}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 .3rem}
h2{font-size:1.15rem;margin:1.8rem 0 .4rem;break-after:avoid}
p,li,td,th{overflow-wrap:anywhere}
.badge{display:inline-block;border:2px solid var(--mark);color:var(--mark);font-weight:700;padding:.05rem .6rem;
border-radius:.3rem}
.soft{color:var(--soft)}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{border:1px solid var(--line);padding:.35rem .55rem;text-align:left;vertical-align:top}
th{background:var(--box);font-weight:600}
code,pre{font-family:ui-monospace,monospace;font-size:.86rem}
pre{background:var(--box);border:1px solid var(--line);border-radius:.3rem;padding:.7rem;white-space:pre-wrap;
overflow-wrap:anywhere}
ol>li{margin:.35rem 0}
.fields td{height:2.2rem}
.fields th{width:34%}
@media screen and (max-width:30rem){table,tbody,tr,th,td{display:block}.fields th{width:auto}}
@page{size:A4;margin:16mm 15mm}
@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#888;--ground:#fff;--box:#fff;--mark:#000}
body{font-size:10.5pt;max-width:none;margin:0;padding:0}pre,code{font-size:8.5pt}
tr,li{break-inside:avoid}.fields{break-inside:avoid}}
"""

CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'"
)
"""The policy that the page needs; whoever serves it sends this one, with frame-ancestors 'none'."""

_ANSWER = "bothways spoke bundle export answer.zip --chain CHAIN.pem --endpoint URL"
_OTHERS = (
    "The files <code>tls-*.sh</code> have each kind of key that is allowed, those in <code>.ps1</code> PowerShell."
)
_COMPARE = """openssl dgst -sha256 contract.toml
openssl x509 -in client-ca.crt -outform DER | openssl dgst -sha256
openssl x509 -in ca.crt -outform DER | openssl dgst -sha256"""
_REQUEST_PIN = "openssl req -in tls.csr -outform DER | openssl dgst -sha256"
_HERE = f'sed -i "s|{PLACE}|$PWD|g" {NGINX} {CURL} {OPENSSL}'
_FIRST_CALL = f"sh {CURL}"
_WORDS = {"PPR": "pre-production", "PRD": "production"}


@dataclass(frozen=True, slots=True)
class Recipient:
    """For whom the page is."""

    tsp_id: str
    organization: str


def instructions_page(contract: Contract, contract_pin: str, recipient: Recipient, made_at: datetime) -> str:
    """Return the page as HTML; `contract_pin` is the SHA-256 of the contract as it is handed out."""
    terms = contract.terms
    environment = terms.environment.value
    title = f"{terms.hub} {environment}: connectivity of {recipient.tsp_id}"
    return "".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            '<meta name="viewport" content="width=device-width,initial-scale=1">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(CONTENT_SECURITY_POLICY)}">\n',
            f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<header>\n",
            f'<p class="badge">{environment} · {_WORDS[environment]}</p>\n',
            f"<h1>Mutual TLS with {escape(terms.hub)}</h1>\n",
            f'<p class="soft">For {escape(recipient.organization)}, identifier (tspId) ',
            f"<strong>{escape(recipient.tsp_id)}</strong>. Made on {made_at:%Y-%m-%d %H:%M} UTC. ",
            "Nothing of this is valid in the other environment.</p>\n</header>\n<main>\n",
            *_steps(contract, contract_pin, recipient),
            "</main>\n</body>\n</html>\n",
        ]
    )


def _steps(contract: Contract, contract_pin: str, recipient: Recipient) -> Iterator[str]:
    terms = contract.terms
    yield "<h2>1. Compare by phone</h2>\n"
    yield (
        "<p>Call the hub's representative at a number that you have from elsewhere, not from the message that this "
        "came with, and have these values read to you. If one differs, stop.</p>\n"
    )
    yield _table(_pins(contract, contract_pin))
    yield f"<p>What you have, where you unpacked it:</p>\n{_pre(_COMPARE)}\n"
    yield "<h2>2. Make your key and request</h2>\n"
    yield (
        "<p>Once for this environment, on the machine that will use the key. The key never leaves it. "
        f"With Bothways:</p>\n{_pre(_commands(recipient, terms.environment.value))}\n"
    )
    subject = Subject("XX", "STATE", "LOCALITY", recipient.organization, "UNIT")
    for key in terms.request.keys[:1]:
        recipe = openssl_recipe(terms, recipient.tsp_id, key, subject)
        yield (
            f"<p>Or with OpenSSL alone, with a key of {key.wanted}. Put your own values in place of XX and "
            f"of the words in capital letters. {_OTHERS}</p>\n{_pre(recipe)}\n"
        )
    yield from _server(contract, recipient)
    yield from _answer()
    yield from _connected(terms)


def _server(contract: Contract, recipient: Recipient) -> Iterator[str]:
    terms = contract.terms
    ports = " or ".join(str(each) for each in terms.outbound.ports)
    yield "<h2>3. Make your server ready, and trust the hub</h2>\n<ol>\n"
    yield (
        f"<li>Your server, which the hub calls at port {ports} with TLS 1.2 or 1.3, asks for a client certificate and "
        "trusts <code>client-ca.crt</code>. Never pin the hub's certificate itself: it changes at any time.</li>\n"
    )
    yield (
        f"<li>Your client calls <code>{escape(terms.endpoint)}</code> and trusts <code>ca.crt</code>. It looks "
        "the name up again each time its DNS record has run out, and keeps no address.</li>\n"
    )
    yield (
        "<li>The server has a certificate for its public host name, of a CA of your choice: <code>server.crt</code>, "
        "with the intermediates behind it, and its key <code>server.key</code>. The root and the intermediates alone "
        "are <code>server-chain.pem</code>, for the hub.</li>\n</ol>\n"
    )
    recipe = server_recipe(recipient.organization)
    yield (
        "<p>If there is none yet, a CA of your own will do, for the hub trusts it for your server alone. "
        f"With your host name in place of SERVER-NAME:</p>\n{_pre(recipe)}\n"
    )


def _answer() -> Iterator[str]:
    yield "<h2>4. Send back</h2>\n"
    yield (
        "<p>Your request, the CA chain of your server (root and intermediates, no private key), and its address: "
        f"one file, signed with your new key.</p>\n{_pre(_ANSWER)}\n"
        "<p>Or the files <code>tls.csr</code> and <code>server-chain.pem</code> by themselves, with the table at the "
        f"end filled in. The SHA-256 of your request, which the hub's representative compares by phone:</p>\n"
        f"{_pre(_REQUEST_PIN)}\n"
    )


def _connected(terms: Terms) -> Iterator[str]:
    configuration = f"/etc/nginx/conf.d/bothways-{terms.environment.value}.conf"
    yield "<h2>5. When your certificate is there</h2>\n"
    yield (
        "<p>It comes as <code>tls.crt</code>, with these files once more: put all of them beside <code>tls.key</code>. "
        f"With Bothways: <code>bothways spoke bundle import FILE</code>. By hand, have {_files()} look for their files "
        f"where you are, and call the hub: that call establishes the inbound flow.</p>\n{_pre(_HERE)}\n"
        f"{_pre(_FIRST_CALL)}\n"
        f"<p>The answer names you, and says how both flows are. <code>{OPENSSL}</code> has the same call with OpenSSL "
        "alone, and a first server to look with.</p>\n"
    )
    yield (
        f"<p><code>{NGINX}</code> is both directions with nginx: your applications call the hub at "
        "<code>http://127.0.0.1:15002</code>, and the hub's calls go to your application at "
        "<code>http://127.0.0.1:8080</code>. Its <code>resolver</code> is that of systemd; where <code>cat "
        "/etc/resolv.conf</code> names another, put that there. Then:</p>\n"
        f"{_pre(_nginx(configuration))}\n"
    )
    yield "<h2>6. Both flows</h2>\n"
    yield (
        "<p>Tell the hub's representative that your server runs. They endorse its chain and have it called once; after "
        "that the same call, here by way of nginx, says <code>established</code> for both. If it does not, it says "
        f"what is missing.</p>\n{_pre('curl --fail-with-body --silent http://127.0.0.1:15002/connectivity')}\n"
        "<h2>To fill in</h2>\n"
    )
    yield _fields()


def _nginx(configuration: str) -> str:
    return f"cp {NGINX} {configuration}\nnginx -t\nnginx -s reload"


def _files() -> str:
    return f"<code>{NGINX}</code>, <code>{CURL}</code> and <code>{OPENSSL}</code>"


def _pins(contract: Contract, contract_pin: str) -> Iterator[tuple[str, str]]:
    yield "Contract (contract.toml), SHA-256", contract_pin
    if contract.trust.bundle_pin:
        yield "Key that signs these files (signer.pem), SPKI pin", contract.trust.bundle_pin
    for name, text in (
        ("Client CA, which your server trusts (client-ca.crt)", contract.trust.client_ca),
        ("CA of the hub's endpoint (ca.crt)", contract.trust.server_ca),
        ("CA that issues your certificate", contract.trust.issuing_ca),
    ):
        for each in x509.load_pem_x509_certificates(text.encode()):
            yield f"{name}, SHA-256", fingerprint(each)


def _commands(recipient: Recipient, environment: str) -> str:
    return (
        f"bothways spoke init --bundle hub-{recipient.tsp_id}-{environment}.zip --fingerprint SHA256\n"
        "bothways spoke csr --key ecdsa --country CC --state STATE --locality CITY \\\n"
        f"    --organization {shlex.quote(recipient.organization)} --unit UNIT"
    )


def _table(rows: Iterator[tuple[str, str]]) -> str:
    lines = (f"<tr><th>{escape(name)}</th><td><code>{_grouped(value)}</code></td></tr>\n" for name, value in rows)
    return f"<table>\n{''.join(lines)}</table>\n"


def _fields() -> str:
    names = (
        "Base URL of your server (https://...)",
        "SHA-256 of your request",
        "Compared by phone with, on",
        "Name, date, signature",
    )
    lines = (f"<tr><th>{escape(name)}</th><td></td></tr>\n" for name in names)
    return f'<table class="fields">\n{"".join(lines)}</table>\n'


def _grouped(digest: str) -> str:
    # In fours, as one reads them out.
    return " ".join(digest[place : place + 4] for place in range(0, len(digest), 4))


def _pre(text: str) -> str:
    return f"<pre>{escape(text.rstrip())}</pre>"
