"""Every module says what it offers, and offers what it says."""

import ast
import importlib
from pathlib import Path

import pytest
from source_files import ROOT, module_name, source_files


def names_listed(path: Path) -> list[str] | None:
    """Return the module's __all__, or None where it has none."""
    for node in ast.parse((ROOT / path).read_text("utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            assert isinstance(node, ast.Assign)
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None


def is_only_a_docstring(path: Path) -> bool:
    return all(isinstance(node, ast.Expr) for node in ast.parse((ROOT / path).read_text("utf-8")).body)


@pytest.mark.parametrize("path", source_files(), ids=str)
def test_a_module_lists_its_public_names(path: Path) -> None:
    names = names_listed(path)
    if names is None:
        assert path.name == "__init__.py"
        assert is_only_a_docstring(path)
        return
    assert len(names) == len(set(names))
    module = importlib.import_module(module_name(path))
    assert [name for name in names if not hasattr(module, name)] == []
