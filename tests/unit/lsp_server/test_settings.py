from typing import Any

import pytest

from codet5p.lsp_server.settings import CompletionSettings, Settings, read_settings

GIVEN = {
    "completion": {
        "enable": False,
        "disabledLanguages": ["markdown", "plaintext"],
        "excludedFiles": ["*.sql", "!example.env"],
        "inComments": False,
        "inStrings": False,
        "adaptiveDelay": False,
        "minConfidence": 0.5,
        "blocks": "auto",
        "maxBlockLines": 4,
        "maxCandidates": 1,
        "delayMilliseconds": 0,
        "maxNewTokens": 40,
        "timeLimitMilliseconds": 500,
    }
}
READ = Settings(
    completion=CompletionSettings(
        enable=False,
        disabled_languages=("markdown", "plaintext"),
        excluded_files=("*.sql", "!example.env"),
        in_comments=False,
        in_strings=False,
        adaptive_delay=False,
        min_confidence=0.5,
        blocks="auto",
        max_block_lines=4,
        max_candidates=1,
        delay_milliseconds=0,
        max_new_tokens=40,
        time_limit_milliseconds=500,
    )
)


@pytest.mark.parametrize("given", [GIVEN, {"codet5p": GIVEN}, {"codet5p": GIVEN, "editor": {"tabSize": 4}}])
def test_settings_come_in_camel_case_with_or_without_the_outer_name(given: Any) -> None:
    assert read_settings(given) == (READ, [])


@pytest.mark.parametrize("given", [None, {}, {"codet5p": None}, {"completion": None}, {"completion": {}}])
def test_what_is_not_set_is_the_default(given: Any) -> None:
    assert read_settings(given) == (Settings(), [])


@pytest.mark.parametrize("given", [5, "fast", [1], {"codet5p": 5}, {"codet5p": ["completion"]}])
def test_settings_that_are_no_object_are_reported(given: Any) -> None:
    settings, problems = read_settings(given)
    assert settings == Settings()
    assert len(problems) == 1
    assert problems[0].startswith("codet5p must be an object, got ")


def test_a_group_that_is_no_object_is_reported() -> None:
    settings, problems = read_settings({"completion": True})
    assert settings == Settings()
    assert problems == ["codet5p.completion must be an object, got True; the defaults are used"]


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("enable", "yes", "enable must be of type bool, got 'yes'; the default True is used"),
        ("disabledLanguages", "python", "disabledLanguages must be a list, got 'python'; the default () is used"),
        ("disabledLanguages", ["a", 5], "disabledLanguages[1] must be of type str, got 5; the default () is used"),
        ("delayMilliseconds", -1, "delayMilliseconds must be from 0 to 10000, got -1; the default 50 is used"),
        ("delayMilliseconds", True, "delayMilliseconds must be of type int, got True; the default 50 is used"),
        ("maxNewTokens", 0, "maxNewTokens must be from 1 to 256, got 0; the default 24 is used"),
        ("maxNewTokens", 257, "maxNewTokens must be from 1 to 256, got 257; the default 24 is used"),
        ("timeLimitMilliseconds", 9, "timeLimitMilliseconds must be from 10 to 60000, got 9; the default"),
        ("timeLimitMilliseconds", 0.5, "timeLimitMilliseconds must be of type int, got 0.5; the default"),
    ],
)
def test_a_bad_value_is_one_line_and_the_good_ones_beside_it_count(key: str, value: Any, problem: str) -> None:
    beside = "maxNewTokens" if key == "enable" else "enable"
    settings, problems = read_settings({"completion": {**GIVEN["completion"], key: value}})
    assert len(problems) == 1
    assert problems[0].startswith(f"codet5p.completion.{problem}")
    good = "max_new_tokens" if beside == "maxNewTokens" else "enable"
    assert getattr(settings.completion, good) == getattr(READ.completion, good)
    bad = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)
    assert getattr(settings.completion, bad) == getattr(CompletionSettings(), bad)


def test_every_bad_value_is_reported() -> None:
    _, problems = read_settings({"completion": {"enable": 1, "maxNewTokens": "x", "delayMilliseconds": 1}})
    assert len(problems) == 2


def test_the_editors_own_settings_are_none_of_our_business() -> None:
    assert read_settings({"serverPath": "/x", "completion": {"colour": 3}}) == (Settings(), [])


def test_a_docstring_style_is_one_that_some_language_has() -> None:
    settings, problems = read_settings({"docstring": {"style": "numpy"}})
    assert (settings.docstring.style, problems) == ("numpy", [])
    settings, problems = read_settings({"docstring": {"style": "epytext"}})
    assert settings.docstring.style == "auto"
    assert problems[0].startswith("codet5p.docstring.style must be one of auto, google, numpy, sphinx,")
    assert problems[0].endswith("got 'epytext'; the default 'auto' is used")
