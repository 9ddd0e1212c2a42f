"""The customer's side: request, certificate, calls to the hub, and the receiver of the hub's calls. Installs light."""
