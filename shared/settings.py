"""The settings of every service: one frozen object, read from the environment (prefix `REELMOOD_`)."""

from pathlib import Path
from typing import Final, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import ReelmoodError

MOST_SHARDS: Final = 1024


class Settings(BaseSettings):
    """What can be set, with its bounds. `REELMOOD_CROP_SIZE=200` sets `crop_size`, and so on."""

    model_config = SettingsConfigDict(env_prefix="REELMOOD_", frozen=True, extra="ignore")

    home: Path = Field(Path("data"), description="folder of incoming, done, failed, results, models, gallery")
    store: str = Field(
        "", description="URL of a folder that hosts without a common disk share, as s3://bucket/folder"
    )
    store_poll_s: float = Field(5, gt=0, le=3600, description="seconds between two looks at the store")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="least to log")
    log_format: str = Field("text", pattern="^(text|json)$", description="lines for people or for machines")
    redis_url: str | None = Field(
        None, repr=False, description="an existing broker; without it, an embedded one is started"
    )
    redis_url_file: Path | None = Field(
        None, description="file that holds the broker's URL instead, as container secrets come"
    )
    jobs_url: str | None = Field(
        None, repr=False, description="a broker of one server for RQ's queues; needed beside a cluster"
    )
    jobs_url_file: Path | None = Field(None, description="file that holds its URL instead")
    shards: int = Field(1, ge=1, le=MOST_SHARDS, description="groups of keys that clips are spread over")
    prefix: str = Field("reelmood", pattern=r"^[\w-]+$", description="first part of every key on the broker")

    model: str = Field(
        "active", description="name or folder of the model that reads the faces; active: the promoted one"
    )
    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="where the model runs")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="of the model: auto is bfloat16 where the device computes in it, else float32"
    )
    batch_size: int = Field(32, ge=1, le=1024, description="faces that a worker takes at a time")

    min_face_fraction: float = Field(
        0.125, gt=0, le=1, description="smallest face, in shorter sides of the frame"
    )
    search_every_s: float = Field(
        0.2,
        ge=0,
        description="seconds of a clip from one search of the whole frame to the next; between them faces are"
        " looked for where they were; 0: every frame",
    )
    crop_margin: float = Field(0.25, ge=0, le=1, description="margin around a face, in sides of its box")
    crop_size: int = Field(160, ge=48, le=512, description="side of a crop in pixels")
    jpeg_quality: int = Field(95, ge=50, le=100, description="quality of the crops")
    commit_frames: int = Field(8, ge=1, le=256, description="frames that ingest commits at a time")
    decode_limit_s: float = Field(
        120, ge=1, le=86_400, description="processor seconds that a decoder may take without a frame"
    )
    decode_frame_s: float = Field(
        2, gt=0, le=3600, description="processor seconds that decoding a frame may take on average"
    )
    max_frames: int = Field(2_000_000, ge=1, le=2**31 - 1, description="frames after which a clip is cut off")

    explain_every_s: float = Field(
        0.5,
        ge=0,
        description="seconds between two Grad-CAMs and neighbour searches of a track; 0: every face",
    )
    preview_s: float = Field(
        1.0, ge=0, description="seconds between two small pictures of a clip under way; 0: none"
    )
    neighbours: int = Field(5, ge=1, le=100, description="nearest neighbours of a face")

    high_water: int = Field(2000, ge=1, description="waiting faces of a shard at which ingest pauses")
    low_water: int = Field(1000, ge=0, description="waiting faces of a shard at which ingest goes on")
    turn_s: float = Field(
        0.25, ge=0, description="seconds that ingest stays at a clip before another one may go first"
    )
    reclaim_s: float = Field(
        30, gt=0, description="seconds after which a silent worker's faces go to another"
    )
    max_deliveries: int = Field(3, ge=1, description="deliveries after which a face is given up")
    keep_s: int = Field(3600, ge=1, description="seconds that a finished clip's streams stay on the broker")
    keep_clips: int = Field(10_000, ge=1, description="ended clips that the broker remembers, the newest")
    live_high_water: int = Field(
        16, ge=1, description="waiting faces of a live source at which its oldest frames are dropped"
    )
    clips_high_water: int = Field(
        1000, ge=1, description="waiting clips at which the watcher leaves others in the folder"
    )

    stable_s: float = Field(1.0, ge=0, description="seconds a file must stay unchanged before it is taken")
    poll_s: float = Field(0.5, gt=0, description="seconds between two looks at the incoming folder")
    annotate: bool = Field(False, description="draw an annotated video of every clip")
    blur: bool = Field(
        False, description="draw an annotated video with blurred faces, keep no pictures of faces in results"
    )
    retention_days: float = Field(
        0, ge=0, description="days after which done and failed clips and results are deleted; 0: never"
    )

    metrics_host: str = Field("127.0.0.1", description="address that metrics and health are told at")
    metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="port of metrics and health, and the first of several processes' ports; 0: none",
    )
    hang_s: float = Field(60, ge=15, description="seconds of silence after which a main loop counts as hung")

    dashboard_host: str = Field("127.0.0.1", description="address the dashboard listens on")
    dashboard_port: int = Field(8501, ge=1, le=65535, description="port the dashboard listens on")
    upload_mb: int = Field(
        500, ge=0, le=100_000, description="largest file that the dashboard takes, in megabytes; 0: none"
    )

    @property
    def incoming(self) -> Path:
        """Clips are dropped here."""
        return self.home / "incoming"

    @property
    def done(self) -> Path:
        """Analysed clips are moved here."""
        return self.home / "done"

    @property
    def failed(self) -> Path:
        """Clips that could not be analysed are moved here, each beside its reason."""
        return self.home / "failed"

    @property
    def results(self) -> Path:
        """The files of finished clips, one folder each."""
        return self.home / "results"

    @property
    def gallery(self) -> Path:
        """Galleries that were built from data sets, a folder for each model."""
        return self.home / "gallery"

    @property
    def corrections(self) -> Path:
        """The faces that a person has confirmed or corrected."""
        return self.home / "corrections"

    @property
    def runs(self) -> Path:
        """Training runs, a folder each."""
        return self.home / "runs"

    @property
    def models(self) -> Path:
        """The model registry."""
        return self.home / "models"


def load_settings(**overrides: object) -> Settings:
    """Read the settings from the environment; `overrides` that are not None win.

    The broker's URL is read from `redis_url_file` where only that is set. Raises ReelmoodError, in one line,
    when a value is out of its bounds or that file cannot be read.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return _with_secrets(Settings(**given))  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ReelmoodError(f"setting REELMOOD_{name.upper()}: {first['msg'].lower()}") from None


def _with_secrets(settings: Settings) -> Settings:
    read = {
        name: _secret(f"{name}_file", file)
        for name, file in (("redis_url", settings.redis_url_file), ("jobs_url", settings.jobs_url_file))
        if file is not None and not getattr(settings, name)
    }
    return settings.model_copy(update=read) if read else settings


def _secret(name: str, file: Path) -> str:
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ReelmoodError(f"REELMOOD_{name.upper()} {file}: {reason}") from None
    if not secret:
        raise ReelmoodError(f"REELMOOD_{name.upper()} {file}: it is empty")
    return secret


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the environment variables under which `load_settings` reads these settings again."""
    return {
        f"REELMOOD_{name.upper()}": str(value)
        for name, value in settings.model_dump().items()
        if value is not None
    }
