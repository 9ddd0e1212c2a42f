"""Staged changes in any order of changes, confirmations and refusals: no right outlives its end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bothways.contract.document import Environment
from bothways.xds.kept import digest_of, in_common, restored
from bothways.xds.staging import HeldBack, Staging, at_once
from bothways.xds.state import Address, Anchors, HubState, Identity, KeyPair, ServiceRoute


def certified(name: str) -> tuple[str, str]:
    """Return a self-signed certificate and its key, in PEM."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 7, now, now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.public_bytes(Encoding.PEM).decode(), pem.decode()


PAIRS = [KeyPair(*certified(name), name) for name in ("one", "two")]
CAS = [certified(f"CA {number}")[0] for number in range(3)]
PEOPLE = [Identity(f"urn:bothways:PPR:{number}:a", str(number)) for number in range(3)]
NAMES = ("cards", "tokens", "vault")
BAD = 70_000
PLACE = Address("127.0.0.1", 1)
START = HubState(Environment.PPR, "hub", 443, PLACE, PLACE, "probe", "page", PAIRS[0], PAIRS[0], Anchors(CAS[0]))

one_name, one_person = st.sampled_from(NAMES), st.sampled_from(PEOPLE)


def rights(state: HubState) -> set[tuple[object, ...]]:
    """Return who may do what, by this state."""
    if state.shut:
        return set()
    reach = {("reach", each.uri_id, service.name) for service in state.services for each in service.identities}
    enter = {("enter", each.uri_id) for each in state.identities}
    anchors = {("vouch", each) for each in CAS if each.strip() in state.trust.pem}
    return reach | enter | anchors


class Staged(RuleBasedStateMachine):
    """Every node is given `everyone`, and one of them `wanted` while it is tried; `given` and `held` are on record."""

    @initialize()
    def begin(self) -> None:
        self.staging, self.wanted, self.tried = Staging(), START, False
        self.given = in_common(START)
        self.held: HeldBack | None = None
        self.publish(START)

    @rule(name=one_name, person=one_person, given=st.booleans())
    def grant(self, name: str, person: Identity, given: bool) -> None:  # noqa: FBT001 - hypothesis passes it by name
        def changed(service: ServiceRoute) -> ServiceRoute:
            others = [each for each in service.identities if each != person]
            return replace(service, identities=(*others, *([person] if given else [])))

        self.publish(
            replace(
                self.wanted,
                services=tuple(changed(each) if each.name == name else each for each in self.wanted.services),
            )
        )

    @rule(person=one_person, there=st.booleans())
    def certify(self, person: Identity, there: bool) -> None:  # noqa: FBT001 - as above
        others = tuple(each for each in self.wanted.identities if each != person)
        self.publish(replace(self.wanted, identities=(*others, *([person] if there else []))))

    @rule(name=one_name, port=st.sampled_from([1, 2, BAD, None]))
    def put_service(self, name: str, port: int | None) -> None:
        before = {each.name: each for each in self.wanted.services}
        if port is None:
            before.pop(name, None)
        else:
            who = before[name].identities if name in before else tuple(PEOPLE)
            before[name] = ServiceRoute(name, f"/{name}", "127.0.0.1", port, who)
        self.publish(replace(self.wanted, services=tuple(before.values())))

    @rule(anchors=st.sets(st.sampled_from(CAS), min_size=1))
    def trust(self, anchors: set[str]) -> None:
        self.publish(replace(self.wanted, trust=Anchors("".join(sorted(anchors)))))

    @rule(server=st.sampled_from(PAIRS), client=st.sampled_from(PAIRS))
    def renew(self, server: KeyPair, client: KeyPair) -> None:
        self.publish(replace(self.wanted, server=server, client=client))

    @rule()
    def shut_or_open(self) -> None:
        if self.wanted.shut:
            self.publish(replace(self.wanted, shut=""))
        else:
            self.publish(replace(self.wanted, shut="let in", closures=self.wanted.closures + 1))

    @precondition(lambda self: self.tried)
    @rule(canary=st.booleans())
    def first_answers(self, canary: bool) -> None:  # noqa: FBT001 - as above
        self.tried = False
        if canary and all(each.port != BAD for each in self.wanted.services):
            self.staging.passed(self.wanted)
            self.everyone, self.given, self.held = self.wanted, in_common(self.wanted), None
        else:
            self.held = HeldBack("v", "first", "and refused it", digest_of(self.wanted))
            self.staging.refused(self.held)

    @rule()
    def restart(self) -> None:
        self.staging = Staging()
        self.publish(self.wanted)

    @invariant()
    def no_node_serves_what_was_taken_away(self) -> None:
        assert rights(self.everyone) <= rights(self.wanted)
        assert {each.name for each in self.everyone.services} <= {each.name for each in self.wanted.services}

    @invariant()
    def what_is_of_single_customers_is_everywhere(self) -> None:
        assert self.everyone.identities == self.wanted.identities
        wanted = {each.name: set(each.identities) for each in self.wanted.services}
        assert all(set(each.identities) == wanted[each.name] for each in self.everyone.services)

    @invariant()
    def nobody_is_given_what_was_refused_and_all_have_what_was_not(self) -> None:
        # A service that is bad reaches one node, and no other.
        assert all(each.port != BAD for each in self.everyone.services)
        if not self.tried and self.staging.held is None:
            assert self.everyone == self.wanted
        assert self.staging.good is self.everyone

    def publish(self, wanted: HubState) -> None:
        good = self.staging.good or restored(self.given, wanted, {each.fingerprint: each for each in PAIRS})
        self.wanted, self.everyone = wanted, at_once(good, wanted)
        self.tried = self.staging.first_to_one(self.wanted, self.everyone, self.held)
        self.given = in_common(self.everyone)
        if self.everyone is wanted:
            self.held = None

    def teardown(self) -> None:
        """With nothing bad in it, all end on what is stored."""
        self.publish(replace(self.wanted, services=(), trust=Anchors(CAS[0]), server=PAIRS[0]))
        self.publish(replace(self.wanted, server=PAIRS[1]))
        if self.tried:
            self.first_answers(canary=True)
        assert self.everyone == self.wanted
        assert self.staging.held is None


def test_no_right_outlives_its_end_and_nobody_but_one_is_given_what_is_refused() -> None:
    run_state_machine_as_test(Staged, settings=settings(max_examples=100, stateful_step_count=30, deadline=None))
