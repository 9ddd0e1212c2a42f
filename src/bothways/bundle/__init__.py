"""Bundles: what hub and customer exchange by hand, one signed zip in each direction. Bytes in, bytes out; no I/O."""
