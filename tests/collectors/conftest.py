"""What tests of collectors share."""

import pytest

from collectors.delivery import keeper as keeping
from collectors.delivery import sending
from tests.collectors.fake_kafka import FakeKafka


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> FakeKafka:
    monkeypatch.setattr(sending, "delays", lambda: iter(lambda: 0.001, None))
    monkeypatch.setattr(keeping, "MOMENT_S", 0.002)
    return FakeKafka(monkeypatch)
