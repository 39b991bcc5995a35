"""What infra/liq.env.example holds, written from the settings: `python -m tests.infra.env_example > infra/liq.env.example`."""

from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from collectors.broker.settings import BrokerSettings
from collectors.kafka import KafkaSettings
from collectors.settings import CollectorSettings
from collectors.venues.known import RECORDS
from pipelines.serve.settings import ServeSettings
from pipelines.settings import AlertsSettings, IngestSettings, MetricsSettings
from warehouse.settings import PREFIX, WarehouseSettings

FILE = Path(__file__).parents[2] / "infra" / "liq.env.example"
PARTS: dict[str, tuple[type[BaseModel], ...]] = {
    "Kafka": (KafkaSettings,),
    "The embedded broker": (BrokerSettings,),
    "Collectors": (CollectorSettings,),
    "Addresses of the venues, for a proxy of your own": tuple(each.hosts for each in RECORDS.values()),
    "Ingest": (IngestSettings,),
    "The service over HTTP": (ServeSettings,),
    "Alerts": (AlertsSettings,),
    "Metrics": (MetricsSettings,),
    "The warehouse": (WarehouseSettings,),
}
HEADER = """\
# Settings of every part. As services: /etc/liq/liq.env (mode 0640, group liq). As containers: infra/.env (mode 0600).
# A line that begins with # is off and shows the default. [secret] marks values to keep secret.
# Write values without quotation marks. `liq doctor` names settings that are wrong or unknown.
# The units and compose.yaml set LIQ_DATA themselves; compose.yaml also sets LIQ_KAFKA_BOOTSTRAP and LIQ_KAFKA_LISTEN."""
FOOTER = """\
# --- Not ours
# Your own Prefect server, if you do not use the one of the services
#PREFECT_API_URL=http://127.0.0.1:4200/api
# [secret] Password of the database of compose.yaml's profile postgres
#POSTGRES_PASSWORD="""


def names(kinds: tuple[type[BaseModel], ...]) -> dict[str, FieldInfo]:
    """Return the settings of these classes by their environment variable."""
    return {
        f"{kind.model_config.get('env_prefix', PREFIX)}{name}".upper(): field
        for kind in kinds
        for name, field in kind.model_fields.items()
    }


def written() -> str:
    """Return the whole file."""
    seen: set[str] = set()
    blocks = [HEADER]
    for title, kinds in PARTS.items():
        lines = [f"# --- {title}"]
        for name, field in names(kinds).items():
            if name not in seen:
                lines += [f"# {_said(field)}", f"#{name}={_value(field.get_default(call_default_factory=True))}"]
            seen.add(name)
        blocks.append("\n".join(lines))
    return "\n\n".join([*blocks, FOOTER]) + "\n"


def _said(field: FieldInfo) -> str:
    text = field.description or ""
    secret = "[secret] " if "SecretStr" in str(field.annotation) else ""
    return f"{secret}{text[:1].upper()}{text[1:]}"


def _value(default: Any) -> str:
    if default is None:
        return ""
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, bool):
        return str(default).lower()
    return str(default.value if isinstance(default, Enum) else default)


if __name__ == "__main__":
    print(written(), end="")
