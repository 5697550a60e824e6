import pytest

from codet5p.cli.demonstration import demonstrate, example_workspace
from codet5p.core.errors import EngineError


async def test_a_server_that_ends_at_once_is_an_error_in_one_line() -> None:
    with pytest.raises(EngineError, match=r"^the server ended before it answered; see codet5p doctor$"):
        await demonstrate(example_workspace(), ["--no-such-option"])
