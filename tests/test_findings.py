from bothways.findings import Finding, Level, errors

REFUSES = Finding("CSR-KEY-01", "the key is RSA with 2048 bits", "Make a new key.", "R7", "request.pem")
WARNS = Finding("CSR-SUBJECT-03", "O differs", "Check it.", "R9", level=Level.WARNING)
TELLS = Finding("CSR-NOTE", "all is well", "Nothing has to be done.", "R9", level=Level.INFO)


def test_a_finding_reads_as_one_line_with_where_it_was_found() -> None:
    assert str(REFUSES) == "CSR-KEY-01: the key is RSA with 2048 bits (request.pem). Make a new key."


def test_a_finding_without_a_place_has_no_brackets() -> None:
    assert str(WARNS) == "CSR-SUBJECT-03: O differs. Check it."


def test_the_document_holds_every_field_as_text() -> None:
    assert REFUSES.document() == {
        "id": "CSR-KEY-01",
        "level": "error",
        "message": "the key is RSA with 2048 bits",
        "hint": "Make a new key.",
        "citation": "R7",
        "subject": "request.pem",
    }


def test_a_finding_refuses_unless_something_else_is_said() -> None:
    assert [REFUSES.level, WARNS.level, TELLS.level] == [Level.ERROR, Level.WARNING, Level.INFO]


def test_errors_are_those_that_refuse_in_their_order() -> None:
    other = Finding("CSR-KEY-02", "the digest is sha1", "Make it again.", "R7")
    assert errors([WARNS, REFUSES, TELLS, other]) == (REFUSES, other)
