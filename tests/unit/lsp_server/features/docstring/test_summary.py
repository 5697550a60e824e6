from threading import Event

from fake_writer import FakeWriter

from codet5p.core.syntax import extract_functions
from codet5p.lsp_server.features.docstring.summary import Summary, subject_of, summary_by_model, summary_by_name
from codet5p.lsp_server.features.docstring.writer import Subject

TEXT = "class A:\n    def read_config(self, path):\n        return path\n"
SOURCE = "def read_config(self, path):\n    return path"


def test_a_writer_is_told_the_code_alone_and_what_its_name_says() -> None:
    [function] = extract_functions(TEXT, "python")
    assert subject_of(TEXT, function) == Subject(source=SOURCE, language="python", name_says="Reads the config")


def test_sentences_take_the_voice_of_the_file() -> None:
    subject = Subject(source=SOURCE, language="python", name_says="Reads the config")
    writer = FakeWriter(" Adds\n things. ")
    other = extract_functions('def f():\n    """Returns it."""\n', "python")
    assert summary_by_name(subject, []) == Summary(text="Read the config.", is_by_model=False)
    assert summary_by_name(subject, other) == Summary(text="Reads the config.", is_by_model=False)
    assert summary_by_model(subject, [], writer, Event()) == Summary(text="Add things.", is_by_model=True)
    assert summary_by_model(subject, other, writer, Event()) == Summary(text="Adds things.", is_by_model=True)


def test_there_is_no_sentence_where_there_is_nothing_to_say() -> None:
    subject = Subject(source="def f(): pass", language="python")
    assert summary_by_name(subject, []) is None
    for sentence in (None, "", "  \n"):
        assert summary_by_model(subject, [], FakeWriter(sentence), Event()) is None
