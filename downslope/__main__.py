"""`python -m downslope` is the command line."""

from downslope.cli.main import cli

if __name__ == "__main__":
    cli()
