from bothways.xds.subscription import Subscription


def test_a_wildcard_is_all_but_what_is_asked_for_by_name_alone() -> None:
    everything, one = Subscription(wildcard=True), Subscription(named={"customer/12345678/ab"})
    cluster = "customer/12345678/ab"
    assert [each.wants(name) for each in (everything, one) for name in ("service/tokens", cluster)] == [
        True,
        False,
        False,
        True,
    ]


def test_what_is_under_way_in_any_version_is_not_certain() -> None:
    confirmed = {"kept": "1", "changed": "1", "gone": "1"}
    subscription = Subscription(confirmed=confirmed, pending={"7": {"changed": "2"}, "8": {"gone": ""}})
    assert subscription.certain() == {"kept": "1"}
    versions = [subscription.possible(name) for name in ("kept", "changed", "gone", "unheard")]
    assert versions == [{"1"}, {"1", "2"}, {"1", ""}, set()]
    subscription.pending.clear()
    assert subscription.certain() == confirmed


def test_what_is_given_up_is_not_known_any_more_whatever_answer_is_still_to_come() -> None:
    of_two = {"a": "1", "b": "1"}
    subscription = Subscription(
        sent=dict(of_two), confirmed=dict(of_two), pending={"7": dict(of_two)}, refused={"a": "x"}
    )
    subscription.forget("a")
    assert subscription == Subscription(sent={"b": "1"}, confirmed={"b": "1"}, pending={"7": {"a": None, "b": "1"}})
