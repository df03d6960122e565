"""How much is measured: the real thing, and a small one that only shows that everything runs."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Problem:
    """The made-up table of the engine's benchmark and the length of a run."""

    rows: int = 20_000
    stop: int = 4_000
    columns: int = 20
    batch: int = 128
    epochs: int = 20


@dataclass(frozen=True)
class Sizes:
    """Alternations and run lengths. `lanes` counts the runs that we train together, for each model; from `rows` on it is about
    losses and optimizer steps alone."""

    problem: Problem = Problem()
    lanes: dict[str, int] = field(default_factory=lambda: {"linear": 128, "mlp": 32})
    alternations: int = 7
    networks: tuple[tuple[tuple[int, ...], int], ...] = (
        ((64, 64), 128),
        ((64, 64), 512),
        ((256, 256), 128),
        ((256, 256), 512),
    )
    network_epochs: int = 4
    jobs: int = 5
    together: int = 24  # runs of a contender in one ensemble: as many as a comparison makes
    options: tuple[str, ...] = ()
    card_lanes: int = 1024
    card_layouts: tuple[tuple[int, int], ...] = ((16, 1), (16, 2), (16, 32), (16, 64))
    card_side: int = 8192
    demo: tuple[str, ...] = ("make", "demo")
    demos: int = 5
    helps: int = 10
    small: tuple[str, ...] = ()  # options of the comparison on 500 rows
    rows: tuple[int, ...] = (100, 10_000, 1_000_000, 10_000_000)
    shapes: tuple[tuple[int, int], ...] = (
        *((100, 10), (10_000, 10), (1_000_000, 10), (1_000, 100), (100_000, 100)),
        *((100, 1_000), (20_000, 1_000), (10, 32_000), (600, 32_000)),
    )
    points: int = 2_000
    turns: int = 7
    processes: int = 3
    step_turns: int = 10
    parameters: int = 20_000_000
    arrays: int = 1_000
    compilations: int = 3
    growth_rows: tuple[int, ...] = (10_000, 100_000, 1_000_000, 10_000_000)
    growth_columns: int = 50
    growth_work: int = 10_000_000
    growth_epochs: tuple[int, ...] = (5, 20)
    growth_lanes: tuple[int, ...] = (8, 64)
    growth_turns: int = 5
    peer_rows: int = 100_000
    peer_epochs: int = 5
    full_rows: int = 1_000_000
    full_lanes: int = 14
    full_epochs: int = 20
    full_tolerance: float = 1e-4
    full_most: int = 100


FULL = Sizes()
QUICK = Sizes(
    problem=Problem(rows=2_000, stop=400, epochs=2),
    lanes={"linear": 32, "mlp": 4},
    alternations=2,
    networks=(((8, 8), 128),),
    network_epochs=2,
    jobs=1,
    together=4,
    options=("--losses", "squared_error,huber", "--optimizers", "gradient_descent,adam")
    + ("--epochs", "2", "--draws", "2", "--seeds", "2"),
    card_lanes=16,
    card_layouts=((2, 2),),
    card_side=256,
    demo=("make", "--dry-run", "demo"),
    demos=1,
    helps=3,
    small=("--epochs", "2", "--draws", "2", "--seeds", "2", "--no-reasons"),
    rows=(100,),
    shapes=((100, 10),),
    points=200,
    turns=1,
    processes=1,
    step_turns=1,
    parameters=200_000,
    arrays=10,
    compilations=1,
    growth_rows=(1_000, 4_000),
    growth_columns=5,
    growth_work=4_000,
    growth_epochs=(1, 2),
    growth_lanes=(2, 4),
    growth_turns=1,
    peer_rows=1_000,
    peer_epochs=2,
    full_rows=5_000,
    full_lanes=2,
    full_epochs=3,
    full_most=50,
)
