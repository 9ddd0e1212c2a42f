"""`python -m bothways` is the command line."""

from bothways.cli.main import main

main()
