"""`bothways demo`: two hubs, an issuer and a merchant, every step of both flows for real. Nothing else knows of it."""
