"""X.509 as this scheme uses it: requests, rules, profiles, issuing, chains. Pure: bytes, `now` and serials come in."""
