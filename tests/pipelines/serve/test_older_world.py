"""A world that an older version wrote is served, without the views it lacks, and says so."""

from pathlib import Path

from tests.pipelines.serve.conftest import service
from tests.warehouse.made import copied
from warehouse import lake


def test_a_world_that_lacks_a_view_serves_the_others_and_says_what_helps(served_world: Path, tmp_path: Path) -> None:
    copied(served_world, tmp_path)
    with lake.open(tmp_path, read_only=False) as opened:
        opened.connection.execute("DROP VIEW lake.side_sanity")
    with service(tmp_path) as served:
        assert served.client.get("/v1/liquidations/totals").status_code == 200
        paths = served.client.get("/openapi.json").json()["paths"]
        assert "/v1/liquidations/totals" in paths
        lacking = [path for path in paths if path.endswith("side_sanity")]
        assert lacking == []
        whole = served.client.get("/v1/liquidations/side_sanity")
        assert whole.status_code == 404
        assert "older version" in whole.json()["detail"]
