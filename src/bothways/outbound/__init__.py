"""The hub towards customers' servers: probes. What carries calls is Envoy, not this."""
