from bothways.findings import Level
from bothways.outbound.look_up import address_findings


def test_a_host_that_leads_to_special_addresses_alone_is_told_with_them() -> None:
    [finding] = address_findings("localhost")
    assert (finding.id, finding.level) == ("ENDPOINT-09", Level.WARNING)
    assert "127.0.0.1" in finding.message or "::1" in finding.message


def test_an_address_that_everybody_reaches_is_no_finding() -> None:
    # An address is its own answer: nobody is asked.
    assert address_findings("1.1.1.1") == ()
    assert [each.id for each in address_findings("169.254.169.254")] == ["ENDPOINT-09"]


def test_a_name_that_nobody_can_have_is_no_finding() -> None:
    assert address_findings("a" * 64 + ".invalid") == ()
