from bothways.reference.settings import MEANINGS, hub_settings, settings_page


def test_every_setting_has_a_meaning_and_no_other_has() -> None:
    """A new setting gets its meaning in `reference/settings.py`."""
    assert sorted(MEANINGS) == sorted(hub_settings())


def test_a_setting_is_shown_with_its_default() -> None:
    page = settings_page()
    assert "| `listen.inbound_port` | `8443` | its port: 443 in production" in page
    assert "| `outbound.scheduled_probes` | `true` |" in page
    assert "| `certificates.crl_url` | none |" in page
