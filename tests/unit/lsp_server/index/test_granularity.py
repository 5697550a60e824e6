import pytest

from codet5p.lsp_server.index.granularity import means_function


@pytest.mark.parametrize(
    "line",
    [
        "Return the number of bytes left",
        "returns bytes left",
        "retry a request with exponential backoff",
        "read the body of a request",
        "copies all settings",
        "Whether the payload has been consumed",
        "The maximum size in bytes",
        "Shortcut for a route",
        "one two three four five six seven eight nine ten",
    ],
)
def test_what_reads_like_documentation_means_a_function(line: str) -> None:
    assert means_function(line)


@pytest.mark.parametrize(
    "line",
    [
        "how are routes registered",
        "where does it return the number of bytes",
        "connection pooling and TCP connector",
        "request validation and error handling",
        "read timeout settings",
        "parse header",
        "ClientSession",
        "",
        "= 3 == 3",
    ],
)
def test_questions_and_subjects_mean_a_place(line: str) -> None:
    assert not means_function(line)
