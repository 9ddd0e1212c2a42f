import pytest

from bothways.manual.passages import Passage
from bothways.manual.search import Index, excerpt, index, stem, words

FOUND = Index(
    [
        Passage("renewal", "Renewal", "Renewal", "", "Renew the certificate before it expires."),
        Passage("findings", "Findings", "CSR-KEY-03", "csr-key-03", "the key is in use already", is_row=True),
        Passage("dns", "DNS", "Addresses", "addresses", "An address is kept for its TTL."),
    ]
)


@pytest.mark.parametrize(
    ("question", "source"),
    [
        ("How do I renew my certificate?", "docs/renewal.md"),
        ("certificates expiring", "docs/renewal.md"),
        ("csr-key-03", "docs/findings.md#csr-key-03"),
        ("what is the ttl of addresses", "docs/dns.md#addresses"),
    ],
)
def test_the_best_answer_is_the_passage_about_it(question: str, source: str) -> None:
    assert FOUND.ask(question)[0].passage.source == source


def test_a_question_without_a_word_of_the_pages_has_no_answer() -> None:
    assert FOUND.ask("what is the zebra") == ()
    assert FOUND.ask("") == ()


@pytest.mark.parametrize(
    ("question", "page"),
    [
        ("how do I renew my certificate", "renewal"),
        ("why is my certificate refused", "trouble"),
        ("why does the handshake fail", "trouble"),
        ("the hub cannot reach my server", "trouble"),
        ("403 forbidden", "trouble"),
        ("unable to get local issuer certificate", "trouble"),
        ("how do I revoke a certificate", "revocation"),
        ("what does a limit of 64 KiB come from", "defaults"),
        ("what is a tspId", "glossary"),
        ("what does endorsement mean", "glossary"),
        ("postgres", "postgresql"),
        ("the hub is down", "operation"),
        ("how long may an address be cached", "dns"),
        ("exit codes", "reference-exit-codes"),
        ("CSR-KEY-03", "findings"),
        ("PROBE-PIN-01", "probe"),
        ("SPOKE-PIN", "check"),
        ("listen.portal_port", "reference-settings"),
        ("bothways_endpoint_shut", "reference-metrics"),
        ("bothways certificate revoke", "reference-cli"),
        ("the key of the issuing CA has leaked", "disaster"),
        ("kubernetes secret", "howto-kubernetes"),
        ("what is stored about people", "stored"),
        ("OCSP", "standards"),
    ],
)
def test_questions_that_people_ask_are_answered_by_the_page_about_it(question: str, page: str) -> None:
    assert page in [each.passage.page for each in index().ask(question, 3)]


@pytest.mark.parametrize(
    ("question", "source"),
    [
        ("how do I renew", "renewal.md"),
        ("our certificate has expired, what now", "questions.md#our-certificate-has-expired-what-now"),
        ("what is finding CSR-KEY-02", "findings.md#csr-key-02"),
        ("tlsv1 alert unknown ca", "check.md#check-alert-48"),
        ("dns ttl", "glossary.md#ttl"),
        ("why not pin the certificate", "trust.md#trust-the-ca-never-pin-the-certificate"),
        ("revoke a certificate", "revocation.md"),
        ("how do I get the Client CA", "questions.md#how-do-we-get-the-hubs-client-ca"),
        ("which ports must my server listen on", "questions.md#on-which-port-must-our-server-listen"),
        ("IP addresses for our firewall", "questions.md#which-ip-addresses-does-the-hub-have-for-our-firewall"),
        ("what key types are allowed", "questions.md#which-keys-and-which-tls-versions-are-allowed"),
        ("does the hub support TLS 1.3", "questions.md#which-keys-and-which-tls-versions-are-allowed"),
        ("how long is a certificate valid", "contract.md#certificatevalidity_days"),
        ("403 forbidden when calling a service", "trouble.md#why-am-i-answered-with-403-404-421-or-503"),
        ("how do I upgrade the hub", "operation.md#upgrades"),
        ("is there a test environment", "questions.md#is-there-a-test-environment"),
        ("what does at risk mean", "questions.md#what-does-at-risk-mean"),
        ("hostname mismatch", "trouble.md#why-does-my-program-not-trust-the-hub"),
        ("connection reset by peer", "questions.md#connection-reset-refused-or-timed-out-where-do-we-look"),
        ("two people approval", "portal.md#two-people"),
        ("prometheus metrics", "operation.md#metrics"),
        ("enroll with EST", "est.md"),
    ],
)
def test_the_first_answer_is_the_passage_that_an_operator_or_a_customer_asked_for(question: str, source: str) -> None:
    assert index().ask(question, 1)[0].passage.source == f"docs/{source}"


def test_words_of_one_family_are_one_and_ids_are_found_whole_and_in_parts() -> None:
    assert len({stem(each) for each in ("renew", "renews", "renewed", "renewing")}) == 1
    assert len({stem(each) for each in ("revoke", "revoked", "revocation")}) == 1
    assert list(words("Is it CSR-KEY-03?")) == ["csr-key-03", "csr", "key", "03"]


def test_a_version_is_one_word_and_not_its_numbers() -> None:
    assert list(words("TLS 1.3 at 192.0.2.1, 2026-11-26")) == ["tls", "1.3", "192.0.2.1", "2026-11-26"]


def test_an_excerpt_ends_with_a_whole_word_and_shows_no_marks() -> None:
    assert excerpt("```sh\nls `x`\n```\n| a | b |\n| --- | --- |") == "ls x a b"
    assert excerpt("one two three", 8) == "one two ..."


def test_the_document_has_what_the_script_of_the_site_needs() -> None:
    document = FOUND.document()
    assert document["passages"][2] == {
        "address": "dns.html#addresses",
        "title": "DNS",
        "heading": "Addresses",
        "text": "An address is kept for its TTL.",
    }
    assert [number for number, _ in document["weights"]["renew"]] == [0]
