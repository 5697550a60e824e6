"""Files left out by their names."""

import pytest

from codet5p.training.corpus.path_rules import path_drop_reason


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("src/app/main.py", None),
        ("lib/testing/tools.py", None),
        ("pkg/contest.py", None),
        ("src/Latest.java", None),
        ("vendor/lib.go", "vendored"),
        ("a/node_modules/b/index.js", "vendored"),
        ("third_party/zlib/inflate.c", "vendored"),
        ("debian/rules.py", "vendored"),
        ("a/testdata/x.go", "test data"),
        ("spec/fixtures/a.rb", "test data"),
        ("src/locales/de.ts", "test data"),
        ("tests/unit/a.py", "test"),
        ("src/test/java/A.java", "test"),
        ("src/test_store.py", "test"),
        ("store_test.go", "test"),
        ("cart_spec.rb", "test"),
        ("src/CartTest.java", "test"),
        ("src/cart.spec.ts", "test"),
        ("src/button.stories.tsx", "test"),
        ("Store.Tests/Cart.cs", "test"),
        ("dist/index.js", "generated"),
        ("lib/jquery.min.js", "generated"),
        ("src/api.pb.go", "generated"),
        ("proto/api_pb2.py", "generated"),
        ("Form1.Designer.cs", "generated"),
        ("types/index.d.ts", "generated"),
        ("zz_generated.deepcopy.go", "generated"),
        ("lib/attrs/make.py", "blocked copy"),
        ("lib/nlohmann_json/json.hpp", "blocked copy"),
        ("lib/utils/make.py", None),
    ],
)
def test_paths_are_judged(path: str, reason: str | None) -> None:
    assert path_drop_reason(path, {"attrs", "nlohmann-json", "utils"}) == reason
