"""Signatures are verified in a process beside the hub's own, so that two cores work at once. No key is here."""
