"""Training a byte-level BPE tokenizer with the task tokens behind its vocabulary."""

from collections.abc import Iterable

from tokenizers import AddedToken, decoders, models, pre_tokenizers, trainers
from tokenizers import Tokenizer as _BpeTokenizer

from codet5p.core.special_tokens import SPECIAL_TOKENS
from codet5p.core.tokenizer import Tokenizer

__all__ = ["train_tokenizer"]


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> Tokenizer:
    """Return a byte-level BPE tokenizer trained on `texts`.

    Args:
        texts: Source files.
        vocabulary: Tokens without the task tokens; at least the 256 bytes.

    Returns:
        The tokenizer; digits are single tokens, as in SmolLM2's.

    Source: CodeT5 (arXiv 2109.00859) section 3.1 trains a code-specific byte-level BPE; CodeT5+ reuses it.
    """
    tokenizer = _BpeTokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS])
    return Tokenizer(tokenizer)
