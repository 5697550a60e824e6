"""`python -m codet5p` and the `codet5p` command."""

from codet5p.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
