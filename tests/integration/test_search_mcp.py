"""The search as a coding agent sees it: the command as a subprocess, the protocol's own client."""

import sys
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "send.py").write_text(
        'def send():\n    """Retry a request with growing pauses."""\n    return 1\n', "utf-8"
    )
    (tmp_path / "outside.py").write_text("def retry_outside():\n    pass\n", "utf-8")
    return root


async def test_an_agent_finds_code_and_sees_changes(workspace: Path) -> None:
    arguments = ["-P", "-m", "codet5p", "mcp", "--path", str(workspace), "--cache", str(workspace.parent / "indexes")]
    async with Client(StdioServerParameters(command=sys.executable, args=arguments)) as client:
        tools = await client.list_tools()
        assert [tool.name for tool in tools.tools] == ["search_code", "find_similar_code"]
        result = await client.call_tool("search_code", {"query": "retry a request", "whole": True})
        assert result.structured_content is not None
        (hit,) = result.structured_content["result"]
        assert (hit["path"], hit["first_line"], hit["last_line"], hit["name"]) == ("send.py", 1, 3, "send")
        assert hit["code"].endswith("return 1")
        (workspace / "again.py").write_text("def send_again():\n    return 1\n", "utf-8")
        result = await client.call_tool("find_similar_code", {"path": "send.py", "line": 3})
        assert result.structured_content is not None
        assert [hit["name"] for hit in result.structured_content["result"]] == ["send_again"]
        result = await client.call_tool("find_similar_code", {"path": "../outside.py", "line": 1})
        assert result.structured_content == {"result": []}
        (workspace / "again.py").unlink()
        (workspace / "send.py").unlink()
        for query in ("retry", "retry path:../", "../outside.py"):
            result = await client.call_tool("search_code", {"query": query})
            assert result.structured_content == {"result": []}
