from bothways.cli.spoke_text import callback_text
from bothways.spoke.listen import Callback


def test_a_terminal_is_shown_control_characters_and_does_not_obey_them() -> None:
    callback = Callback("POST", "/a", "CN=hub", "00", "TLSv1.3", (), 'two\nlines, \x1b[2J and "é"'.encode())
    assert callback_text(callback) == 'POST /a from CN=hub over TLSv1.3: two\nlines, \\x1b[2J and "é"'
