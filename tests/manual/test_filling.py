from bothways.manual.filling import Names

OWN = Names("https://api.bank-hub.test:9443", "https://portal.bank-hub.test", "bank-hub.test", "87654321")


def test_each_name_of_the_example_becomes_the_hubs_own() -> None:
    text = (
        "curl https://api.hub.example/x; api.hub.example, hub.example and https://portal.hub.example/docs for 12345678."
    )
    assert OWN.fill(text) == (
        "curl https://api.bank-hub.test:9443/x; api.bank-hub.test, bank-hub.test and "
        "https://portal.bank-hub.test/docs for 87654321."
    )


def test_where_a_port_is_written_the_own_one_is_written() -> None:
    assert OWN.fill("-connect api.hub.example:443") == "-connect api.bank-hub.test:9443"
    assert OWN.fill("-connect portal.hub.example:443") == "-connect portal.bank-hub.test:443"
    assert OWN.fill('HTTPSConnection("api.hub.example", 443, t)') == 'HTTPSConnection("api.bank-hub.test", 9443, t)'


def test_a_port_on_the_next_line_is_the_own_one_too() -> None:
    for between in ('",\n  "port_value": ', '",\n    port: '):
        assert OWN.fill(f'"api.hub.example{between}443') == f'"api.bank-hub.test{between}9443'


def test_a_host_header_has_the_port_and_a_name_by_itself_has_none() -> None:
    for before in (
        "Host: ",
        "HTTP/1.1\\r\\nHost: ",
        "set-header Host ",
        'proxy_set_header Host "',
        '"host_rewrite_literal": "',
    ):
        assert OWN.fill(f"{before}api.hub.example") == f"{before}api.bank-hub.test:9443"
    for before in ("-servername ", "-verify_hostname ", "verifyhost ", "sni str("):
        assert OWN.fill(f"{before}api.hub.example") == f"{before}api.bank-hub.test"


def test_names_that_only_hold_such_a_name_stay() -> None:
    text = "other.hub.example my-hub.example hub.example-two hub.example.org 123456789"
    assert OWN.fill(text) == text


def test_the_example_itself_stays_as_it_is() -> None:
    text = "https://api.hub.example:443 portal.hub.example hub.example. 12345678"
    assert Names().fill(text) == text
