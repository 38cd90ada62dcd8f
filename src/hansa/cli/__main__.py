"""`python -m hansa.cli`: the same as the command `hansa`."""

from hansa.cli.main import main

main()
