from bothways.reference.findings import Explained, explained, findings_page

PAGES = {
    "findings": (
        "| id | level | a | b |\n| --- | --- | --- | --- |\n| `CSR-KEY-01` | error | another key | make one |\n| "
        "`HUB-01` | it is old | renew |\n"
    ),
    "check": '| <a id="spoke-pin"></a>`SPOKE-PIN` | warning | a pin | because | `run` |\n',
}


def test_a_row_is_read_with_its_level_or_without() -> None:
    assert explained("findings", PAGES["findings"]) == [
        Explained("CSR-KEY-01", "findings", "error", "another key"),
        Explained("HUB-01", "findings", "", "it is old"),
    ]


def test_a_level_that_depends_is_told_whole() -> None:
    row = "| `PROBE-TCP-01` | error; warning if another address works | it is shut | open it |"
    assert explained("probe", row) == [
        Explained("PROBE-TCP-01", "probe", "error; warning if another address works", "it is shut")
    ]


def test_the_index_is_in_the_order_of_the_alphabet_and_leads_to_each_row() -> None:
    page = findings_page(PAGES)
    rows = [line for line in page.splitlines() if line.startswith("| [")]
    assert rows == [
        "| [CSR-KEY-01](findings.md#csr-key-01) | error | another key |",
        "| [HUB-01](findings.md#hub-01) |  | it is old |",
        "| [SPOKE-PIN](check.md#spoke-pin) | warning | a pin |",
    ]
