import pytest

from codet5p.core.syntax import extract_functions
from codet5p.lsp_server.features.docstring.facts import read_facts
from codet5p.lsp_server.features.docstring.naming import phrase_of_name


def said(code: str, language: str = "python") -> str | None:
    """Return what the name of the last function in `code` says."""
    function = extract_functions(code, language)[-1]
    phrase = phrase_of_name(function, read_facts(code, function))
    return phrase.text(third_person_wanted=language != "python") if phrase is not None else None


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("read_config(path)", "Read the config"),
        ("getUserById(id)", "Return the user by ID"),
        ("parseHTTPHeader(line)", "Parse the HTTP header"),
        ("find_all_users()", "Find all users"),
        ("get_or_create_user(name)", "Get or create the user"),
        ("load_config_from_file(path)", "Load the config from the file"),
        ("fetch_page_async(url)", "Fetch the page asynchronously"),
        ("try_parse(text)", "Try to parse the text"),
        ("to_json(value)", "Convert to JSON"),
        ("to_list(value)", "Convert to a list"),
        ("celsius_to_kelvin(x)", "Convert celsius to kelvin"),
        ("on_message(m)", "Handle the message"),
        ("init_db(args)", "Initialize the db"),
        ("is_valid(token)", "Return whether the token is valid"),
        ("has_children()", "Return whether it has children"),
        ("parse(text)", "Parse the text"),
        ("connect(host)", "Connect to the host"),
        ("get(key)", "Get by key"),
        ("load(path)", "Load from the path"),
        ("save(filename, mode=1)", "Save to the filename"),
        ("delete(path)", "Delete the path"),
    ],
)
def test_a_name_that_is_a_phrase_becomes_a_sentence(header: str, sentence: str) -> None:
    assert said(f"def {header}:\n    return 1\n") == sentence


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("total(self)", "return 1", "Return the total"),
        ("entries_since(self, day)", "yield 1", "Yield the entries since the day"),
        ("count(self)", "return 1", "Return the count"),
        ("close(self)", "pass", "Close the ledger book"),
        ("__init__(self)", "pass", "Create a ledger book"),
        ("__len__(self)", "return 1", "Return the number of items"),
        ("valid(self) -> bool", "return True", "Return whether it is valid"),
        ("headers_accepted(self) -> bool", "return True", "Return whether the headers are accepted"),
        ("from_dict(cls, values)", "return 1", "Create a ledger book from dict"),
    ],
)
def test_a_method_is_said_of_its_object(name: str, body: str, sentence: str) -> None:
    assert said(f"class LedgerBook:\n    def {name}:\n        {body}\n") == sentence


@pytest.mark.parametrize(
    "header",
    [
        "f(x)",
        "x2(y)",
        "unknownize(a)",
        "squish(a)",
        "__wrapped__(a)",
        "test()",
        "process(a, b)",
        "publish(exchange, b)",
    ],
)
def test_a_name_that_is_no_phrase_gives_no_sentence(header: str) -> None:
    assert said(f"def {header}:\n    return 1\n") is None


def test_a_function_without_a_result_is_not_called_after_one() -> None:
    assert said("class A:\n    def data(self):\n        self.x = 1\n") is None


@pytest.mark.parametrize(
    ("code", "language", "sentence"),
    [
        ("def valid?\n  true\nend\n", "ruby", "Returns whether it is valid"),
        ("def include?(other)\n  true\nend\n", "ruby", "Returns whether it includes the other"),
        ("package p\nfunc NewReader(a int) int { return a }\n", "go", "Returns a new reader"),
        ("class Ledger {\n  Ledger(int b) { }\n}\n", "java", "Creates a ledger"),
        ("class A {\n  public int hashCode() { return 1; }\n}\n", "java", "Returns the hash code"),
        ("function Button(a) { return a }\n", "javascript", None),
        ("class Entry {\n  constructor() { }\n}\n", "typescript", "Creates an entry"),
        ("<?php\nclass A { function copyFiles($a) { } }\n", "php", "Copies the files"),
        ("class A { bool operator==(int b) { return true; } };\n", "cpp", None),
    ],
)
def test_other_languages(code: str, language: str, sentence: str | None) -> None:
    assert said(code, language) == sentence
