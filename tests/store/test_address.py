import pytest
from hypothesis import given
from hypothesis import strategies as st

from bothways.store.address import require_address
from bothways.store.postgresql import url_of

PIECES = "postgresql mysql :// : / @ ? & # [::1] [ ] db.example hub = password %40 5432"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hub.db", "no URL"),
        ("", "no URL"),
        ("postgresql:/hub", "no URL"),
        ("postgresql://hub@db.example:five/hub", "no URL"),
        ("postgresql://hub@[db.example/hub", "no URL"),
        ("postgresql://hub@db.example/hub#1", "no URL"),
        ("mysql://hub@db.example/hub", "a URL of mysql"),
        ("postgresql://hub:secret@db.example/hub", "a URL with a password inside"),
        ("postgresql://hub:@db.example/hub", "a URL with a password inside"),
        ("postgresql://hub@db.example/hub?password=secret", "a URL with a password inside"),
        ("postgresql://hub@db.example/hub?sslmode=require&password=", "a URL with a password inside"),
    ],
)
def test_what_is_no_address_without_a_secret_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        require_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://hub@db.example:5432/hub?sslmode=verify-full&passfile=/etc/bothways/pgpass",
        "postgresql://hub@[2001:db8::1]:5432/hub",
        "postgresql:///hub?host=/run/postgresql",
        "postgresql://",
    ],
)
def test_an_address_without_a_secret_is_taken(text: str) -> None:
    require_address(text)
    assert url_of(text).drivername == "postgresql+psycopg"


@given(st.sampled_from(("", "postgresql://")), st.lists(st.sampled_from(PIECES.split()), max_size=8).map("".join))
def test_what_is_an_address_the_engine_takes_and_finds_no_password_in(scheme: str, rest: str) -> None:
    text = scheme + rest
    try:
        require_address(text)
    except ValueError:
        return
    url = url_of(text)
    assert (url.drivername, url.password, "password" in url.query) == ("postgresql+psycopg", None, False)
