from bothways.dataplane.applied import Applied


def test_the_answer_says_version_force_and_milliseconds() -> None:
    assert Applied("abc", in_force=True, milliseconds=3.5).document() == {
        "version": "abc",
        "in_force": True,
        "milliseconds": 3.5,
        "away": [],
    }
