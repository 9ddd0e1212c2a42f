"""From facts to the state of both flows. Pure and total; nothing here is stored."""
