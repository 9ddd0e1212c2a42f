"""What a running hub serves itself: the portal, `/connectivity` behind Envoy, and the control socket."""
