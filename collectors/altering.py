"""Kafka's request to change single settings of topics, which aiokafka lacks; its own AlterConfigs resets all others."""

from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResourceType
from aiokafka.errors import IncompatibleBrokerVersion, for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int8, Int16, Int32, Schema, String

KEY = 44
SET = 0
TEXT = String("utf-8")


class _Answer(Response):  # type: ignore[misc]
    API_KEY = KEY
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("responses", Array(("code", Int16), ("message", TEXT), ("type", Int8), ("name", TEXT))),
    )


class _Request(RequestStruct):  # type: ignore[misc]
    API_KEY = KEY
    API_VERSION = 0
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        (
            "resources",
            Array(
                ("type", Int8), ("name", TEXT), ("configs", Array(("name", TEXT), ("operation", Int8), ("value", TEXT)))
            ),
        ),
        ("validate_only", Boolean),
    )


class _IncrementalAlterConfigs(Request[_Request]):  # type: ignore[misc]
    API_KEY = KEY

    def __init__(self, resources: list[Any]) -> None:
        self._resources = resources

    def build(self, request_struct_class: type[_Request]) -> _Request:
        return request_struct_class(self._resources, False)


async def alter_topics(admin: AIOKafkaAdminClient, wanted: dict[str, dict[str, str]]) -> dict[str, str]:
    """Set, by topic, the settings given and leave every other as it is; return why, for each topic where Kafka refused.

    Raises KafkaError where the cluster does not answer.
    """
    resources = [
        (int(ConfigResourceType.TOPIC), name, [(key, SET, value) for key, value in settings.items()])
        for name, settings in wanted.items()
    ]
    try:
        answer = await admin._send_request(_IncrementalAlterConfigs(resources))
    except (IncompatibleBrokerVersion, NotImplementedError):
        return dict.fromkeys(wanted, "this Kafka is too old to be asked for it")
    return {
        name: f"{for_code(code).__name__} {message or ''}".strip()
        for code, message, _, name in answer.responses
        if code
    }
