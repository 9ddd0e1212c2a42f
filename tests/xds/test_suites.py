from bothways.xds import suites


def test_what_is_offered_to_others_is_answered_too_and_sha_1_is_neither() -> None:
    assert set(suites.CURVES) < set(suites.CURVES_ANSWERED)
    assert not [each for each in suites.SIGNATURE_ALGORITHMS if each.endswith("sha1")]
    assert all(each.startswith("ECDHE-") for each in suites.CIPHER_SUITES)
