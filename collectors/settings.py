"""Settings of the collectors that are the same for all venues; a venue's addresses are in its own file."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors import topics
from collectors.venues.venue import Source


class CollectorSettings(BaseSettings):
    """Read from the environment, prefix LIQ_COLLECT_. Times in seconds, sizes in MiB."""

    model_config = SettingsConfigDict(env_prefix="LIQ_COLLECT_")

    open_timeout_s: float = Field(10.0, gt=0, description="longest time to connect, seconds")
    ack_timeout_s: float = Field(10.0, gt=0, description="longest time until a subscription is acknowledged, seconds")
    close_timeout_s: float = Field(2.0, gt=0, description="longest time to close a connection, seconds")
    keepalive_s: float = Field(20.0, gt=0, description="seconds between WebSocket pings, and to wait for the pong")
    silent_s: float | None = Field(None, gt=0, description="seconds until a feed counts as silent; unset: the venue's")
    suspect_below: float = Field(
        1e-6,
        gt=0,
        lt=1,
        description="a second socket is opened if the silence of a liquidation channel is less likely than this, were the "
        "channel to work",
    )
    lifetime_s: float | None = Field(None, gt=0, description="seconds a connection lives; unset: the venue's")
    first_delay_s: float = Field(0.5, gt=0, description="first delay before a reconnect, seconds; it doubles to 30")
    rest_timeout_s: float = Field(10.0, gt=0, description="longest time for a REST answer, seconds")
    rest_share: float = Field(0.8, gt=0, le=1, description="share of a venue's REST budget that may be used")
    klines: Literal["poll", "stream", "off"] = Field(
        "poll",
        description="1-minute klines: poll (each contract every 5 minutes), stream (each change as it happens: about 80 GB "
        "a day for a large venue), or off",
    )
    ratios: bool = Field(True, description="whether long/short ratios and taker volumes are polled")
    poll_scale: float = Field(1.0, gt=0, description="factor on every poll's period; below 1 polls more often")
    buffer_mib: int = Field(
        64,
        ge=1,
        description="MiB of memory for frames that neither Kafka nor the spool has; if it is full, reading stops",
    )
    spool_mib: int = Field(
        4096,
        ge=0,
        description="MiB on disk, in LIQ_DATA/spool, for frames while Kafka is away; if it is full, tickers are dropped "
        "first, liquidations last; 0: no spool",
    )
    spool_hours: float = Field(
        168.0, gt=0, le=168, description="hours a frame may wait in the spool; then it is dropped"
    )
    spool_fsync: bool = Field(
        False,
        description="whether each write to the spool waits for the disk, so that a power failure loses no frame of it",
    )
    linger_ms: int = Field(25, ge=0, description="milliseconds a frame may wait for others of its batch")
    compression: str = Field(
        "zstd", pattern="^(none|lz4|zstd|snappy|gzip)$", description="compression of Kafka batches"
    )
    flush_timeout_s: float = Field(
        20.0, gt=0, description="longest time to send the last frames to Kafka at the end, seconds"
    )
    metrics_port: int | None = Field(None, ge=1, le=65535, description="port of /metrics and /health; unset: off")
    metrics_host: str = Field("127.0.0.1", description="address at which /metrics and /health listen")
    report_s: float = Field(60.0, gt=0, description="seconds between the log lines that count frames")

    @property
    def left_out(self) -> frozenset[Source]:
        """What the venues offer and is not collected."""
        wanted = {
            Source("rest", topics.KLINE): self.klines == "poll",
            Source("ws", topics.KLINE): self.klines == "stream",
            Source("rest", topics.RATIO): self.ratios,
        }
        return frozenset(source for source, is_wanted in wanted.items() if not is_wanted)
