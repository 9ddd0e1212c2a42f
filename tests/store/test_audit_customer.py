"""That lines are found by their customer, `test_audit_search.py` shows; here, that no action is forgotten."""

from bothways.store.audit_actions import ACTIONS
from bothways.store.audit_customer import NAMED_BY_SUBJECT

OF_THE_HUB = (
    "audit.",
    "authority.",
    "crl.",
    "hub.",
    "key.",
    "node.",
    "passphrase.",
    "service.add",
    "probe.certificates",
)
ROTATION_OF_THE_HUB = {f"rotate.{each}" for each in ("client", "control-plane", "next", "server")}


def test_each_action_names_its_customer_or_has_it_as_subject_or_is_of_the_hub_alone() -> None:
    named = {action for action, names in ACTIONS.items() if "customer" in names}
    rest = {action for action in ACTIONS if not action.startswith(OF_THE_HUB)} - ROTATION_OF_THE_HUB
    assert rest - named == NAMED_BY_SUBJECT
    assert not NAMED_BY_SUBJECT & named
