import pytest

from bothways.xds.state import Anchors, HubState


@pytest.mark.parametrize(
    "pem", ["", "\n", "no certificate", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"]
)
def test_there_are_no_anchors_without_a_certificate(pem: str) -> None:
    with pytest.raises(ValueError, match=r"PEM|parsing"):
        Anchors(pem)


def test_one_damaged_certificate_among_good_ones_spoils_the_anchors(anchors: Anchors) -> None:
    body = anchors.pem.splitlines()
    damaged = "\n".join([body[0], "AAAA" + body[1][4:], *body[2:], ""])
    with pytest.raises(ValueError, match="parsing"):
        Anchors(anchors.pem + damaged)


def test_a_private_key_is_no_anchor(state: HubState) -> None:
    with pytest.raises(ValueError, match="PEM"):
        Anchors(state.client.key_pem)


def test_several_anchors_stand_one_after_the_other(anchors: Anchors) -> None:
    assert Anchors(anchors.pem * 2).pem == anchors.pem * 2


def test_the_whole_state_can_be_printed_without_showing_a_key(state: HubState) -> None:
    text = repr(state)
    assert "PRIVATE KEY" not in text
    assert state.server.key_pem.splitlines()[1] not in text
    assert state.server.fingerprint in text


def test_loopback_is_closed_unless_a_knob_named_danger_opens_it(state: HubState) -> None:
    assert state.danger_outbound_loopback is False
