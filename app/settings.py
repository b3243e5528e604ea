"""Every environment variable, typed; the only reader of the environment."""

import ipaddress
import re
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
PROVIDERS = ("ollama", "openai", "embedded")
LOCAL_ENDINGS = (".local", ".localhost", ".internal", ".lan", ".home.arpa")


def _comma_separated(value: object) -> object:
    return split_commas(value) if isinstance(value, str) else value


class Settings(BaseSettings):
    """Settings from `TEAHOUSE_…` variables or `.env`. 0 means no limit, for every limit."""

    model_config = SettingsConfigDict(env_prefix="TEAHOUSE_", env_file=".env", extra="ignore", frozen=True)

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=1, le=65535, description="port to listen on")
    workers: int = Field(
        0, ge=0, le=64, description="processes under Gunicorn; 0: 2 on SQLite, 2 × cores + 1 on PostgreSQL"
    )
    data_dir: Path = Field(Path("data"), description="database, secrets, run files")
    database_url: str = Field("", description="sqlite:///… or postgresql://…; empty: SQLite in the data directory")
    secret_key: str = Field("", description="32 bytes or more; empty: made at first start, kept in the data directory")
    public_url: str = Field("", description="the address people use, for links and Secure cookies")
    allowed_hosts: Annotated[list[str], NoDecode] = Field([], description="further Host names, comma separated")
    trusted_proxies: Annotated[list[str], NoDecode] = Field(
        ["127.0.0.1", "::1"], description="proxies whose X-Forwarded-… count: addresses, networks, names; *: all"
    )
    cors_origins: Annotated[list[str], NoDecode] = Field(
        [],
        description="sites whose pages may use the API with a token: https://app.example.org, comma separated",
    )
    signup: Literal["open", "invite", "closed"] = Field("open", description="who may register; the first always may")

    ollama_url: str = Field(
        "", description="Ollama, several comma separated; empty: http://127.0.0.1:11434 if it answers"
    )
    ollama_api_key: str = Field("", description="its key, if it wants one; one for each address, comma separated")
    ollama_context_length: int | None = Field(
        None,
        ge=512,
        description="tokens that a model of Ollama holds; empty: as it is set up, else as memory allows",
    )
    openai_base_url: str = Field("", description="an OpenAI-compatible server, with its /v1; several comma separated")
    openai_api_key: str = Field("", description="its key, if it wants one; one for each address, comma separated")
    openai_paid: Literal["auto", "yes", "no"] = Field("auto", description="whether calling twice costs money")
    embedded_model: str = Field("auto", description="auto, off, or a GGUF file")
    default_model: str = Field("", description="<provider>/<name>: ollama/llama3.2:3b")

    jobs_engine: Literal["embedded", "celery"] = Field("embedded", description="who runs jobs")
    redis_url: str = Field("", description="Redis, for the celery engine")
    model_slots: int | None = Field(
        None, ge=0, description="answers at once per model server (embedded: at most 2); empty: learned"
    )
    max_running_per_user: int = Field(4, ge=0, description="answers at once per user")
    max_queued_per_user: int = Field(100, ge=0, description="queued jobs per user")
    max_queued: int = Field(10_000, ge=0, description="queued jobs in all")
    max_tokens_per_day: int = Field(0, ge=0, description="tokens of prompts and answers a day (UTC) and user")
    max_storage_per_user: int = Field(0, ge=0, description="megabytes of messages per user")
    max_streams_per_user: int = Field(50, ge=0, description="open streams and long polls per user")
    rate_limit: int = Field(600, ge=0, description="requests a minute and user; 0 also ends sign-in throttling")

    sqlite_sync: Literal["full", "mixed", "normal"] = Field("full", description="what a power cut may take")
    log_dir: Path | None = Field(None, description="default: logs in the data directory")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="how much is logged")
    backup_key: str = Field("", description="encrypts backups: age1…, or a file with a passphrase; empty: they are not")
    metrics_port: int = Field(
        9464, ge=0, le=65535, description="where `teahouse worker` tells Prometheus, on its machine; 0: nowhere"
    )
    otlp_endpoint: str = Field("", description="OpenTelemetry collector for traces, by HTTP; empty: none")

    # Time-outs towards model servers, seconds; tests scale them down.
    connect_timeout: float = Field(5.0, gt=0, description="seconds to connect to a model server")
    first_token_timeout: float = Field(
        0.0, ge=0, description="seconds to the first token; 0: as long as the server lives, else ten minutes"
    )
    idle_timeout: float = Field(60.0, gt=0, description="seconds of silence between tokens")
    retry_patience: float = Field(300.0, ge=0, description="seconds to go on trying a model server that is away")
    answer_timeout: float = Field(1800.0, gt=0, description="seconds one answer may take")

    @model_validator(mode="before")
    @classmethod
    def _blank_is_default(cls, values: dict[str, Any]) -> dict[str, Any]:
        """`TEAHOUSE_PORT=` says nothing, as in a form that nobody has filled in. A blank list is an empty one."""
        lists = ("allowed_hosts", "trusted_proxies", "cors_origins")
        return {
            name: value
            for name, value in values.items()
            if name in lists or not (isinstance(value, str) and not value.strip())
        }

    @field_validator("database_url")
    @classmethod
    def _database_is_spelled_one_way(cls, value: str) -> str:
        return f"postgresql{value.removeprefix('postgres')}" if value.startswith("postgres://") else value

    _split = field_validator("allowed_hosts", "trusted_proxies", "cors_origins", mode="before")(_comma_separated)

    @field_validator("public_url")
    @classmethod
    def _public_url_is_an_address(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            raise ValueError("must start with http:// or https:// and name a host")
        _ = urlsplit(value).port  # raises for one that is none
        if urlsplit(value).path.strip("/") or urlsplit(value).query:
            raise ValueError("must end with the host: Teahouse needs a name of its own, not a folder of another site's")
        return value.rstrip("/")

    @field_validator("cors_origins")
    @classmethod
    def _sites_are_origins(cls, value: list[str]) -> list[str]:
        for site in value:
            url = urlsplit(site)
            if url.scheme not in ("http", "https") or not url.hostname or url.path.strip("/") or "*" in site:
                raise ValueError(f"{site} is no site: https://app.example.org, without a path or *")
        return [site.rstrip("/").lower() for site in value]

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_addresses_or_names(cls, value: list[str]) -> list[str]:
        for item in value:
            if not re.fullmatch(r"\*|[A-Za-z0-9._-]+|[0-9A-Fa-f.:]+(/\d+)?", item):
                raise ValueError(f"{item} is no address, network or name of a host")
            if "/" in item or ":" in item:
                ipaddress.ip_network(item, strict=False)
        return value

    @field_validator("ollama_url", "openai_base_url")
    @classmethod
    def _model_servers_are_addresses(cls, value: str) -> str:
        urls = split_commas(value)
        if any(urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname for url in urls):
            raise ValueError("must be addresses like http://10.0.0.5:11434, comma separated")
        return ",".join(dict.fromkeys(urls))

    @field_validator("default_model")
    @classmethod
    def _model_has_a_provider(cls, value: str, info: ValidationInfo) -> str:
        if not value or value.partition("/")[0] in PROVIDERS:
            return value
        if not info.data.get("openai_base_url"):
            return f"ollama/{value}"
        if not info.data.get("ollama_url"):
            return f"openai/{value}"
        raise ValueError(f"which server's is it: ollama/{value} or openai/{value}?")

    @field_validator("otlp_endpoint")
    @classmethod
    def _collector_is_an_address(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            raise ValueError("must be an address like http://127.0.0.1:4318")
        if value and find_spec("opentelemetry.exporter") is None:
            raise ValueError("needs the packages of requirements-telemetry.lock")
        return value

    @field_validator("secret_key")
    @classmethod
    def _secret_is_long(cls, value: str) -> str:
        if value and len(value.encode()) < 32:
            raise ValueError("must have at least 32 bytes")
        return value

    @model_validator(mode="after")
    def _engine_fits_database(self) -> "Settings":
        if self.database_url and not self.database_url.startswith(("sqlite:///", "postgresql://")):
            raise ValueError("DATABASE_URL: must start with sqlite:/// or postgresql://")
        if self.on_postgres and (find_spec("asyncpg") is None or find_spec("psycopg") is None):
            raise ValueError("DATABASE_URL: PostgreSQL needs the packages in requirements-scale.lock")
        if self.on_postgres and (wrong := _unreadable(self.database_url)):
            raise ValueError(f"DATABASE_URL: {wrong}")
        if self.jobs_engine == "celery" and not self.on_postgres:
            raise ValueError("JOBS_ENGINE: celery needs PostgreSQL and does not run on SQLite")
        if self.jobs_engine == "celery" and not self.redis_url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("REDIS_URL: the celery engine needs Redis, redis://host:6379/0")
        return self

    @model_validator(mode="after")
    def _keys_fit_addresses(self) -> "Settings":
        for name, urls, keys in (
            ("OLLAMA", self.ollama_url, self.ollama_api_key),
            ("OPENAI", self.openai_base_url, self.openai_api_key),
        ):
            try:
                with_keys(urls, keys)
            except ValueError as error:
                raise ValueError(f"{name}_API_KEY: {error}") from None
        return self

    @property
    def ollama_servers(self) -> list[tuple[str, str]]:
        """Address and key of each; none where Ollama is only looked for on this machine.

        Other programs want `/v1` behind it, and people copy that.
        """
        servers = with_keys(self.ollama_url, self.ollama_api_key)
        return [(url.rstrip("/").removesuffix("/v1"), key) for url, key in servers]

    @property
    def openai_servers(self) -> list[tuple[str, str]]:
        """Address and key of each."""
        return with_keys(self.openai_base_url, self.openai_api_key)

    @cached_property
    def on_postgres(self) -> bool:
        return self.database_url.startswith("postgresql:")

    @cached_property
    def database(self) -> Path | str:
        """The SQLite file, or PostgreSQL's URL."""
        return self.database_url if self.on_postgres else self.database_path

    @cached_property
    def database_name(self) -> str:
        """For people: without the password."""
        if not self.on_postgres:
            return str(self.database_path.absolute())
        url = urlsplit(self.database_url)
        return f"PostgreSQL's database {url.path.strip('/') or url.username or ''} at {url.hostname or 'its socket'}"

    @cached_property
    def database_path(self) -> Path:
        """The SQLite file, also where it is not used."""
        if self.database_url and not self.on_postgres:
            return Path(self.database_url.split(":///", 1)[1])
        return self.data_dir / "teahouse.db"

    @cached_property
    def run_dir(self) -> Path:
        return self.data_dir / "run"

    @cached_property
    def logs(self) -> Path:
        return self.log_dir or self.data_dir / "logs"

    @cached_property
    def address(self) -> str:
        """What is listened on, as host:port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @cached_property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @cached_property
    def public_origin(self) -> str:
        """PUBLIC_URL as a browser spells it in `Origin`; empty if it is not set."""
        url = urlsplit(self.public_url.lower())
        usual = {"http": 80, "https": 443}.get(url.scheme)
        host = f"[{url.hostname}]" if url.hostname and ":" in url.hostname else url.hostname
        return f"{url.scheme}://{host}" + (f":{url.port}" if url.port not in (None, usual) else "") if host else ""

    @cached_property
    def hosts(self) -> frozenset[str]:
        """Host names (without port) that a request may name."""
        public = urlsplit(self.public_url).hostname if self.public_url else None
        own = [] if self.listens_everywhere else [self.host]
        allowed = map(_host_name, self.allowed_hosts)
        return frozenset(h.lower() for h in (*LOCAL_HOSTS, *allowed, *own, *([public] if public else [])))

    @cached_property
    def listens_everywhere(self) -> bool:
        return self.host in ("0.0.0.0", "::")  # noqa: S104 - it is not listened on here

    @cached_property
    def listens_beyond_this_machine(self) -> bool:
        return self.host.lower().strip("[]") not in {host.strip("[]") for host in LOCAL_HOSTS}


def _unreadable(address: str) -> str:
    """What libpq cannot read in PostgreSQL's address, without the password that may stand there."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        conninfo_to_dict(address)
    except ProgrammingError as error:
        parameter = re.search(r'invalid URI query parameter: "(\w+)"', str(error))
        named = f"{parameter[1]} is no parameter of PostgreSQL's" if parameter else "PostgreSQL cannot read it"
        return f"{named}: postgresql://user:password@host:5432/database?sslmode=require"
    return ""


def _host_name(spelled: str) -> str:
    """Of a name, of name and port, and of a whole address."""
    if spelled.count(":") > 1 and "[" not in spelled and "//" not in spelled:
        return spelled  # an IPv6 address as it is
    return urlsplit(spelled if "//" in spelled else f"//{spelled}").hostname or spelled


def split_commas(value: str) -> list[str]:
    """The parts of a comma-separated setting."""
    return [part.strip() for part in value.split(",") if part.strip()]


def with_keys(addresses: str, keys: str) -> list[tuple[str, str]]:
    """Each address with its own key: one key alone is for addresses of one and the same host, never for others'."""
    urls = split_commas(addresses)
    given = [keys.strip()] if len(urls) < 2 else [key.strip() for key in keys.split(",")]
    if len(given) == 1 and (not given[0] or len({urlsplit(url).hostname for url in urls}) == 1):
        given *= len(urls)
    if urls and len(given) != len(urls):
        raise ValueError(f"one key for each of the {len(urls)} addresses, in their order, empty where none is wanted")
    return list(zip(urls, given, strict=False))


def is_local_address(url: str) -> bool:
    """Whether a model server's address is loopback, private or a socket: calling it twice costs nothing.

    A name without a dot is a container's or a machine's of this network; some endings are kept for such.
    """
    host = urlsplit(url).hostname
    if host is None or ("." not in host and ":" not in host) or host.endswith(LOCAL_ENDINGS):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_private
