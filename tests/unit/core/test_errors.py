import pytest

from codet5p.core import errors


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name != "CodeT5pError"])
def test_every_error_for_users_can_be_caught_as_one(name: str) -> None:
    kind = getattr(errors, name)
    assert issubclass(kind, errors.CodeT5pError)
    assert not issubclass(kind, ValueError)
    assert name in str(errors.__doc__)
