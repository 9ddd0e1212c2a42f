from bothways.web.api.own_things import OWN_THINGS
from bothways.web.api.things import SCHEMAS


def test_they_are_among_all_things_under_the_same_names() -> None:
    assert OWN_THINGS.items() <= SCHEMAS.items()
    assert {"Person", "Token", "AuditLine", "Status"} <= set(OWN_THINGS)
