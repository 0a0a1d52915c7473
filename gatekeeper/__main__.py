"""`python -m gatekeeper` is the `gatekeeper` program."""

from gatekeeper.cli import main

main()
