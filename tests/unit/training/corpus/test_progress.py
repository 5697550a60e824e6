"""The bars of a build."""

import io

from rich.console import Console

from codet5p.training.corpus.progress import BuildProgress


def test_stages_that_run_side_by_side_show_their_totals_rates_and_failures() -> None:
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=120, color_system=None)
    with BuildProgress(console).stages({"fetch": 2, "filter": 2}) as stages:
        stages["fetch"].advance(3_000_000)
        stages["fetch"].fail("npm:left", "404 [not markup]")
        stages["filter"].expect_less()
        stages["filter"].advance(0)
    final = output.getvalue()
    assert "fetch: npm:left left out: 404 [not markup]" in final
    assert "2/2 3 MB" in final
    assert "1 left out" in final
    assert "1/1" in final
