"""The installed wheel, and editors connected to a server that runs from it.

Building the wheel and assembling the model happen once in a session. Tests that leave nothing behind but counts share
one server; the others start their own.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from e2e.editor import Editor
from e2e.installation import Installation, StartEditor, StartRawClient
from e2e.raw_client import RawClient

REPOSITORY = Path(__file__).resolve().parents[2]
# The same completions on a busy machine, and one for each question.
PATIENT = {"completion": {"timeLimitMilliseconds": 30_000, "maxCandidates": 1, "blocks": "never"}}
_FILES_OF_A_BUILD = ("pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    home = tmp_path_factory.mktemp("installation")
    wheel = _build_wheel(home)
    environment = home / "environment"
    venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(environment)
    scripts = environment / ("Scripts" if os.name == "nt" else "bin")
    options = ["--no-deps", "--no-index", "--quiet", "--disable-pip-version-check"]
    _run([sys.executable, "-m", "pip", "--python", scripts / "python", "install", *options, wheel])
    # The dependencies come from the environment of the tests, but by this plain path, which makes its own .pth files
    # inert: its editable install of the repository would supply what the wheel lacks.
    site = sysconfig.get_path("purelib", "venv", {"base": str(environment), "platbase": str(environment)})
    Path(site, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    cwd = home / "elsewhere"
    cwd.mkdir()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV_"))}
    env |= {"XDG_CACHE_HOME": str(home / "user-cache"), "COLUMNS": "120", "NO_COLOR": "1"}
    return Installation(wheel=wheel, python=scripts / "python", codet5p=scripts / "codet5p", cwd=cwd, env=env)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder for assembled models, shared by all servers of the session."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def serve(installation: Installation, cache: Path) -> list[str]:
    """The command of the server."""
    return [str(installation.codet5p), "serve", "--cache", str(cache), "--threads", "1"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def editor(installation: Installation, serve: list[str]) -> AsyncIterator[Editor]:
    """An editor whose server has its model loaded; counts and documents of other tests are there already."""
    editor = Editor()
    await editor.start(serve, cwd=installation.cwd, env=installation.env)
    await editor.initialize(options=PATIENT)
    assert (await editor.settled())["state"] == "ready"
    yield editor
    assert await editor.close() == 0


@pytest_asyncio.fixture(loop_scope="session")
async def start_editor(installation: Installation, serve: list[str]) -> AsyncIterator[StartEditor]:
    """Start an editor with a server of its own; arguments are those of `initialize`."""
    editors: list[Editor] = []

    async def start(*arguments: str | Path, configuration: Any = None, **initialize: Any) -> Editor:
        editor = Editor(configuration)
        command = [*serve, *map(str, arguments)]
        await editor.start(command, cwd=installation.cwd, env=installation.env)
        editors.append(editor)
        await editor.initialize(**{"options": PATIENT, **initialize})
        return editor

    yield start
    for editor in editors:
        assert await editor.close() == 0


@pytest_asyncio.fixture(loop_scope="session")
async def start_raw_client(installation: Installation, serve: list[str]) -> AsyncIterator[StartRawClient]:
    """Start a raw client with a server of its own, not yet initialized."""
    clients: list[RawClient] = []

    async def start() -> RawClient:
        client = await RawClient.start(serve, cwd=installation.cwd, env=installation.env)
        clients.append(client)
        return client

    yield start
    for client in clients:
        await client.close()


def _build_wheel(home: Path) -> Path:
    """Build from a copy of the sources: a build folder left in the repository could add files to the wheel."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    sources = home / "sources"
    for folder in project["tool"]["setuptools"]["package-dir"].values():
        shutil.copytree(REPOSITORY / folder, sources / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _FILES_OF_A_BUILD:
        shutil.copy(REPOSITORY / name, sources / name)
    quickly = "--config-setting=--build-option=--compression=stored"  # weights hardly shrink, and this halves the time
    _run([sys.executable, "-m", "build", "--wheel", "--no-isolation", quickly, "--outdir", home / "dist", sources])
    shutil.rmtree(sources)
    return next((home / "dist").glob("*.whl"))


def _run(command: list[str | Path]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
