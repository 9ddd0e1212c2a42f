"""The sentences of a module are read with a place for each thing that is put in, in each of their forms."""

import pytest

from bothways.reference.sentences import said_sentences, sentences

PLACED = {
    'f"the name {seen.host} does not exist"': ["the name {host} does not exist"],
    'f"{_name(each)} expired on {end:%Y-%m-%d} UTC"': ["{name} expired on {end} UTC"],
    'f"found {found!r}, wanted {wanted}"': ["found {found}, wanted {wanted}"],
    "f\"the certificate is for {', '.join(dns)}\"": ["the certificate is for {dns}"],
    "f\"is for {', '.join(str(each) for each in names)} alone\"": ["is for {names} alone"],
    'f"{len(blocks)} requests, and {len(data)} bytes"': ["{blocks} requests, and {data} bytes"],
    'f"{left} and {left} and {_left} alike"': ["{left} and {left2} and {left3} alike"],
    'f"{known[0]} goes to {await asked()}"': ["{known} goes to {asked}"],
    # Each form of a sentence is one of its own.
    "f\"it {'offers nothing but' if only else 'also offers'} {old}\"": [
        "it offers nothing but {old}",
        "it also offers {old}",
    ],
    "f\"{name or 'all of it'} is missing\"": ["{name} is missing", "all of it is missing"],
    "f\"let in{f' by {who}' if who else ''} at last\"": ["let in by {who} at last", "let in at last"],
    '"two parts " + of_it + " that follow"': ["two parts {of_it} that follow"],
    '"not started"': ["not started"],
    # What is put in may say something itself.
    "f\"it ends: {_why('no reason given')}\"": ["it ends: {why}", "no reason given"],
}


@pytest.mark.parametrize(("source", "found"), PLACED.items())
def test_a_text_is_a_sentence_with_places_in_each_of_its_forms(source: str, found: list[str]) -> None:
    assert list(sentences(f"said = {source}\n")) == found


@pytest.mark.parametrize(
    "source",
    [
        '"""What this module is about."""',
        'def made() -> "str | None":\n    """Return what was made."""',
        'known: "Mapping of names" = {}',
        # Names of the field, patterns, statements, what a program or a page reads, and lines of the log.
        '"RFC 5280 section 6.1"',
        'cite = "TLS 1.3"',
        'name = "single"',
        'f"{one} {two}"',
        're.compile("a pattern of words")',
        'text("select what is there")',
        '_log.error("what went wrong: %s", error)',
        'worded("a text of a page")',
        "policy = \"default-src 'none'; and more of it\"",
        '"a program\\nof two lines"',
        '"public, max-age=31536000, immutable"',
        "f'attachment; filename=\"{name}\"'",
        'f"PRAGMA user_version = {version}"',
        'condition = "response.code == 200 and no more"',
    ],
)
def test_what_nobody_is_told_is_no_sentence(source: str) -> None:
    assert list(sentences(source)) == []


def test_the_words_of_enumerations_are_put_into_sentences() -> None:
    words = '    ENDED = "ended"\n    AT_RISK = "at risk"\n    PPR = "PPR"\n    AUDIT = "audit-read"\n'
    assert sorted(sentences(f"class State(StrEnum):\n{words}")) == ["at risk", "ended"]
    assert list(sentences(f"class State:\n{words}")) == ["at risk"]


def test_a_sentence_of_too_many_forms_is_to_be_several() -> None:
    many = " ".join(f"{{'one' if a{number} else 'other'}}" for number in range(7))
    with pytest.raises(ValueError, match="line 1 has 128 forms of one sentence; say several"):
        list(sentences(f'f"{many}"'))


def test_of_sentences_that_differ_in_the_names_of_their_places_there_is_one() -> None:
    found = [each for each in said_sentences() if each.startswith("Look at: bothways request show ")]
    assert found == ["Look at: bothways request show {id}"]
