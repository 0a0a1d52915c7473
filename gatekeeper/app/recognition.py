"""Which set of networks reads at this gate, found at the start: the live one, or else the one that
was live before, or else the one the configuration names; and where none can, a gate that reads
nothing and runs all the same (situations, 34).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gatekeeper.config import Config
from gatekeeper.errors import NetworkSetError
from gatekeeper.lpr import EngineName, ReadingThread
from gatekeeper.lpr.selftest import opened
from gatekeeper.model import Frame, PlateRead
from gatekeeper.networks import NetworkSet, SetsFolder
from gatekeeper.networks.folder import SelfTest
from gatekeeper.rules.plate import GRAMMAR

PATTERNS = tuple(GRAMMAR.values())
"""What plates look like, for sets that are decoded with the grammar."""


class BlindReader:
    """Reads nothing, and says why: for a lane that is a look which failed. Its exit opens on the
    loop, and its camera is known to be no help.
    """

    def __init__(self, why: str) -> None:
        self._why = why

    async def read(self, frame: Frame) -> tuple[PlateRead, ...]:
        """Raises `NetworkSetError`."""
        raise NetworkSetError(self._why)

    def close(self) -> None:
        """Nothing to let go of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """Who reads, and the `name` of the set, "" where nothing does; the set's own level of
    `certain`, 1.0 where nothing is; and what is wrong, "" where nothing is.
    """

    reader: ReadingThread | BlindReader
    name: str
    certain: float
    fault: str


def sets_of(config: Config) -> SetsFolder:
    """The sets that a gate has."""
    return SetsFolder(config.sets_folder, config.recognition.networks)


def self_test_of(config: Config) -> SelfTest:
    """How a set is tried before it is installed or chosen here: by the engine that will run it, or
    else by our own, which runs every set.
    """

    def self_test(found: NetworkSet) -> None:
        contract = found.manifest.recogniser.contract, found.manifest.detector.contract
        own = config.recognition.engine == "own" or contract != ("hyperlpr3", "hyperlpr3")
        opened(found, engine="own" if own else "hyperlpr3", patterns=PATTERNS)

    return self_test


def open_recognition(config: Config) -> Recognition:
    """Open the live set and have it read the golden pictures; where it fails, go back to the one
    before, which is live from then on. Takes a second, and raises nothing.
    """
    sets, threads = sets_of(config), config.recognition.threads
    faults: list[str] = []
    for name, engine in _attempts(config, _ways_back(config, sets, faults)):
        try:
            found = sets.find(name)
            recogniser = opened(found, threads, engine, patterns=PATTERNS)
        except NetworkSetError as error:
            faults.append(str(error))
            continue
        _keep(sets, name, faults)
        fault = "" if not faults else f"{'; '.join(faults)}; {name} reads instead ({engine} engine)"
        return Recognition(
            reader=ReadingThread(recogniser),
            name=name,
            certain=found.manifest.certain,
            fault=fault,
        )
    why = "; ".join(faults)
    return Recognition(
        reader=BlindReader(why), name="", certain=1.0, fault=f"{why}; no plate is read"
    )


def _ways_back(config: Config, sets: SetsFolder, faults: list[str]) -> list[str]:
    try:
        return sets.ways_back
    except NetworkSetError as error:
        faults.append(str(error))
        return [config.recognition.networks]


def _keep(sets: SetsFolder, name: str, faults: list[str]) -> None:
    """The set that reads is the live one. Where that cannot be written it reads all the same, and
    the next start tries the other once more.
    """
    try:
        if name != sets.live:
            sets.fell_back(name)
    except NetworkSetError as error:
        faults.append(str(error))


def _attempts(config: Config, names: Sequence[str]) -> Iterator[tuple[str, EngineName]]:
    """Sets with engines, the wanted ones first; our own engine runs every set."""
    for name in names:
        yield name, config.recognition.engine
        if config.recognition.engine != "own":
            yield name, "own"


def calibrated(config: Config, certain: float) -> Config:
    """The configuration with the level of the set that reads, unless the site sets another."""
    told = config.recognition
    if "certain" in told.model_fields_set:
        return config
    return config.model_copy(update={"recognition": told.model_copy(update={"certain": certain})})
