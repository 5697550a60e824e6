"""The command line is an interface that scripts and editors rely on: a change here is one for the changelog."""

from typing import Any

import pytest
import typer

from codet5p.cli.main import app

OPTIONS = {
    "serve": {"--tcp", "--artifact", "--cache", "--threads", "--log-level"},
    "demo": {"--artifact", "--cache", "--threads", "--workspace"},
    "complete": {"PLACE", "--json", "--artifact", "--cache", "--threads"},
    "docstring": {"PLACE", "--write", "--diff", "--check", "--missing", "--style", "--json", "--artifact", "--cache"},
    "search": {"QUERY", "--similar", "--path", "--limit", "--json", "--open", "--cache"},
    "index": {"--path", "--rebuild", "--status", "--prune", "--keywords", "--json", "--cache"},
    "mcp": {"--path", "--cache"},
    "doctor": {"--json", "--calibrate", "--artifact", "--cache"},
    "export": {"CHECKPOINT", "DESTINATION", "--name", "--modes", "--quantization", "--provenance", "--format"},
    "import": {"SOURCE", "DESTINATION", "--decoder-layers", "--encoder-layers", "--tokenizer"},
}


def commands() -> dict[str, Any]:
    return typer.main.get_command(app).commands  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("name", OPTIONS)
def test_a_command_has_exactly_these_options(name: str) -> None:
    parameters = commands()[name].params
    names = {option for parameter in parameters for option in parameter.opts if option.startswith("--")}
    arguments = {parameter.name.upper() for parameter in parameters if parameter.param_type_name == "argument"}
    assert names | arguments == OPTIONS[name]


def test_every_command_and_option_has_help() -> None:
    for name, command in commands().items():
        assert command.help, name
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{name} {parameter.name}"


def test_help_shows_the_commands_in_panels() -> None:
    panels = {command.name: command.rich_help_panel for command in app.registered_commands}
    assert panels["import"] == "Make"
    assert all(panels.values())
