"""`python -m livesegments.console`."""

from livesegments.console.app import main

main()
