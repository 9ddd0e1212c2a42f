"""The shells around Envoy: its process, its ADS server, and the publisher that brings changes to it."""
