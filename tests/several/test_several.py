"""Two ingests on one lake in a real PostgreSQL, killed in several ways: their tables are those of one that nobody disturbs."""

from pathlib import Path
from typing import Any

from tests.several.trial import Trial
from tests.warehouse.servers import S3, Postgres

FAULTS = ["lose", "files", "terminate_all"]


async def test_two_ingests_that_are_killed_store_what_one_undisturbed_ingest_stores(
    fresh_kafka: dict[str, Any], postgres_server: Postgres, s3_server: S3, tmp_path: Path
) -> None:
    shared = {
        "LIQ_CATALOGUE": postgres_server.database("several"), "LIQ_FILES": "s3://lake/several", **s3_server.settings,
    }  # fmt: skip
    trial = Trial(tmp_path, fresh_kafka, shared, workers=2, seed=5, rate=300, s3=s3_server, gone_s=3)
    told = await trial.run(FAULTS)
    print(told)
    assert told.differences == {}
    assert max(told.takeovers_s["lose"]) < 90, "30 s where nothing else runs"
