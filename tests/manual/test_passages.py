from bothways.manual.library import Page
from bothways.manual.passages import Passage, anchor, numbered, passages, plain

PAGE = """# Keys

Of a customer.

## The `key`

```
## no heading
```

| id | what |
| --- | --- |
| `KEY-01` | it is [bad](bad.md) | mend it |
| <a id="key-02"></a>`KEY-02` | it is old | renew |

## The `key`

Again.
"""


def test_a_page_is_cut_at_its_headings_and_each_named_row_stands_by_itself() -> None:
    found = passages(Page("keys", "", PAGE))
    assert [(each.heading, each.anchor) for each in found] == [
        ("Keys", ""),
        ("The key", "the-key"),
        ("KEY-01", "key-01"),
        ("KEY-02", "key-02"),
        ("The key", "the-key-1"),
    ]
    assert found[2] == Passage("keys", "Keys", "KEY-01", "key-01", "it is [bad](bad.md) · mend it", is_row=True)
    assert "## no heading" in found[1].text


def test_a_row_with_an_anchor_of_its_own_stands_by_itself_too() -> None:
    table = '| word | meaning |\n| --- | --- |\n| <a id="a-word"></a>a word | it is `x` |\n| another | y |\n'
    page = f"# Words\n\nAll.\n\n{table}"
    [_, row] = passages(Page("words", "", page))
    assert (row.heading, row.anchor, row.text, row.is_row) == ("a word", "a-word", "it is `x`", True)


def test_a_passage_says_where_it_stands_in_the_sources_and_in_the_site() -> None:
    whole, part, *_ = passages(Page("keys", "", PAGE))
    assert (whole.source, whole.address) == ("docs/keys.md", "keys.html")
    assert (part.source, part.address) == ("docs/keys.md#the-key", "keys.html#the-key")


def test_anchors_are_those_of_github() -> None:
    assert anchor("When the hub's address changes: `spoke`, twice") == "when-the-hubs-address-changes-spoke-twice"
    taken: dict[str, int] = {}
    assert [numbered("x", taken) for _ in range(3)] == ["x", "x-1", "x-2"]


def test_plain_is_what_a_reader_sees() -> None:
    assert plain("**A** [`link`](x.md#y), <a id='z'></a>`code`") == "A link, code"
