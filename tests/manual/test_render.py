from bothways.manual.render import html, twin


def test_headings_and_named_rows_have_anchors() -> None:
    shown = html(
        "# One\n\n## A `b`\n\n| id | what |\n| --- | --- |\n| `X-01` | y |\n| `--option` | z |\n| plain | q |\n"
    )
    assert '<h2 id="a-b">' in shown
    assert '<tr id="x-01">' in shown
    assert shown.count("<tr id=") == 1


def test_a_row_with_an_anchor_in_it_keeps_that_one_alone() -> None:
    shown = html('| id | what |\n| --- | --- |\n| <a id="x-01"></a>`X-01` | y |\n')
    assert shown.count('id="x-01"') == 1


def test_links_between_pages_lead_to_pages_and_others_stay() -> None:
    shown = html("[a](b.md#c) [d](https://e.example/f.md) [g](examples/h.yaml)")
    assert 'href="b.html#c"' in shown
    assert 'href="https://e.example/f.md"' in shown
    assert 'href="examples/h.yaml"' in shown


def test_links_of_the_markdown_lead_to_markdown() -> None:
    assert twin("[a](b.md#c) [d](e.md) [f](https://g.example/h.md)") == (
        "[a](b.html.md#c) [d](e.html.md) [f](https://g.example/h.md)"
    )


def test_wide_content_can_be_scrolled_with_the_keyboard() -> None:
    shown = html("| a |\n| --- |\n| b |\n\n    code\n")
    assert '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>' in shown
    assert '<pre tabindex="0">' in shown


def test_the_empty_corner_of_a_table_is_no_heading() -> None:
    shown = html("| | a |\n| --- | --- |\n| b | c |\n")
    assert "<td></td>\n<th>a</th>" in shown
    assert "<th></th>" not in shown
