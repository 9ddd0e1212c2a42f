import pytest

from bothways.registry.addresses import LOOPBACK, SPECIAL, refused_range, refused_ranges


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("10.1.2.3", "10.0.0.0/8"),
        ("100.64.0.1", "100.64.0.0/10"),
        ("169.254.169.254", "169.254.0.0/16"),
        ("0.0.0.0", "0.0.0.0/8"),  # noqa: S104
        ("255.255.255.255", "224.0.0.0/3"),
        ("::ffff:127.0.0.1", "::ffff:0:0/96"),
        ("::ffff:8.8.8.8", "::ffff:0:0/96"),
        ("64:ff9b::7f00:1", "64:ff9b::/96"),
        ("fe80::1", "fe80::/10"),
        ("fe80::1%eth0", "fe80::/10"),
        ("fd00::1", "fc00::/7"),
        ("2002:7f00:1::", "2002::/16"),
        ("0x7f.1", "no address"),
        ("bank.example", "no address"),
    ],
)
@pytest.mark.parametrize("loopback_allowed", [False, True])
def test_what_is_off_the_public_internet_is_refused_also_in_disguise(
    address: str, named: str, *, loopback_allowed: bool
) -> None:
    assert refused_range(address, loopback_allowed=loopback_allowed) == named


@pytest.mark.parametrize(("address", "named"), [("127.0.0.1", "127.0.0.0/8"), ("::1", "::1/128")])
def test_loopback_is_refused_unless_it_is_allowed(address: str, named: str) -> None:
    assert refused_range(address, loopback_allowed=False) == named
    assert refused_range(address, loopback_allowed=True) is None


@pytest.mark.parametrize("address", ["8.8.8.8", "193.0.6.139", "2a00:1450:4009::1"])
def test_a_public_address_is_good(address: str) -> None:
    assert refused_range(address, loopback_allowed=False) is None


def test_the_ranges_are_those_of_the_one_list() -> None:
    assert refused_ranges(loopback_allowed=True) == SPECIAL
    assert refused_ranges(loopback_allowed=False) == LOOPBACK + SPECIAL
