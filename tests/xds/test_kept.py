"""What all nodes may have in common is kept without keys and customers, and comes back as it was."""

import json
from dataclasses import fields, replace

from bothways.xds.kept import digest_of, in_common, restored
from bothways.xds.state import Anchors, HubState, KeyPair, ServiceRoute


def kept(state: HubState) -> dict[str, object]:
    """Return it as it is read from the database."""
    read: dict[str, object] = json.loads(json.dumps(in_common(state)))
    return read


def test_it_comes_back_as_it_was_with_all_that_is_known_of_a_service(state: HubState, anchors: Anchors) -> None:
    odd = ServiceRoute("odd", "/odd", "host", 1, (), anchors, True, 7, 8, "/health", True, True)
    default = ServiceRoute("odd", "/odd", "host", 1, ())
    assert all(getattr(odd, each.name) != getattr(default, each.name) for each in fields(odd)[5:])
    before = replace(state, services=(*state.services, odd), shut="let in", closures=3)
    pairs = {each.fingerprint: each for each in (state.server, state.client)}
    found = restored(kept(before), replace(state, trust=anchors, services=()), pairs)
    assert [each for each in found.services if each.name == "odd"] == [odd]
    assert (found.trust.pem, found.shut, found.closures) == (state.trust.pem, "let in", 3)
    assert (found.customers, found.identities) == ((), ())
    assert digest_of(found) == digest_of(before)
    assert in_common(before) == kept(before)


def test_no_key_and_no_customer_is_in_it(state: HubState) -> None:
    told = json.dumps(in_common(state))
    assert "PRIVATE KEY" not in told
    assert not [each.uri_id for each in state.identities if each.uri_id in told]


def test_a_pair_that_is_gone_is_as_it_is_wanted(state: HubState) -> None:
    found = restored(kept(state) | {"server": "gone"}, state, {})
    assert (found.server, found.client) == (state.server, state.client)


def test_what_another_release_knew_of_services_is_passed_over(state: HubState) -> None:
    document = in_common(state)
    later = document | {"services": [each | {"colour": "red"} for each in document["services"]]}
    assert restored(later, state, {}).services == restored(document, state, {}).services


def test_the_digest_is_of_what_is_common_and_of_whether_it_is_shut(state: HubState, make_pair: object) -> None:
    del make_pair
    assert digest_of(replace(state, identities=(), customers=())) == digest_of(state)
    assert digest_of(replace(state, services=())) != digest_of(state)
    assert digest_of(replace(state, server=_other(state.server))) != digest_of(state)
    shut = [replace(state, shut=why, closures=number) for number, why in enumerate(("", "one", "other"))]
    assert digest_of(shut[0]) != digest_of(shut[1]) == digest_of(shut[2])


def _other(pair: KeyPair) -> KeyPair:
    return replace(pair, fingerprint="other")
