from pathlib import Path

import pytest
from bert_folder import bert_tokenizer_json
from hypothesis import given
from hypothesis import strategies as st

from codet5p.core.errors import ArtifactError
from codet5p.core.special_tokens import CLM, SPECIAL_TOKENS
from codet5p.core.tokenizer import Tokenizer
from codet5p.model.importers.minilm import code_word_pieces


@pytest.fixture(scope="module")
def word_pieces(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    path.write_text(code_word_pieces(bert_tokenizer_json()), "utf-8")
    return Tokenizer.from_file(path)


ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",)))
CODE = "def größe(x):\r\n\treturn x  # 😀 𠮷\n"


@given(text=ANY_TEXT)
def test_decoding_gives_back_every_text(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == text


@given(texts=st.lists(ANY_TEXT, max_size=4))
def test_a_batch_is_encoded_like_its_texts(tokenizer: Tokenizer, texts: list[str]) -> None:
    assert tokenizer.encode_batch(texts) == [tokenizer.encode(text) for text in texts]


@pytest.mark.parametrize("text", ["[CLM]", "x = '<|endoftext|>'", "[MASK7][CLS] [EOS]"])
def test_the_name_of_a_special_token_in_code_is_only_text(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert tokenizer.special_ids.isdisjoint(ids)
    assert tokenizer.special_ids.isdisjoint(tokenizer.encode_batch([text])[0])
    assert tokenizer.decode(ids) == text


def test_the_bytes_of_the_tokens_are_the_bytes_of_the_text(tokenizer: Tokenizer) -> None:
    joined = b"".join(tokenizer.token_bytes[token_id] for token_id in tokenizer.encode(CODE))
    assert joined == CODE.encode()


def test_every_byte_has_a_token_of_its_own(tokenizer: Tokenizer) -> None:
    assert {bytes([byte]) for byte in range(256)} <= set(tokenizer.token_bytes)


def test_special_tokens_stand_for_no_bytes(tokenizer: Tokenizer) -> None:
    specials = {tokenizer.token_id(token) for token in SPECIAL_TOKENS}
    assert specials < tokenizer.special_ids
    assert all(tokenizer.token_bytes[token_id] == b"" for token_id in tokenizer.special_ids)
    assert tokenizer.decode([tokenizer.token_id(CLM), *tokenizer.encode("x")]) == "x"


def test_a_character_cut_in_the_middle_decodes_to_one_replacement_character(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("a😀")
    assert len(ids) == 5
    assert tokenizer.decode(ids[:-1]) == "a\ufffd"


def test_tokens_are_listed_in_the_order_of_their_ids(tokenizer: Tokenizer) -> None:
    assert len(tokenizer.tokens) == tokenizer.vocab_size
    assert all(tokenizer.token_id(token) == index for index, token in enumerate(tokenizer.tokens))


def test_an_unknown_token_is_named(tokenizer: Tokenizer) -> None:
    with pytest.raises(ValueError, match=r"the vocabulary has no token '\[NONE\]'"):
        tokenizer.token_id("[NONE]")


def test_a_saved_tokenizer_reads_back_the_same(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path / "tokenizer.json")
    again = Tokenizer.from_file(tmp_path / "tokenizer.json")
    assert again.tokens == tokenizer.tokens
    assert again.special_ids == tokenizer.special_ids
    assert again.encode(CODE + "[CLS]") == tokenizer.encode(CODE + "[CLS]")


def test_a_missing_file_is_one_line_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    with pytest.raises(ArtifactError) as caught:
        Tokenizer.from_file(path)
    assert str(caught.value) == f"cannot read the tokenizer {path}: No such file or directory; see codet5p doctor"


@pytest.mark.parametrize("content", [b"", b"{}", b'{"model": 3}', b"\xff\xfe", b"[1,\n2"])
def test_a_malformed_file_is_one_line_with_the_remedy(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(ArtifactError) as caught:
        Tokenizer.from_file(path)
    message = str(caught.value)
    assert message.startswith(f"{path} is not a tokenizer: ")
    assert message.endswith("; see codet5p doctor")
    assert "\n" not in message


def test_word_pieces_come_back_as_words_behind_blanks(word_pieces: Tokenizer) -> None:
    assert word_pieces.decode(word_pieces.encode("parseHttpHeaders")) == " parse http headers"
    assert word_pieces.token_bytes[word_pieces.token_id("##er")] == b"er"
    assert word_pieces.token_bytes[word_pieces.token_id(CLM)] == b""


def test_the_name_of_a_special_token_is_only_text_for_word_pieces_too(word_pieces: Tokenizer) -> None:
    assert word_pieces.special_ids.isdisjoint(word_pieces.encode("[CLS] [CLM] [SEP]"))
