"""The instructions for one customer and environment as one page, to read, to print on A4, and to fill in by hand.

The portal shows it, and each bundle brings it. It has no script, picture or font, and loads nothing from anywhere; its
one style sheet is allowed by its hash, so a strict Content-Security-Policy holds, which the page carries itself for who
opens it as a file. What is asked in it goes to the documentation of the hub.
"""

from base64 import b64encode
from hashlib import sha256

from cryptography import x509

from bothways.bundle import seal
from bothways.contract.document import Terms
from bothways.contract.recipe import openssl_recipe, server_recipe
from bothways.contract.render import render_contract
from bothways.contract.subject import Subject
from bothways.operations.customers import show_customer
from bothways.operations.hub import Hub, contract
from bothways.pki import keys
from bothways.pki.chain import fingerprint
from bothways.web.pages.recipes import configurations
from bothways.web.pages.view import rendered, static_text

_NAMES = {"nginx": seal.NGINX, "curl": seal.CURL, "openssl": seal.OPENSSL, "place": seal.PLACE}


def enclosed(hub: Hub, tsp_id: str) -> dict[str, bytes]:
    """Return the texts for people that go into a customer's bundle, by their names there. Raises `NotFound`."""
    return {seal.INSTRUCTIONS: instructions(hub, tsp_id).encode(), **configurations(hub, tsp_id)}


def policy(terms: Terms) -> str:
    """Return the policy that the page needs; whoever serves it sends this one, with frame-ancestors 'none'."""
    style = b64encode(sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action {terms.portal}"


def instructions(hub: Hub, tsp_id: str) -> str:
    """Return the page as HTML. Raises `NotFound`."""
    customer, published = show_customer(hub, tsp_id).customer, contract(hub)
    terms, trust = published.terms, published.trust
    key = terms.request.keys[0]
    subject = Subject("XX", "STATE", "LOCALITY", customer.organization, "UNIT")
    return rendered(
        "instructions.html",
        hub,
        customer=customer,
        recipe=openssl_recipe(terms, tsp_id, key, subject).rstrip(),
        server_recipe=server_recipe(customer.organization).rstrip(),
        names=_NAMES,
        key=key,
        trust=trust,
        contract_pin=keys.sha256(render_contract(published).encode()),
        client_cas=_fingerprints(trust.client_ca),
        server_cas=_fingerprints(trust.server_ca),
        issuing_cas=_fingerprints(trust.issuing_ca),
        policy=policy(terms),
        style=_style(),
    )


def _style() -> str:
    return static_text("instructions.css")


def _fingerprints(pem: str) -> list[str]:
    return [fingerprint(each) for each in x509.load_pem_x509_certificates(pem.encode())]
