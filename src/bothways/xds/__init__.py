"""From the hub's state to Envoy's typed resources, and the delta xDS protocol. Pure: messages in, messages out."""
