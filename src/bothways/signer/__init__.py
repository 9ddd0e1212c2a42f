"""Private keys of a hub. Nothing else holds or uses one."""
