"""Mutual-TLS connectivity between a hub and its customers, both ways. Nothing but the version stands here."""

__version__ = "0.1.0"
