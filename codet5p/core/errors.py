"""Every error that a user can meet, in one tree.

    CodeT5pError
    ├── ConfigError      a recipe, setting or option is wrong
    ├── ArtifactError    an exported model is missing, incomplete or altered
    ├── CheckpointError  a torch checkpoint is missing, incomplete or of another model
    ├── DataError        input data cannot be read or does not fit
    ├── EngineError      the inference engine could not load or run the model
    └── SearchIndexError the index of a workspace cannot be read or written

Each message is one line and names the remedy. `ValueError` is for wrong arguments between our own functions; anything
else that reaches the user is a bug.
"""

__all__ = [
    "ArtifactError",
    "CheckpointError",
    "CodeT5pError",
    "ConfigError",
    "DataError",
    "EngineError",
    "SearchIndexError",
]


class CodeT5pError(Exception):
    """Base of every error with a message meant for the user."""


class ConfigError(CodeT5pError):
    """A recipe, setting or option is wrong."""


class ArtifactError(CodeT5pError):
    """An exported model is missing, incomplete or altered."""


class CheckpointError(CodeT5pError):
    """A torch checkpoint is missing, incomplete or of another model."""


class DataError(CodeT5pError):
    """Input data cannot be read or does not fit."""


class EngineError(CodeT5pError):
    """The inference engine could not load or run the model."""


class SearchIndexError(CodeT5pError):
    """The index of a workspace cannot be read or written."""
