"""The pretraining objectives of CodeT5+, one per file, as pure functions.

How each objective lays out its tokens; the exported model is asked in the same layouts:

| objective | encoder | decoder input | predicted |
|---|---|---|---|
| span denoising | chunk with sentinels | `[EOS] [MASK0] span [MASK1] span` | the same, shifted, then `[EOS]` |
| seq2seq causal LM | `[CLM] prefix` | `[EOS] suffix` | suffix |
| decoder-only causal LM | `[CLM]` | tokens | the next token |
| contrastive | `[CLS] text`, `[CLS] code` | - | state at `[CLS]` |
| matching | `[CLS] text` | `[EOS] [Match] code [EOS]` | state at the last `[EOS]` |
| text to code | `[CLS] text` | `[EOS] [CDec] code` | code, then `[EOS]` |
| code to text | `[CLS] code` | `[EOS] [TDec] text` | text, then `[EOS]` |

What opens the decoder is defined, with the reason, in `codet5p.core.decoder_inputs`.

`[EOS]` also ends each file of a packed stream, and so starts the next one. Functions that build batches work on whole
numpy blocks, without a loop over rows; functions that compute losses work on tensors. None of them holds state: the
momentum encoder, the key queue and every random generator belong to the trainer.

Source: CodeT5+ (arXiv 2305.07922) sections 3.1 and 3.2. Where the paper is silent (what starts the decoder in stage 1,
whether an encoder input ends in `[EOS]`) the table above is our choice.
"""
