"""The command line: parse, call one operation, render. The composition root of a running hub is here too."""
