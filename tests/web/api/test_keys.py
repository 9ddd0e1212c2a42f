from datetime import timedelta

import pytest
from tests.web.api.conftest import Api

from bothways.web.api import keys

PINS = ["0" * 64, "1" * 64]


def test_keys_are_banned_and_listed(api: Api) -> None:
    done = api("POST", "/keys/banned", {"key": "\n".join(PINS), "reason": "it was lost"}, 201)
    assert (done["banned"], done["new"], done["revoked"]) == (PINS, PINS, [])
    page = api("GET", "/keys/banned?limit=1")
    rest = api("GET", f"/keys/banned?after={page['next']}")
    assert [each["spki_pin"] for each in (*page["items"], *rest["items"])] == PINS
    assert rest["next"] is None
    assert api("GET", f"/keys/banned?after={'2' * 64}")["items"] == []
    known = api("GET", "/keys/known")["items"]
    assert (known, set(PINS) <= set(known)) == (sorted(known), True)
    page = api("GET", "/keys/known?limit=1")
    rest = api("GET", f"/keys/known?after={page['next']}")
    assert ([*page["items"], *rest["items"]], rest["next"]) == (known, None)
    assert api("POST", "/keys/banned", {"key": "x", "reason": "y"}, 422)["errors"][0]["id"] == "KEY-01"


def test_what_the_other_environment_has_to_refuse_is_listed_as_of_the_first_page(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = "f" * 64
    first = api("GET", "/keys/known?limit=1")
    api("POST", "/keys/banned", {"key": last, "reason": "it was lost"}, 201)
    rest = f"/keys/known?after={first['next']}"
    assert last not in api("GET", rest)["items"]
    monkeypatch.setattr(keys, "_KEPT", timedelta(0))
    # Whoever comes back late with what is kept, at another control plane perhaps, is given what there is now.
    assert api("GET", rest)["items"][-1] == last
    monkeypatch.undo()
    assert api("GET", "/keys/known")["items"][-1] == last
