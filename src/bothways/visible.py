"""What other people wrote, for people's eyes: characters that are obeyed instead of being seen become their escapes.

Control characters move a terminal's cursor and hide what stands there; those that set the direction of text make a
sentence read as another one (CVE-2021-42574); what has no width hides in a name. Pure; no word of ours stands here.
"""

import re

# C0 and C1 but tabs and line ends; marks, embeddings, overrides and isolates of direction; zero width, but for the
# joiners, which Persian and emoji need; annotations; half of a pair (UTF-16), which no encoding takes.
_OBEYED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufff9-\ufffb\ud800-\udfff]"
)


def visible(text: str) -> str:
    """Return the text with each such character as Python escapes it; all else as it is."""
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
