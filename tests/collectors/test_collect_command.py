"""The command: plan, arguments and settings, exit codes."""

import pytest
from typer.testing import CliRunner

from liq import app


def test_the_plan_needs_no_network_when_told_how_many_symbols() -> None:
    result = CliRunner().invoke(app, ["collect", "--plan", "--symbols", "700,800,460"])
    assert result.exit_code == 0
    assert "wss://fstream.binance.com/market/ws" in result.output
    for told in ("binance: 700 instruments", "bybit: 800 instruments", "okx: 460 instruments"):
        assert told in result.output


def test_klines_and_ratios_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIQ_COLLECT_KLINES", "off")
    monkeypatch.setenv("LIQ_COLLECT_RATIOS", "false")
    result = CliRunner().invoke(app, ["collect", "all", "--plan", "--symbols", "50"])
    assert result.exit_code == 0
    assert "openInterest" in result.output
    assert "kline" not in result.output
    assert "1-minute" not in result.output
    assert "Ratio" not in result.output


@pytest.mark.parametrize(
    ("arguments", "name", "value", "said"),
    [
        (["mtgox"], "", "", "no venue 'mtgox'"),
        (["okx", "--plan", "--symbols", "many"], "", "", "--symbols many"),
        (["okx", "bybit", "--plan", "--symbols", "1,2,3"], "", "", "one number, or 2 with commas"),
        (["okx"], "LIQ_COLLECT_BUFFER_MIB", "many", "LIQ_COLLECT_BUFFER_MIB=many"),
        (["okx"], "LIQ_COLLECT_KLINES", "true", "LIQ_COLLECT_KLINES=true"),
        (["okx"], "LIQ_OKX_WS", "ws.okx.com", "LIQ_OKX_WS=ws.okx.com"),
        (["okx"], "LIQ_KAFKA_BOOTSTRAP", "here", "LIQ_KAFKA_BOOTSTRAP=here"),
    ],
)
def test_a_wrong_argument_or_setting_is_named_and_exits_with_2(
    arguments: list[str], name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name:
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(app, ["collect", *arguments])
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_venue_that_cannot_be_asked_for_its_plan_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIQ_OKX_REST", "http://127.0.0.1:9")
    result = CliRunner().invoke(app, ["collect", "okx", "--plan"])
    assert result.exit_code == 1
    assert "http://127.0.0.1:9/api/v5/public/instruments does not answer" in result.stderr
