import base64

from tests.web.api.conftest import OTHER, Api

from bothways.bundle.seal import Kind, open_bundle
from bothways.registry.access import Role


def test_a_bundle_is_made_for_one_customer(api: Api, issuer: str) -> None:
    made = api("POST", f"/customers/{issuer}/bundle", None, 201)
    opened = open_bundle(base64.b64decode(made["bundle"]), Kind.HUB, "bundle")
    assert (opened.about.customer, opened.fingerprint, opened.spki_pin) == (issuer, made["fingerprint"], made["signer"])
    assert sorted(opened.members) == sorted(made["members"])
    api("POST", f"/customers/{OTHER}/bundle", None, 404)


def test_what_is_no_answer_of_a_customer_is_refused_with_findings(api: Api, issuer: str) -> None:
    for sent in ("no base64!", base64.b64encode(b"no zip").decode()):
        assert [each["id"] for each in api("POST", "/bundles", {"bundle": sent}, 422)["errors"]] == ["BUNDLE-01"]
    ours = api("POST", f"/customers/{issuer}/bundle", None, 201)["bundle"]
    assert api("POST", "/bundles", {"bundle": ours}, 422)["errors"]


def test_a_reviewer_exchanges_nothing(api: Api, issuer: str) -> None:
    api("POST", f"/customers/{issuer}/bundle", None, 403, role=Role.REVIEWER)
    api("POST", "/bundles", {"bundle": "x"}, 403, role=Role.REVIEWER)
