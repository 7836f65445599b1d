"""`python -m layerstats.cli`: the same as the `layerstats` command."""

from layerstats.cli.main import main

if __name__ == "__main__":
    main()
