"""The words of names: verbs and their forms, acronyms, abbreviations, and what kind of thing a word stands for."""

__all__ = [
    "ABBREVIATED_VERBS",
    "ACRONYMS",
    "BARE",
    "CLAIMS",
    "EXPANDED",
    "KEYED",
    "KEYS",
    "MADE",
    "MEANS",
    "NOUNS",
    "ON_ITSELF",
    "PATHS",
    "PLACES",
    "PREPOSITIONS",
    "SAID_BY_LANGUAGES",
    "TAKE_PREPOSITION",
    "TO_AND_FROM",
    "VERBS",
    "base_form",
    "third_person",
]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


VERBS = _set(
    """
    abort absorb accept accumulate acquire activate adapt add adjust advance aggregate align allocate allow
    analyze annotate announce append apply archive arrange ask assemble assert assign associate attach
    authenticate authorize await backup bind boot bootstrap bounce broadcast browse build bump cache calculate
    calibrate call cancel capitalize capture cast check choose claim clamp classify clean cleanup clear click clip
    clone close collapse collect combine commit compact compare compile complete compose compress compute concat
    concatenate configure confirm connect construct consume convert copy count create crop cut deactivate debounce
    debug decide declare decode decompress decorate decrement decrypt deduplicate defer define delegate delete
    deliver demote denormalize deploy dequeue derive describe deserialize destroy detach detect determine diff
    disable discard disconnect discover dispatch display dispose divide download drain draw drop dump duplicate
    edit embed emit emulate enable encode encrypt enforce enqueue ensure enter enumerate erase escape establish
    estimate evaluate evict examine exclude execute exit expand expect expire explain export expose extend extract
    fail fetch fill filter finalize find finish fire fit fix flatten flip flush fold follow forbid force forget
    fork format forward free freeze generate get grant group grow guess halt handle hash hide highlight hydrate
    identify ignore import include increment indent index infer inflate inherit initialize inject insert inspect
    install instantiate integrate interpolate interpret intersect invalidate invert invoke isolate iterate join
    jump keep kill launch lex limit link list listen load locate lock log login logout lookup make manage map mark
    marshal mask match materialize measure memoize merge migrate minify minimize modify monitor mount move
    multiply mutate negate normalize notify observe obtain offer open optimize order organize override overwrite
    pack pad paginate paint parse partition pass paste patch pause peek perform persist pick ping plan play plot
    poll pop populate post postpone preload prepare prepend preprocess present preserve press prevent print probe
    proceed process produce promote prompt propagate protect provide provision prune publish pull purge push put
    query queue quote raise randomize read reap rebuild receive recompute reconcile reconfigure reconnect record
    recover redirect redo reduce refresh register reject release reload remove rename render reopen reorder repair
    repeat replace replay reply report request require rerun reschedule reserve reset reshape resize resolve
    restart restore restrict resume retain retrieve retry return reuse reveal reverse revert revoke rewind rewrite
    roll rotate round route run sample sanitize save scale scan schedule score scroll search seed seek select send
    serialize serve set shift show shrink shuffle shutdown sign simplify simulate skip sleep slice slugify smooth
    snapshot solve sort spawn split squash squeeze stack start stop store stream strip stub submit subscribe
    subtract suggest summarize suppress suspend swap switch sync synchronize synthesize take teardown tell
    terminate test throttle throw toggle tokenize touch trace track train transfer transform translate transpose
    traverse trigger trim truncate tune turn unbind undo unescape unfold unify uninstall unlink unload unlock
    unmarshal unmount unpack unquote unregister unset unsubscribe unwrap unzip update upgrade upload upsert use
    validate verify visit vote wait wake walk warn watch wipe withdraw wrap write yield zip zoom
    """
)
"""Verbs that function names begin with."""

ACRONYMS = _set(
    """
    api ascii ast aws cli cpu crc css csv dns dom ftp gpu gui hmac html http https icmp ide io ip ipv4 ipv6 jpeg
    json jwt ldap lru md5 mime mp3 os pdf php png ram rest rgb rpc rss rtf sdk sha smtp sql ssh ssl svg tcp tls
    toml tsv ttl udp ui uri url usb utc utf utf8 uuid vm wav xml xpath yaml
    """
)
"""Written in capitals."""

BARE = _set(
    """
    a all an and another any as at back before behind between by down each either every for from if in into it no
    not of off on once one only or other out over own some that the this through to together under until up via
    when with within without
    """
)
"""Words that no article stands before."""

MEANS = _set(
    """
    app arg args attrs buf buffer builder callback client config context ctx cursor db engine env environ err
    event fn func input kwargs logger node obj object options opts out output params parent reader req request res
    response self sender session state stream this value values visitor writer
    """
)
"""Parameters that a function works with rather than on, or whose name says nothing."""

NOUNS = _set(
    """
    backup cache count hash index log map offset order plot query record report request route sample score stack
    test
    """
)
"""Verbs that may as well name what a function gives back."""

ON_ITSELF = _set(
    """
    build cancel clear close commit connect destroy disable disconnect dispose enable finish flush free freeze
    hide initialize kill launch lock open pause refresh release reload render reset restart restore resume run
    save show shut start stop terminate toggle unlock update validate
    """
)
"""Verbs that a method without parameters does to its object."""

ABBREVIATED_VERBS: dict[str, str] = {
    "alloc": "allocate", "calc": "calculate", "cmp": "compare", "conv": "convert", "cp": "copy", "del": "delete",
    "destruct": "destroy", "enc": "encode", "eval": "evaluate", "exec": "execute", "fmt": "format", "gen": "generate",
    "init": "initialize", "initialise": "initialize", "mk": "make", "mv": "move", "normalise": "normalize",
    "rm": "remove", "serialise": "serialize", "setup": "set up", "stringify": "stringify", "teardown": "tear down",
    "cleanup": "clean up", "shutdown": "shut down", "login": "log in", "logout": "log out", "lookup": "look up",
    "backup": "back up",
}  # fmt: skip

EXPANDED = {
    "arg": "argument", "args": "arguments", "attr": "attribute", "attrs": "attributes", "btn": "button",
    "cfg": "config", "ctx": "context", "curr": "current", "dest": "destination", "dir": "directory",
    "dirs": "directories", "dst": "destination", "err": "error", "idx": "index", "msg": "message", "num": "number",
    "param": "parameter", "params": "parameters", "prev": "previous", "req": "request", "resp": "response",
    "src": "source", "str": "string", "tmp": "temporary", "id": "ID", "ids": "IDs",
}  # fmt: skip

CLAIMS = {
    "are": "are", "can": "can", "contains": "contains", "does": "does", "has": "has", "have": "have", "is": "is",
    "matches": "matches", "needs": "needs", "should": "should", "supports": "supports", "was": "was", "will": "will",
}  # fmt: skip

SAID_BY_LANGUAGES = {
    "__repr__": ("return", "a representation for debugging"), "__str__": ("return", "a readable representation"),
    "__len__": ("return", "the number of items"), "__iter__": ("iterate", "over the items"),
    "__eq__": ("return", "whether both are equal"), "__ne__": ("return", "whether both differ"),
    "__lt__": ("return", "whether this comes before the other"), "__hash__": ("return", "the hash"),
    "__contains__": ("return", "whether it contains the item"), "__bool__": ("return", "the truth value"),
    "__enter__": ("enter", "the context"), "__exit__": ("exit", "the context"),
    "__aenter__": ("enter", "the context"), "__aexit__": ("exit", "the context"),
    "__getitem__": ("return", "the item"), "__setitem__": ("set", "the item"), "__delitem__": ("delete", "the item"),
    "__getattr__": ("return", "the attribute"), "__setattr__": ("set", "the attribute"),
    "__next__": ("return", "the next item"), "hashCode": ("return", "the hash code"),
    "GetHashCode": ("return", "the hash code"),
}  # fmt: skip
"""Names that a language gives a meaning, as verb and rest."""

TAKE_PREPOSITION = {
    "connect": "to", "iterate": "over", "jump": "to", "listen": "to", "redirect": "to", "reply": "to", "scroll": "to",
    "subscribe": "to", "switch": "to", "wait": "for",
}  # fmt: skip
"""Verbs with the word that stands before their object."""

PLACES = _set("for from in inside into of on onto with within")
PREPOSITIONS = PLACES | _set("after as at before between by since to under until via")
MADE = _set("array bytes dict dictionary hash int integer list map set string")
"""What a value is converted to one of."""
KEYS = _set("ID i idx index k key keys name pos position")
"""Parameters by which something is found."""
KEYED = frozenset({"delete", "fetch", "find", "get", "load", "look up", "pop", "read", "remove"})
"""Verbs about the thing that is found."""
PATHS = _set("URI URL dest destination directory file filename filepath folder path")
"""Parameters that say where something is."""
TO_AND_FROM = {
    "dump": "to", "export": "to", "fetch": "from", "import": "from", "load": "from", "read": "from", "save": "to",
    "write": "to",
}  # fmt: skip
"""Verbs that move something to or from such a place."""

_IRREGULAR = {"do": "does", "go": "goes", "have": "has"}
_SIBILANTS = ("s", "x", "z", "ch", "sh")


def third_person(verb: str) -> str:
    """Return the form that goes with it: `copy` gives copies, `set up` gives sets up."""
    first, _, particle = verb.partition(" ")
    if first in _IRREGULAR:
        first = _IRREGULAR[first]
    elif first.endswith(_SIBILANTS):
        first += "es"
    elif first.endswith("y") and first[-2:-1] not in "aeiou":
        first = f"{first[:-1]}ies"
    else:
        first += "s"
    return f"{first} {particle}".rstrip()


def base_form(word: str) -> str:
    """Return the verb of a third person, such as `copy` of copies; `word` itself if it is none that is known."""
    return _BASE_FORMS.get(word, word)


_BASE_FORMS = {third_person(verb): verb for verb in VERBS}
