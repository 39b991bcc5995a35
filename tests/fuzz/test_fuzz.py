"""Every parser, the envelope and the door of ingest, on inputs that nobody sends."""

import asyncio
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz import door, targets
from tests.fuzz.dice import Dice
from tests.warehouse.made import copied
from warehouse import schema

MANY = settings(deadline=None, max_examples=2000, suppress_health_check=list(HealthCheck))
data = st.binary(min_size=1, max_size=40)


@pytest.fixture(scope="module")
def empty_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = tmp_path_factory.mktemp("empty")
    schema.create_or_migrate(world)
    return world


@MANY
@given(data)
def test_whatever_comes_every_parser_gives_rows_or_dead_letters_and_no_wrong_side(given: bytes) -> None:
    targets.parsers(given)


@settings(MANY, max_examples=150)
@given(data)
def test_whatever_comes_the_tables_are_the_same_in_bulk_as_one_by_one(given: bytes) -> None:
    targets.tables(given)


@MANY
@given(data)
def test_whatever_comes_a_collector_names_it_or_not_and_kafka_gives_it_back(given: bytes) -> None:
    targets.naming(given)


@MANY
@given(data)
def test_whatever_record_there_is_it_is_a_frame_or_a_dead_letter(given: bytes) -> None:
    targets.envelope(given)


@settings(MANY, max_examples=4, phases=[Phase.generate])
@given(st.integers(0, 2**32))
def test_whatever_kafka_holds_it_is_committed_once_and_what_follows_is_derived(
    empty_world: Path, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    world = tmp_path_factory.mktemp("door")
    copied(empty_world, world)
    given = door.records(Dice(random.Random(seed).randbytes(20_000)), 400)
    assert not asyncio.run(door.through(world, given))
