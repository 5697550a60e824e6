"""Whether a search line means one function or the place where something is dealt with.

"Returns the number of bytes left" describes one function, and what else is in its file is of no help; "how are routes
registered" and "connection pooling" ask for a place, and a file with many good chunks is a better answer than a single
one. Nobody says which is meant, but the line's form tells: what begins with a verb, as documentation does, and what is
long and exact, is about a function. Measured in docs/experiments.md.
"""

import re

__all__ = ["means_function"]

_WORD = re.compile(r"[A-Za-z_]+")
_MIN_WORDS = 3
_LONG = 10

_QUESTIONS = frozenset({"how", "what", "where", "which", "why", "who", "does", "are"})
_OPENINGS = frozenset({
    "a", "an", "called", "either", "false", "given", "helper", "internal", "is", "like", "returns", "shortcut", "the",
    "this", "true", "used", "when", "whether",
})  # fmt: skip
# Verbs that are hardly ever nouns before another noun.
_VERBS = frozenset({
    "accept", "acquire", "activate", "add", "adjust", "append", "apply", "assert", "assign", "attach", "authenticate",
    "authorize", "begin", "bind", "calculate", "choose", "clean", "collect", "combine", "compare", "compile",
    "complete", "compute", "concatenate", "configure", "confirm", "construct", "consume", "convert", "copy", "create",
    "deactivate", "decode", "decorate", "decrement", "decrypt", "define", "delete", "describe", "deserialize",
    "destroy", "detach", "detect", "determine", "disable", "discard", "disconnect", "divide", "do", "drop", "emit",
    "enable", "encode", "encrypt", "ensure", "enter", "enumerate", "erase", "establish", "estimate", "evaluate",
    "execute", "expand", "extend", "extract", "fail", "fetch", "fill", "finalize", "find", "finish", "flatten",
    "flush", "free", "freeze", "generate", "get", "give", "grab", "identify", "ignore", "implement", "import",
    "include", "increment", "indicate", "infer", "inform", "init", "initialise", "initialize", "inject", "insert",
    "inspect", "install", "instantiate", "interpret", "invalidate", "invert", "invoke", "iterate", "join", "keep",
    "leave", "listen", "make", "manage", "migrate", "modify", "multiply", "mutate", "normalise", "normalize",
    "notify", "obtain", "open", "parse", "peek", "perform", "persist", "populate", "prefetch", "prepare", "prepend",
    "preserve", "prevent", "produce", "provide", "rebuild", "receive", "recover", "reduce", "refresh", "register",
    "reject", "remove", "rename", "reorder", "replace", "require", "resize", "respond", "restart", "restore",
    "resume", "retrieve", "retry", "return", "reuse", "rewind", "sanitize", "save", "seek", "send", "serialise",
    "serialize", "serve", "shuffle", "shutdown", "simplify", "spawn", "specify", "strip", "submit", "subscribe",
    "substitute", "subtract", "suspend", "synchronize", "take", "tell", "terminate", "traverse", "truncate", "unbind",
    "uncompress", "undo", "unescape", "uninstall", "unload", "unlock", "unpack", "unregister", "unset", "unsubscribe",
    "unwrap", "validate", "verify",
})  # fmt: skip
# Words that are verbs only where something is done to "the", "all" or "a" thing: "read the body", not "read timeout".
_NOUNS_TOO = frozenset({
    "access", "allocate", "build", "cache", "call", "cancel", "change", "check", "clear", "clone", "close", "commit",
    "connect", "count", "dispatch", "display", "download", "draw", "dump", "end", "escape", "exit", "export",
    "filter", "fold", "force", "format", "group", "handle", "hash", "hide", "issue", "jump", "kill", "launch",
    "limit", "link", "list", "load", "lock", "log", "look", "map", "mark", "match", "measure", "merge", "monitor",
    "move", "order", "override", "pad", "pass", "patch", "pick", "poll", "pop", "post", "print", "process", "prompt",
    "prune", "publish", "pull", "push", "put", "query", "queue", "raise", "read", "record", "redirect", "release",
    "reload", "render", "repeat", "report", "request", "reset", "resolve", "reverse", "rewrite", "roll", "rotate",
    "round", "run", "scale", "scan", "schedule", "search", "select", "set", "setup", "shift", "show", "shut", "sign",
    "signal", "skip", "sleep", "slice", "sort", "split", "start", "stop", "store", "stream", "sum", "swap", "switch",
    "test", "throw", "toggle", "track", "transfer", "transform", "translate", "trigger", "trim", "try", "turn",
    "update", "upgrade", "upload", "use", "visit", "wait", "walk", "warn", "watch", "wrap", "write", "yield",
})  # fmt: skip
_OBJECTS = frozenset({
    "a", "all", "an", "any", "as", "by", "each", "every", "from", "given", "if", "into", "it", "its", "new", "on",
    "one", "our", "that", "the", "their", "this", "to", "whether", "with",
})  # fmt: skip


def means_function(text: str) -> bool:
    """Return whether a search line describes one function, rather than asks where something is dealt with.

    Args:
        text: The line without its filters.

    Returns:
        True for a line of at least three words that begins with a verb or as a sentence about a thing does, and for
        every long one; never for a question.
    """
    words = _WORD.findall(text.lower())
    if len(words) < _MIN_WORDS or words[0] in _QUESTIONS:
        return False
    first, second = words[:2]
    if len(words) >= _LONG or first in _OPENINGS or first in _VERBS:
        return True
    return (first in _NOUNS_TOO and second in _OBJECTS) or _is_third_person(first)


def _is_third_person(word: str) -> bool:
    """Tell whether a word is a known verb with the ending of the third person, as in "returns" and "copies"."""
    if word in _NOUNS_TOO or not word.endswith("s"):
        return False
    bases = (word[:-1], word.removesuffix("es"), f"{word.removesuffix('ies')}y")
    return any(base in _VERBS or base in _NOUNS_TOO for base in bases)
