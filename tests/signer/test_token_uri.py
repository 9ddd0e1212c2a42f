"""RFC 7512, as far as a key of ours needs it."""

from pathlib import Path

import pytest

from bothways.errors import Unusable
from bothways.signer.token_uri import EXAMPLE, TokenUri, key_name, parse_token_uri

PATH = "pkcs11:token=hub;object=ca"
QUERY = "module-path=/lib/hsm.so&pin-source=file:/etc/pin"


def test_the_example_in_our_messages_can_be_used() -> None:
    assert parse_token_uri(EXAMPLE) == TokenUri(
        "ppr", "our-key", Path("/usr/lib/softhsm/libsofthsm2.so"), Path("/etc/token/pin")
    )


def test_values_are_percent_decoded_and_come_in_any_order() -> None:
    text = "pkcs11:object=issuing%20CA;serial=12;type=private;token=h%C3%BCb%3Bb?pin-source=/etc/pin&module-path=file:///l/h.so"
    assert parse_token_uri(text) == TokenUri("hüb;b", "issuing CA", Path("/l/h.so"), Path("/etc/pin"), "12")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no PKCS#11 URI"),
        ("file:/etc/key", "is no PKCS#11 URI"),
        ("pkcs11:", "has no token, object, module-path, pin-source"),
        (f"pkcs11:token=hub?{QUERY}", "has no object"),
        (f"pkcs11:token=;object=ca?{QUERY}", "has no token"),
        (f"{PATH}?module-path=/lib/hsm.so", "has no pin-source"),
        (f"{PATH};manufacturer=X?{QUERY}", "has manufacturer, which is not understood"),
        (f"{PATH};token=other?{QUERY}", "token stands twice"),
        (f"{PATH};serial?{QUERY}", "'serial' in the PKCS#11 URI has no value"),
        (f"{PATH};type=cert?{QUERY}", "names a cert; a private key is wanted"),
        (f"pkcs11:token=a%0Ab;object=ca?{QUERY}", "token in the PKCS#11 URI holds characters that cannot be printed"),
        (f"pkcs11:token=%ff;object=ca?{QUERY}", "token in the PKCS#11 URI is no UTF-8"),
        (f"pkcs11:token=hub;object={'x' * 49}?{QUERY}", "is longer than 48 characters"),
        (f"pkcs11:token=hub;object={'%C3%BC' * 9}?{QUERY}", "is longer than 48 characters"),
        (f"{PATH}?module-path=hsm.so&pin-source=file:/etc/pin", "module-path in the PKCS#11 URI is 'hsm.so'"),
        (f"{PATH}?module-path=/lib/hsm.so&pin-source=file:pin", "a whole path is wanted"),
        (f"{PATH}?module-path=/lib/hsm.so&pin-source=file://host/pin", "a whole path is wanted"),
        (f"{PATH}?module-path=/lib/hsm.so&pin-source=https://host/pin", "a whole path is wanted"),
        (f"{PATH}?module-path=/lib/hsm.so&pin-source=//[x/pin", "which is no file"),
    ],
)
def test_what_is_wrong_is_said_with_an_example(text: str, said: str) -> None:
    with pytest.raises(Unusable) as raised:
        parse_token_uri(text)
    assert said in str(raised.value)
    assert EXAMPLE in str(raised.value)


def test_a_pin_in_the_uri_is_refused_and_not_repeated() -> None:
    with pytest.raises(Unusable, match="holds the PIN itself") as raised:
        parse_token_uri(f"{PATH}?{QUERY}&pin-value=48151623")
    assert "48151623" not in str(raised.value)


def test_the_longest_label_fits_where_the_name_of_a_cas_key_is_stored() -> None:
    label = parse_token_uri(f"pkcs11:token=hub;object={'x' * 48}?{QUERY}").object
    assert len(key_name(label)) <= 64
    assert key_name("issuing CA;1") == "pkcs11:object=issuing%20CA%3B1"


@pytest.mark.parametrize(
    "uri",
    [
        TokenUri("hub", "ca", Path("/lib/hsm.so"), Path("/etc/pin")),
        TokenUri("h\u00fcb;b?", "a&b=c/d%", Path("/lib/a b&c.so"), None, "1;2"),
    ],
)
def test_a_uri_is_written_as_it_is_read(uri: TokenUri) -> None:
    assert parse_token_uri(str(uri), pin_elsewhere=True) == uri
    # OpenSSL, which reads it too, would take the public key of the pair else.
    assert ";type=private?" in str(uri)


def test_where_the_pin_is_need_not_be_said_if_it_is_elsewhere() -> None:
    assert parse_token_uri(f"{PATH}?module-path=/lib/hsm.so", pin_elsewhere=True).pin_source is None
