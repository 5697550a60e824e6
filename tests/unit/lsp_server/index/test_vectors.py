import sqlite3
from collections.abc import Iterator
from hashlib import blake2b

import numpy as np
import pytest
from numpy.typing import NDArray

from codet5p.lsp_server.index import vectors
from codet5p.lsp_server.index.schema import upgrade
from codet5p.lsp_server.index.vectors import VectorTable, pack, unpack

_WIDTH = 200  # no multiple of 64, so that the signs' last word is filled in part


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    upgrade(connection)
    yield connection
    connection.close()


def unit_vectors(count: int, seed: int = 0) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).standard_normal((count, _WIDTH), np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def hash_of(number: int) -> bytes:
    return blake2b(str(number).encode(), digest_size=16).digest()


def store(connection: sqlite3.Connection, rows: NDArray[np.float32], first: int = 0, model: str = "m") -> None:
    connection.executemany(
        "REPLACE INTO vectors(model, content_hash, vector) VALUES (?, ?, ?)",
        [(model, hash_of(first + number), stored) for number, stored in enumerate(pack(rows))],
    )


def filled(connection: sqlite3.Connection, rows: NDArray[np.float32]) -> VectorTable:
    store(connection, rows)
    table = VectorTable("m")
    table.refresh(connection)
    return table


def test_a_stored_vector_keeps_its_cosines_to_a_thousandth() -> None:
    rows = unit_vectors(50)
    restored = np.stack([unpack(stored) for stored in pack(rows)])
    np.testing.assert_allclose(restored @ rows.T, rows @ rows.T, atol=2e-3)


def test_a_vector_of_zeros_can_be_stored() -> None:
    assert not unpack(pack(np.zeros((1, _WIDTH), np.float32))[0]).any()


def test_the_nearest_are_those_of_an_exact_search(connection: sqlite3.Connection) -> None:
    rows = unit_vectors(500)
    query = unit_vectors(1, seed=1)[0]
    nearest = next(filled(connection, rows).nearest(query, 10))
    exact = rows @ query
    found = [score for _, score in nearest]
    np.testing.assert_allclose(found, np.sort(exact)[::-1][:10], atol=2e-3)
    assert found == sorted(found, reverse=True)
    assert nearest[0][0] == hash_of(int(exact.argmax()))


def test_the_first_pass_by_signs_keeps_what_is_near(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "_ALL_BELOW", 0)
    monkeypatch.setattr(vectors, "_LOOKED_AT", 50)
    rows = unit_vectors(500)
    query = rows[7] + 0.8 * rows[8]
    query /= np.linalg.norm(query)
    nearest = next(filled(connection, rows).nearest(query, 2))
    assert [content for content, _ in nearest] == [hash_of(7), hash_of(8)]


def test_whoever_asks_on_gets_all_of_them_in_the_end(connection: sqlite3.Connection) -> None:
    lists = list(filled(connection, unit_vectors(30)).nearest(unit_vectors(1)[0], 2))
    assert [len(found) for found in lists] == [2, 16, 30]
    assert lists[0] == lists[2][:2]


def test_similarities_are_those_of_the_vectors_there_are(connection: sqlite3.Connection) -> None:
    rows = unit_vectors(20)
    found = filled(connection, rows).similarities(rows[3], [hash_of(3), hash_of(5), hash_of(99)])
    assert found == pytest.approx({hash_of(3): 1.0, hash_of(5): float(rows[5] @ rows[3])}, abs=2e-3)


def test_only_what_is_new_is_read_and_only_of_the_model(connection: sqlite3.Connection) -> None:
    rows = unit_vectors(10)
    table = filled(connection, rows[:4])
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    store(connection, rows[4:], first=4)
    store(connection, rows, model="other")
    table.refresh(connection)
    assert len(table) == 10
    assert "id > 4" in statements[-1]
    assert next(table.nearest(rows[8], 1))[0][0] == hash_of(8)


def test_an_empty_table_finds_nothing(connection: sqlite3.Connection) -> None:
    table = VectorTable("m")
    table.refresh(connection)
    assert list(table.nearest(unit_vectors(1)[0], 5)) == [[]]
    assert table.similarities(unit_vectors(1)[0], [hash_of(1)]) == {}
