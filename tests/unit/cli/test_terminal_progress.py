import io

from rich.console import Console

from codet5p.cli.terminal_progress import byte_progress


def test_nothing_is_drawn_where_nothing_is_done() -> None:
    output = io.StringIO()
    with byte_progress("preparing", 100, Console(file=output, force_terminal=True)):
        pass
    assert output.getvalue() == ""


def test_the_bar_counts_bytes() -> None:
    output = io.StringIO()
    with byte_progress("preparing", 1000, Console(file=output, force_terminal=True, width=100)) as advance:
        advance(400)
        advance(600)
        assert advance._progress.tasks[0].completed == 1000
    assert "preparing" in output.getvalue()


def test_the_bar_ends_where_the_work_fails() -> None:
    progress = byte_progress("preparing", 10, Console(file=io.StringIO(), force_terminal=True))
    advance = progress.__enter__()
    advance(1)
    assert advance._progress.live.is_started
    error = KeyboardInterrupt()
    assert not progress.__exit__(KeyboardInterrupt, error, None)
    assert not advance._progress.live.is_started
