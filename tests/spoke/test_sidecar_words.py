from bothways.spoke.sidecar_words import Staleness, counters, news

TEXT = """cluster.hub.membership_total: 2
listener.callbacks.ssl.fail_verify_no_cert: 3
cluster.hub.update_empty: No recorded values
"""


def test_counters_are_read_and_what_is_none_is_left_out() -> None:
    assert counters(TEXT) == {"cluster.hub.membership_total": 2, "listener.callbacks.ssl.fail_verify_no_cert": 3}


def test_what_happened_is_said_once() -> None:
    found = counters(TEXT)
    assert list(news({}, found, "api.hub.example")) == [
        "3 callers were refused: they showed no client certificate",
        "api.hub.example has 2 addresses",
    ]
    assert list(news(found, found, "api.hub.example")) == []


def test_a_name_without_addresses_is_said_when_it_was_asked_and_not_before() -> None:
    asked = {"cluster.hub.membership_total": 0, "cluster.hub.update_attempt": 1}
    assert list(news({}, {"cluster.hub.membership_total": 0}, "a")) == []
    [said] = news({"cluster.hub.membership_total": 0}, asked, "a")
    assert "no address" in said
    assert list(news(asked, asked, "a")) == []


def test_an_answer_holds_for_its_bound_after_the_first_failure_and_until_the_next_success() -> None:
    none, failed, again, answered = (
        {"cluster.hub.update_success": success, "cluster.hub.update_failure": failure}
        for success, failure in ((1, 0), (1, 1), (1, 2), (2, 2))
    )
    seen = Staleness(300.0).seen({}, none, 1.0)
    assert not seen.over(1000.0)
    seen = seen.seen(none, failed, 10.0).seen(failed, again, 100.0).seen(again, again, 200.0)
    assert (seen.since, seen.over(309.9), seen.over(310.0)) == (10.0, False, True)
    assert not seen.seen(again, answered, 400.0).over(10_000.0)
