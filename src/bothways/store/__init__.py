"""What a hub remembers, on SQLite: one file per noun. Each change and its line in the audit are one transaction."""
