"""The figures of the project: `make bench` runs all, `make bench ONLY=NAME` one."""
