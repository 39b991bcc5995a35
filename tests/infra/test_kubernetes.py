"""infra/kubernetes as kubectl builds it: its objects are valid, and what they start, ask and open is there."""

import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
import yaml
from typer.testing import CliRunner

import liq
from collectors.delivery.figures import QUIET_S
from collectors.metrics import serving
from collectors.venues.known import RECORDS, USUAL
from pipelines.serve.guard import OPEN
from pipelines.up.parts import PREFECT_FORGETS
from tests.foreign import install
from tests.infra import env_example

INFRA = Path(__file__).parents[2] / "infra"
KUBERNETES = INFRA / "kubernetes"
BASE, EXAMPLE, WORKERS = (KUBERNETES / name for name in ("base", "example", "workers"))
COMPOSE = yaml.safe_load((INFRA / "compose.yaml").read_text())["services"]
VERSIONS = ("1.29", "1.37")
"""Of Kubernetes: the oldest and the newest that the objects are held against."""
RUN = ("StatefulSet", "Deployment")
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


class Part(NamedTuple):
    """What runs as pods: its name, the object and the one container."""

    name: str
    whole: dict[str, Any]
    box: dict[str, Any]

    @property
    def pod(self) -> dict[str, Any]:
        found: dict[str, Any] = self.whole["spec"]["template"]["spec"]
        return found


def _built(folder: Path) -> str:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not here")
    done = subprocess.run([kubectl, "kustomize", str(folder)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def text() -> str:
    return _built(EXAMPLE)


@pytest.fixture(scope="module")
def objects(text: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(text))


@pytest.fixture(scope="module")
def parts(objects: list[dict[str, Any]]) -> dict[str, Part]:
    found = [each for each in objects if each["kind"] in RUN]
    assert all(len(each["spec"]["template"]["spec"]["containers"]) == 1 for each in found)
    return {
        each["metadata"]["name"]: Part(
            each["metadata"]["name"], each, each["spec"]["template"]["spec"]["containers"][0]
        )
        for each in found
    }


def _settings(objects: list[dict[str, Any]]) -> dict[str, str]:
    found: dict[str, str] = next(each["data"] for each in objects if each["kind"] == "ConfigMap")
    return found


def _probes(part: Part) -> Iterator[tuple[str, str, int]]:
    """Yield of each probe its kind, path and port."""
    ports = {each["name"]: each["containerPort"] for each in part.box.get("ports", [])}
    for kind in PROBES:
        if kind in part.box:
            asked = part.box[kind]["httpGet"]
            yield kind, asked["path"], ports[asked["port"]]


def test_every_file_is_part_of_what_is_applied() -> None:
    base = yaml.safe_load((BASE / "kustomization.yaml").read_text())
    named = {*base["resources"], *(each["path"] for each in base["patches"]), *base["configMapGenerator"][0]["envs"]}
    assert {file.name for file in BASE.iterdir()} == named | {"kustomization.yaml"}
    example = yaml.safe_load((EXAMPLE / "kustomization.yaml").read_text())
    secrets = {file for each in example["secretGenerator"] for file in (*each.get("envs", ()), *each.get("files", ()))}
    assert {file.name for file in EXAMPLE.iterdir()} == secrets | {"kustomization.yaml"}


def _validated(text: str, version: str) -> str:
    """Return the validator's report. Skips where it cannot be had."""
    try:
        python = install.kubernetes_python()
    except install.UnavailableError as error:
        pytest.skip(str(error))
    call = [str(python), "-m", "kubernetes_validate", "--strict", "--kubernetes-version", version, "-"]
    return subprocess.run(call, input=text, capture_output=True, text=True, timeout=60).stdout


@pytest.mark.parametrize("version", VERSIONS)
def test_the_objects_are_valid(text: str, version: str) -> None:
    told = _validated(text, version)
    assert "WARN" not in told
    assert told.count("passed") == len(list(yaml.safe_load_all(text))), told
    broken = text.replace("terminationGracePeriodSeconds: 120", "terminationGracePeriod: 120")
    assert "ERROR" in _validated(broken, version)


def test_workers_take_the_place_of_flows(tmp_path: Path) -> None:
    shutil.copytree(KUBERNETES, tmp_path / "kubernetes")
    ours = tmp_path / "kubernetes" / "example" / "kustomization.yaml"
    ours.write_text(ours.read_text() + "components: [../workers]\n")
    text = _built(ours.parent)
    told = _validated(text, VERSIONS[-1])
    assert told.count("passed") == len(list(yaml.safe_load_all(text))), told
    found = {each["metadata"]["name"]: each for each in yaml.safe_load_all(text) if each["kind"] in RUN}
    assert "flows" not in found
    pod = found["workers"]["spec"]["template"]
    other = found["ingest"]["spec"]["template"]["spec"]
    assert pod["metadata"]["labels"]["app"] == "flows", "so that the rules of the network hold for it"
    assert pod["spec"]["securityContext"].items() <= other["securityContext"].items()
    for what in ("automountServiceAccountToken", "enableServiceLinks", "shareProcessNamespace"):
        assert pod["spec"][what] is other[what]
    assert pod["spec"]["containers"][0]["securityContext"] == other["containers"][0]["securityContext"]
    assert pod["spec"]["containers"][0]["image"] == other["containers"][0]["image"]


def test_what_is_started_is_a_command_of_ours_or_prefects_server(parts: dict[str, Part]) -> None:
    assert set(parts) == {"collect", "ingest", "flows", "serve", "alerts", "prefect"}
    assert parts["prefect"].box["command"] == COMPOSE["prefect"]["entrypoint"]  # whose options test_services.py tries
    for name in set(parts) - {"prefect"}:
        assert "command" not in parts[name].box
        done = CliRunner().invoke(liq.app, [*parts[name].box["args"], "--help"])
        assert done.exit_code == 0, done.output
    assert parts["collect"].box["args"] == ["collect", *USUAL]


def test_settings_are_ones_that_something_reads_and_secrets_are_in_secrets(
    objects: list[dict[str, Any]], parts: dict[str, Part]
) -> None:
    kinds = tuple(kind for kinds in env_example.PARTS.values() for kind in kinds)
    known = env_example.names(kinds)
    secret = {name for name, field in known.items() if "SecretStr" in str(field.annotation)}
    open_ = set(_settings(objects)) | {each["name"] for part in parts.values() for each in part.box.get("env", [])}
    hidden = {name for each in objects if each["kind"] == "Secret" for name in each["data"] if name != "alerts.toml"}
    assert {name for name in open_ | hidden if not name.startswith("PREFECT_")} <= set(known)
    assert not open_ & secret
    assert hidden >= {"LIQ_CATALOGUE", "LIQ_KAFKA_SASL_PASSWORD", "LIQ_S3_SECRET", "LIQ_SERVE_TOKEN"}
    prefect = {each["name"]: each["value"] for each in parts["prefect"].box["env"]}
    assert prefect.items() >= PREFECT_FORGETS.items()


def test_each_part_gets_the_secrets_that_it_needs_and_no_others(
    objects: list[dict[str, Any]], parts: dict[str, Part]
) -> None:
    made = {each["metadata"]["name"] for each in objects if each["kind"] in ("Secret", "ConfigMap")}
    given = {}
    for name, part in parts.items():
        refs = [ref for each in part.box.get("envFrom", []) for ref in each.values()]
        assert {ref["name"] for ref in refs} <= made
        given[name] = {ref["name"].rpartition("-")[0] for ref in refs} - {"liq"}
    assert given == {
        "collect": {"liq-kafka"}, "serve": {"liq-lake", "liq-serve"}, "prefect": set(),
        **{name: {"liq-kafka", "liq-lake"} for name in ("ingest", "flows", "alerts")},
    }  # fmt: skip


def test_ports_are_those_of_the_settings(objects: list[dict[str, Any]], parts: dict[str, Part]) -> None:
    settings = _settings(objects)
    for part, setting in (
        ("collect", "LIQ_COLLECT_METRICS_PORT"), ("ingest", "LIQ_INGEST_METRICS_PORT"),
        ("flows", "LIQ_FLOWS_METRICS_PORT"), ("serve", "LIQ_SERVE_PORT"),
    ):  # fmt: skip
        assert [each["containerPort"] for each in parts[part].box["ports"]] == [int(settings[setting])]
    services = {each["metadata"]["name"]: each["spec"]["ports"][0] for each in objects if each["kind"] == "Service"}
    assert set(services) == {"serve", "prefect"}
    for name, port in services.items():
        assert port["targetPort"] in {each["name"] for each in parts[name].box["ports"]}
        assert port["port"] == parts[name].box["ports"][0]["containerPort"]
    assert urlsplit(settings["PREFECT_API_URL"]).netloc == f"prefect:{services['prefect']['port']}"


def test_what_probes_ask_is_answered_without_a_token(parts: dict[str, Part]) -> None:
    asked = {path for name, part in parts.items() if name != "prefect" for _, path, _ in _probes(part)}
    assert asked == {"/health", "/metrics"}
    assert asked <= set(OPEN)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with serving(port, [], list):
        for path in asked:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                assert answer.status == 200
    assert {path for _, path, _ in _probes(parts["prefect"])} == {"/api/health"}


def test_late_data_make_a_pod_unready_and_never_end_it(parts: dict[str, Part]) -> None:
    for name in ("collect", "ingest", "flows", "serve"):
        assert {kind: path for kind, path, _ in _probes(parts[name])} == {
            "startupProbe": "/metrics", "livenessProbe": "/metrics", "readinessProbe": "/health",
        }  # fmt: skip


def test_pods_have_no_privileges_and_bounds(parts: dict[str, Part]) -> None:
    assert "useradd --uid 10001" in (INFRA / "Dockerfile").read_text()
    for part in parts.values():
        assert part.pod["securityContext"].items() >= {"runAsNonRoot": True, "runAsUser": 10001}.items()
        assert part.pod["automountServiceAccountToken"] is part.pod["enableServiceLinks"] is False
        assert part.box["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
        assert set(part.box["resources"]["requests"]) == {"cpu", "memory"}
        assert _mib(part.box["resources"]["requests"]["memory"]) < _mib(part.box["resources"]["limits"]["memory"])
        for each in part.box.get("env", []):
            if each["name"] == "LIQ_DUCKDB_MEMORY":
                assert 2 * _mib(each["value"]) <= _mib(part.box["resources"]["limits"]["memory"])


def _mib(size: str) -> float:
    units = {"Mi": 1, "Gi": 1024, "MB": 1e6 / 2**20, "GB": 1e9 / 2**20}
    return float(size[:-2]) * units[size[-2:]]


def test_what_is_written_to_is_a_volume_and_what_must_last_is_claimed(
    objects: list[dict[str, Any]], parts: dict[str, Part]
) -> None:
    world = _settings(objects)["LIQ_DATA"]
    for name, part in parts.items():
        mounted = {each["mountPath"]: each["name"] for each in part.box["volumeMounts"]}
        claimed = {each["metadata"]["name"] for each in part.whole["spec"].get("volumeClaimTemplates", ())}
        there = claimed | {each["name"] for each in part.pod["volumes"]}
        assert set(mounted.values()) == there
        assert {"/tmp", "/var/lib/liq/prefect" if name == "prefect" else world} <= set(mounted)
        assert bool(claimed) == (name in ("collect", "flows", "alerts", "prefect"))


def test_pods_have_the_time_to_stop_that_containers_have(parts: dict[str, Part]) -> None:
    for name, part in parts.items():
        service = COMPOSE.get(name) or COMPOSE["collect-okx"]
        least = int(service["stop_grace_period"].removesuffix("s")) if name not in ("serve", "alerts") else 30
        assert part.pod["terminationGracePeriodSeconds"] >= least


def test_two_collectors_are_never_on_one_node_and_one_of_a_pair_stays(
    objects: list[dict[str, Any]], parts: dict[str, Part]
) -> None:
    assert parts["collect"].whole["spec"]["replicas"] == 2
    (apart,) = parts["collect"].pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert apart["labelSelector"]["matchLabels"] == {"app": "collect"}
    assert apart["topologyKey"] == "kubernetes.io/hostname"
    assert parts["collect"].whole["spec"]["minReadySeconds"] > QUIET_S, "silence must show before the other is replaced"
    budgets = {
        each["spec"]["selector"]["matchLabels"]["app"]: each["spec"]["maxUnavailable"]
        for each in objects if each["kind"] == "PodDisruptionBudget"
    }  # fmt: skip
    assert budgets == {name: 1 for name, part in parts.items() if part.whole["spec"]["replicas"] > 1}


def test_policies_are_of_pods_that_are_there_and_let_a_collector_reach_every_venue(
    objects: list[dict[str, Any]], parts: dict[str, Part]
) -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in objects if each["kind"] == "NetworkPolicy"}
    assert policies["nothing-but"]["podSelector"] == {}
    assert policies["nothing-but"]["policyTypes"] == ["Ingress", "Egress"]
    for spec in policies.values():
        chosen = spec["podSelector"]
        names = set(chosen.get("matchLabels", {}).values())
        names |= {name for each in chosen.get("matchExpressions", ()) for name in each["values"]}
        assert names <= set(parts)
    allowed = {each["port"] for each in policies["venues"]["egress"][0]["ports"]}
    hosts = [str(field.default) for each in RECORDS.values() for field in each.hosts.model_fields.values()]
    urls = [urlsplit(host) for host in hosts if "://" in host]
    assert len(urls) > 20
    assert {url.port or 443 for url in urls} == allowed
