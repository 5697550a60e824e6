"""Which files are left out by their name alone: foreign, generated, test and blocked code."""

import re
from collections.abc import Set as AbstractSet

__all__ = ["path_drop_reason"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_VENDORED = _words(
    """vendor vendors vendored _vendor _vendored third_party third-party thirdparty 3rdparty 3rd-party 3rd_party
    external externals extern deps dependencies node_modules bower_components bundled bundle bundles embedded godeps
    contrib-libs debian site-packages jspm_packages submodules libs-external extlibs"""
)
_TEST_DATA = _words(
    """testdata test-data test_data testfiles test_files fixtures fixture snapshots __snapshots__ __fixtures__ golden
    goldens baselines baseline mocks __mocks__ __mock__ locales locale i18n l10n translations cassettes corpora
    samples-data sampledata resources-test"""
)
_TESTS = _words(
    """test tests testing-tests __tests__ spec specs testsuite test-suite unittests unittest unit_tests integrationtest
    integrationtests integration_tests e2e jtreg cts testcases test_suite testlib"""
)
_GENERATED = _words(
    """dist build out umd esm cjs amd esnext es6 es5 fesm2015 fesm2020 fesm2022 esm5 esm2015 generated _generated gen
    autogen generated-src generated-sources __generated__ lib-esm lib-amd lib-commonjs commonjs compiled minified
    obj bin .next _build cmake-build"""
)
# Blocked packages whose names are ordinary folder names: such a folder says nothing about what is in it.
_ORDINARY = _words(
    """accounting analytics basic builder cluster cms combine components composer config core data decorators
    dependencies descriptors dispatch display entrypoints events gems generator globals graphics graphql helpers home
    hook http image interface loader lists logger logging mapper matrix messages model models package pages parser path
    pattern plugins pricing probability projects proj prometheus promise pub reflect renderer request router runtime
    schema sdk seed server sessions slim spec spectrum state storage store stream template templates tensor testing
    text tools types utils validation validator vision wasm web widgets"""
)
_GENERATED_NAME = re.compile(
    r"""\.pb\.\w+$ | _pb2(_grpc)?\.pyi?$ | \.g(enerated)?\.\w+$ | \.designer\.\w+$ | (_|\.)gen\.go$
      | (^|/)zz_generated | [.-]min\.\w+$ | \.d\.[mc]?ts$ | \.(bundle|prod|production|umd|esm|cjs|common)\.\w+$
      | (^|/)moc_ | (^|/)ui_\w+\.h$ | assemblyinfo\.cs$ | _string\.go$ | (^|/)bindata\.go$ | \.tab\.[ch]$ | lex\.yy\.c$
      | parsetab\.py$ | _parser\.tab | (^|/)y\.tab | \.generated | (^|/)amalgamation | (^|/)sqlite3\.c$""",
    re.VERBOSE,
)
_TEST_NAME = re.compile(
    r"""(^|/)(test_[^/]*|[^/]*_tests?|[^/]*_spec|conftest)\.\w+$
      | \.(test|tests|spec|e2e|stories|story|bench)\.\w+$""",
    re.VERBOSE | re.IGNORECASE,
)
_CAMEL_TEST_NAME = re.compile(r"(^|/)(\w+Tests?|\w+TestCase|Test[A-Z]\w*)\.(java|cs|php|cpp|cc)$")


_TEST_SUFFIXES = (".tests", "-tests", "_tests", ".test")


def path_drop_reason(path: str, blocked: AbstractSet[str]) -> str | None:
    """Return why a file is left out by its path, or None if it may stay.

    Args:
        path: Relative to the root of its project, with forward slashes.
        blocked: Lower-case folder names that hold copies of packages kept for evaluation.

    Returns:
        `vendored`, `blocked copy`, `test data`, `test`, `generated`, or None.
    """
    lowered = path.lower()
    folders = set(lowered.split("/")[:-1])
    reasons = {
        "vendored": folders & _VENDORED,
        "blocked copy": any(folder.replace("_", "-") in blocked for folder in folders - _ORDINARY),
        "test data": folders & _TEST_DATA,
        "test": folders & _TESTS or any(folder.endswith(_TEST_SUFFIXES) for folder in folders),
        "generated": folders & _GENERATED or _GENERATED_NAME.search(lowered),
    }
    if reason := next((name for name, found in reasons.items() if found), None):
        return reason
    return "test" if _TEST_NAME.search(lowered) or _CAMEL_TEST_NAME.search(path) else None
