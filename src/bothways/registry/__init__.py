"""Who and what a hub knows: customers, services, endpoints. Records and the rules on their values. Pure."""
