"""Subcommands that need more than the default install say so in one line."""

from importlib.util import find_spec

from codet5p.core.errors import ConfigError

__all__ = ["require_training"]


def require_training() -> None:
    """Check that torch is installed.

    Raises:
        ConfigError: If it is not; the message names the remedy.
    """
    if find_spec("torch") is None:
        raise ConfigError("this command needs torch; install it with: pip install 'codet5p[train]'")
